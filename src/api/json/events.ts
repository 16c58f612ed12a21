/** Events of `GET /events`, and the states beside them, as JSON. */
import { DecodeError } from '../../errors.ts'
import { pinFromJson, pinToJson } from '../../pin/pin-json.ts'
import { alertFromJson, alertToJson } from './metric.ts'
import { cidOf, optionalPeerIdOf, peerIdOf } from './ids.ts'
import { asBigInt, asBoolean, asInteger, asObject, asText } from './json.ts'
import { shortToJson } from '../../pin/status-text.ts'
import { pinSummaryFromJson, pinSummaryToJson, shortFromJson } from './status.ts'
import type { StorageState, SyncState } from '../../cluster/types.ts'
import type { PinInfo } from '../../pin/pin-info.ts'
import type { PinProgress } from '../../tracker/tracker.ts'
import type { ApiEvent } from '../events.ts'
import type { Json, JsonObject } from './json.ts'

export const eventTypes = ['pin:added', 'pin:removed', 'status:changed', 'pin:progressed', 'peer:connected', 'peer:disconnected', 'alert:raised', 'sync:progressed', 'events:dropped'] as const satisfies ReadonlyArray<ApiEvent['type']>

export const isEventType = (text: string): text is ApiEvent['type'] => eventTypes.some((type) => type === text)

const pinInfoToJson = (info: PinInfo): JsonObject => ({ ...pinSummaryToJson(info), peer: info.peer.toString(), ...shortToJson(info) })
const pinInfoFromJson = (value: Json): PinInfo => ({ ...pinSummaryFromJson(value), ...shortFromJson(value, 'status'), peer: peerIdOf(asObject(value, 'status')['peer'], 'peer') })

const progressToJson = ({ cid, blocks, bytes, totalBytes }: PinProgress): JsonObject => ({ cid: cid.toString(), blocks, bytes, total_bytes: totalBytes })
function progressFromJson (value: Json): PinProgress {
  const progress = asObject(value, 'progress')
  const optional = (key: string): number | undefined => progress[key] === undefined ? undefined : asInteger(progress[key], key)
  return { cid: cidOf(progress['cid'], 'cid'), blocks: asInteger(progress['blocks'], 'blocks'), bytes: optional('bytes'), totalBytes: optional('total_bytes') }
}

export const syncToJson = (state: SyncState): JsonObject => ({
  heads: state.heads, height: state.height, synced: state.synced, known: state.known, queue: state.queue, wanted: state.wanted, dirty: state.dirty, pins: state.pins,
  pin_queued: state.pinQueued, pinning: state.pinning, pin_error: state.pinError
})

export function syncFromJson (value: Json): SyncState {
  const state = asObject(value, 'sync')
  const count = (key: string): number => asInteger(state[key], key)
  return { heads: count('heads'), height: count('height'), synced: count('synced'), known: count('known'), queue: count('queue'), wanted: count('wanted'), dirty: asBoolean(state['dirty'], 'dirty'), pins: count('pins'), pinQueued: count('pin_queued'), pinning: count('pinning'), pinError: count('pin_error') }
}

/** `persisted` is left out where nothing evicts. */
export const storageToJson = (state: StorageState): JsonObject => ({ kind: state.kind, repo_size: state.repoSize, storage_max: state.storageMax, persisted: state.persisted })

export function storageFromJson (value: Json): StorageState {
  const state = asObject(value, 'storage')
  const kind = asText(state['kind'], 'kind')
  if (kind !== 'helia' && kind !== 'kubo' && kind !== 'tab') throw new DecodeError(`storage kind ${JSON.stringify(kind.slice(0, 32))}`)
  const persisted = state['persisted']
  return { kind, repoSize: asBigInt(state['repo_size'], 'repo_size'), storageMax: asBigInt(state['storage_max'], 'storage_max'), persisted: typeof persisted === 'boolean' ? persisted : undefined }
}

export function eventDataToJson (event: ApiEvent): Json {
  switch (event.type) {
    case 'pin:added': return pinToJson(event.data) as unknown as JsonObject
    case 'status:changed': return pinInfoToJson(event.data)
    case 'pin:progressed': return progressToJson(event.data)
    case 'alert:raised': return alertToJson(event.data)
    case 'sync:progressed': return syncToJson(event.data)
    default: return event.data
  }
}

/** Undefined for a type this program does not know. */
export function eventFromJson (type: string, value: Json): ApiEvent | undefined {
  switch (type) {
    case 'pin:added': return { type, data: pinFromJson(value) }
    case 'pin:removed': return { type, data: cidOf(value, type).toString() }
    case 'status:changed': return { type, data: pinInfoFromJson(value) }
    case 'pin:progressed': return { type, data: progressFromJson(value) }
    case 'peer:connected':
    case 'peer:disconnected': return { type, data: optionalPeerIdOf(value, type)?.toString() ?? '' }
    case 'alert:raised': return { type, data: alertFromJson(value) }
    case 'sync:progressed': return { type, data: syncFromJson(value) }
    case 'events:dropped': return { type, data: asInteger(value, type) }
    default: return undefined
  }
}
