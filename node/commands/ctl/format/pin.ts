/** Text of pins and of their status. */
import { asInteger, asList, asObject, asText } from '../../../../src/api/json/json.ts'
import type { Json, JsonObject } from '../../../../src/api/json/json.ts'

const zero = '0001-01-01T00:00:00Z'
const isUnset = (time: string): boolean => time === '' || time === zero || time.startsWith('1970-01-01T00:00:00Z')
/** Date and time of RFC 3339, in the zone it is in. */
const dateTime = (time: string): string => time.slice(0, 19).replace('T', ' ')

export function formatPin (pin: JsonObject): string {
  const depth = asInteger(pin['max_depth'] ?? -1, 'max_depth')
  const min = asInteger(pin['replication_factor_min'], 'replication_factor_min')
  const max = asInteger(pin['replication_factor_max'], 'replication_factor_max')
  const allocations = asList(pin['allocations'], 'allocations').map((peer) => asText(peer, 'allocations')).toSorted()
  const expiry = asText(pin['expire_at'], 'expire_at')
  const timestamp = asText(pin['timestamp'], 'timestamp')
  return [
    asText(pin['cid'], 'cid'),
    asText(pin['name'], 'name'),
    asText(pin['type'], 'type').toUpperCase() + (depth === 0 ? '-DIRECT' : ''),
    min < 0 ? 'Repl. Factor: -1' : `Repl. Factor: ${min}--${max}`,
    `Allocations: [${min < 0 ? 'everywhere' : allocations.join(' ')}]`,
    depth < 0 ? 'Recursive' : depth === 0 ? 'Direct' : `Recursive-${depth}`,
    `Metadata: ${Object.keys(asObject(pin['metadata'] ?? {}, 'metadata')).length === 0 ? 'no' : 'yes'}`,
    `Exp: ${isUnset(expiry) ? '∞' : dateTime(expiry)}`,
    `Added: ${isUnset(timestamp) ? 'unknown' : dateTime(timestamp)}`
  ].join(' | ') + '\n'
}

function formatPeerStatus ([peer, value]: readonly [string, Json | undefined]): string {
  const info = asObject(value, `peer_map.${peer}`)
  const name = asText(info['peername'], 'peername')
  const error = asText(info['error'], 'error')
  const status = asText(info['status'], 'status').toUpperCase()
  return `    > ${(name === '' ? peer : name).padEnd(20)} : ${status}${error === '' ? '' : `: ${error}`} | ${asText(info['timestamp'], 'timestamp')} | Attempts: ${asInteger(info['attempt_count'], 'attempt_count')} | Priority: ${info['priority_pin'] === true}\n`
}

export function formatStatus (status: JsonObject): string {
  const name = asText(status['name'], 'name')
  const peers = Object.entries(asObject(status['peer_map'] ?? {}, 'peer_map')).toSorted(([a], [b]) => a < b ? -1 : 1)
  return `${asText(status['cid'], 'cid')}${name === '' ? '' : ` | ${name}`}:\n${peers.map(formatPeerStatus).join('')}`
}
