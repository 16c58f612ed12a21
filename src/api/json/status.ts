/** GlobalPinInfo: the answer of every status and recover call (rest-api.md §3.2). */
import { shortToJson } from '../../pin/status-text.ts'
import { statusFromBits, trackerStatusBits } from '../../pin/status.ts'
import { formatTime, timeOf } from './time.ts'
import { addressesOf, addressesToJson, cidOf, entriesOf, idsToJson, mapToJson, optionalPeerIdOf, peerIdsOf } from './ids.ts'
import { asBoolean, asInteger, asObject, asText } from './json.ts'
import type { GlobalPinInfo, PinInfoShort, PinSummary } from '../../pin/pin-info.ts'
import type { TrackerStatus } from '../../pin/status.ts'
import type { Json, JsonObject } from './json.ts'

/** Null when there is none, as the reference writes it. */
export const metadataToJson = (metadata: Readonly<Record<string, string>>): Json => Object.keys(metadata).length === 0 ? null : mapToJson(new Map(Object.entries(metadata)), (value) => value)

export const metadataOf = (value: Json | undefined): Readonly<Record<string, string>> => Object.fromEntries(entriesOf(value, 'metadata').map(([key, text]) => [key, asText(text, `metadata.${key}`)]))

export const pinSummaryToJson = (info: PinSummary): JsonObject => ({
  cid: info.cid.toString(),
  name: info.name,
  allocations: idsToJson(info.allocations),
  origins: addressesToJson(info.origins),
  created: formatTime(info.created),
  metadata: metadataToJson(info.metadata)
})

export const globalPinInfoToJson = (info: GlobalPinInfo): JsonObject => ({ ...pinSummaryToJson(info), peer_map: mapToJson(info.peerMap, shortToJson) })

/** Unknown words are `undefined`, which every reader must expect. */
const statusOf = (value: Json | undefined): TrackerStatus => {
  const text = asText(value, 'status')
  return Object.hasOwn(trackerStatusBits, text) ? statusFromBits(trackerStatusBits[text as TrackerStatus]) : 'undefined'
}

export function shortFromJson (value: Json, at: string): PinInfoShort {
  const info = asObject(value, at)
  return {
    peerName: asText(info['peername'], `${at}.peername`),
    ipfsId: optionalPeerIdOf(info['ipfs_peer_id'], `${at}.ipfs_peer_id`),
    ipfsAddresses: addressesOf(info['ipfs_peer_addresses'], `${at}.ipfs_peer_addresses`),
    status: statusOf(info['status']),
    timestamp: timeOf(info['timestamp'], `${at}.timestamp`) ?? 0,
    error: asText(info['error'], `${at}.error`),
    attemptCount: asInteger(info['attempt_count'], `${at}.attempt_count`),
    priorityPin: asBoolean(info['priority_pin'], `${at}.priority_pin`)
  }
}

export function pinSummaryFromJson (value: Json): PinSummary {
  const info = asObject(value, 'status')
  return {
    cid: cidOf(info['cid'], 'cid'),
    name: asText(info['name'], 'name'),
    allocations: peerIdsOf(info['allocations'], 'allocations'),
    origins: addressesOf(info['origins'], 'origins'),
    created: timeOf(info['created'], 'created') ?? 0,
    metadata: metadataOf(info['metadata'])
  }
}

export function globalPinInfoFromJson (value: Json): GlobalPinInfo {
  const info = asObject(value, 'status')
  return {
    ...pinSummaryFromJson(value),
    peerMap: new Map(entriesOf(info['peer_map'], 'peer_map').map(([peer, short]) => [peer, shortFromJson(short, `peer_map.${peer}`)]))
  }
}
