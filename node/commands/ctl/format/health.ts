/** Text of metrics, alerts, bandwidth, progress and garbage collection. */
import { asBigInt, asBoolean, asInteger, asList, asNumber, asObject, asText } from '../../../../src/api/json/json.ts'
import { humanBytes, humanTime } from './humanize.ts'
import type { Json, JsonObject } from '../../../../src/api/json/json.ts'

const expiryOf = (metric: JsonObject): number => Number(asBigInt(metric['expire'], 'expire') / 1_000_000n)

export const formatMetric = (now: number) => (value: Json): string => {
  const metric = asObject(value, 'metric')
  const name = asText(metric['name'], 'name')
  const shown = name === 'freespace' ? humanBytes(asBigInt(metric['weight'], 'weight')) : asText(metric['value'], 'value')
  return `${asText(metric['peer'], 'peer')} | ${name}: ${shown} | Expires in: ${humanTime(expiryOf(metric), now)}\n`
}

export const formatAlert = (now: number) => (value: Json): string => {
  const alert = asObject(value, 'alert')
  return `${asText(alert['peer'], 'peer')}: ${asText(alert['name'], 'name')}. Expired at: ${humanTime(expiryOf(alert), now)}. Triggered at: ${humanTime(Date.parse(asText(alert['triggered_at'], 'triggered_at')), now)}\n`
}

export function formatBandwidth (bandwidth: JsonObject): string {
  return Object.entries(bandwidth).toSorted(([a], [b]) => a < b ? -1 : 1).map(([protocol, value]) => {
    const each = asObject(value, protocol)
    const total = (name: string): string => humanBytes(asBigInt(each[name], name)).padStart(7)
    const rate = (name: string): string => asNumber(each[name], name).toFixed(2)
    return `${protocol.padStart(25)}: In: ${total('total_in')}. Out: ${total('total_out')}. RateIn: ${rate('rate_in')}B/s. RateOut: ${rate('rate_out')}B/s\n`
  }).join('')
}

export function formatSync (sync: JsonObject): string {
  const count = (name: string): number => asInteger(sync[name], name)
  const [synced, known] = [count('synced'), count('known')]
  // Never 100 % while anything is missing.
  const percent = known === 0 ? 100 : Math.floor(synced / known * 1000) / 10
  return `synced ${synced} of ${known} (${percent.toFixed(1)} %) | pins: ${count('pins')}\n`
    + `heads: ${count('heads')} | height: ${count('height')} | queue: ${count('queue')} | wanted: ${count('wanted')} | dirty: ${asBoolean(sync['dirty'], 'dirty') ? 'yes' : 'no'}\n`
    + `pin_queued: ${count('pin_queued')} | pinning: ${count('pinning')} | pin_error: ${count('pin_error')}\n`
}

export function formatRepoGc (gc: JsonObject): string {
  return Object.entries(asObject(gc['peer_map'] ?? {}, 'peer_map')).map(([id, value]) => {
    const peer = asObject(value, id)
    const name = asText(peer['peername'], 'peername')
    const error = asText(peer['error'], 'error')
    const keys = asList(peer['keys'], 'keys').map((item) => {
      const key = asObject(item, 'keys')
      const failed = asText(key['error'], 'error')
      return `    - ${failed === '' ? asText(key['key'], 'key') : `ERROR: ${failed}`}\n`
    })
    return `${(name === '' ? id : name).padEnd(15)}${error === '' ? '' : ` | ERROR: ${error}`}\n  > CIDs:\n${keys.join('')}`
  }).join('')
}
