/**
 * JSON texts of a pin's status (rest-api.md §3.2), for listings of millions: what a pin says of itself is cut out of its stored line,
 * and what a peer says of it is put behind, without values in between.
 */
import { formatGoTime } from './go-time.ts'
import { stringifyGo } from './go-json.ts'
import { metadataToJson, type PinJson } from './pin-json.ts'
import type { PinInfoShort, PinSummary } from './pin-info.ts'

/** The status of one pin on one peer, as texts. */
export interface StatusText {
  /** Key of the pin (`cidKey`): the order of listings. */
  readonly key: string
  /** A JSON object without its closing brace: what every answer about the pin repeats. */
  readonly summary: string
  /** The JSON object of one entry in `peer_map`. */
  readonly short: string
  /** The peer could not tell: others describe the pin. */
  readonly isError?: boolean | undefined
}

const unclosed = (text: string): string => text.slice(0, -1)
const isEmpty = (object: Readonly<Record<string, string>>): boolean => {
  for (const _key in object) return false
  return true
}

/** The summary of a pin by its line. `now` (unix ms) stands in for a time that the pin does not have. */
export function summaryOfLine ({ cid, name, allocations, origins, timestamp, metadata }: PinJson, now: number): string {
  return unclosed(stringifyGo({
    cid, name, allocations: allocations ?? [], origins: origins ?? [],
    created: timestamp === unset ? formatGoTime(now) : timestamp,
    metadata: metadata === null || isEmpty(metadata) ? null : metadata
  }))
}

const unset = formatGoTime(undefined)

export function summaryText ({ cid, name, allocations, origins, created, metadata }: PinSummary): string {
  return unclosed(stringifyGo({
    cid: cid.toString(), name, allocations: allocations.map(String), origins: origins.map(String), created: formatGoTime(created),
    metadata: isEmpty(metadata) ? null : metadataToJson(metadata)
  }))
}

/** One entry of `peer_map`, in the order in which it is printed; undefined fields are left out. */
export const shortToJson = (info: PinInfoShort) => ({
  peername: info.peerName,
  // Never the empty text: Go's decoder refuses it.
  ipfs_peer_id: info.ipfsId?.toString(),
  ipfs_peer_addresses: info.ipfsAddresses.length === 0 ? undefined : info.ipfsAddresses.map(String),
  status: info.status,
  timestamp: formatGoTime(info.timestamp),
  error: info.error,
  attempt_count: info.attemptCount,
  priority_pin: info.priorityPin
})

export const shortText = (info: PinInfoShort): string => stringifyGo(shortToJson(info))

/** Shorts of one peer that differ in status, error and time alone: the rest is made once. */
export class ShortTexts {
  readonly #before: string

  /** @param self what the peer says of itself in every one */
  constructor (self: Pick<PinInfoShort, 'peerName' | 'ipfsId' | 'ipfsAddresses'>) {
    const text = shortText({ ...self, status: 'pinned', timestamp: 0, error: '', attemptCount: 0, priorityPin: false })
    this.#before = text.slice(0, text.lastIndexOf('"status":"pinned"') + '"status":"'.length)
  }

  /** Of a pin without an operation; `timestamp` as its line has it. */
  settled (status: string, timestamp: string, error: string): string {
    return `${this.#before}${status}","timestamp":"${timestamp}","error":${stringifyGo(error)},"attempt_count":0,"priority_pin":false}`
  }
}

/** The answer about one pin: its summary and what each peer says, in the order of peer IDs. */
export function globalText (summary: string, shorts: ReadonlyArray<readonly [peer: string, short: string]>): string {
  const sorted = shorts.length < 2 ? shorts : shorts.toSorted(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)
  return `${summary},"peer_map":{${sorted.map(([peer, short]) => `"${peer}":${short}`).join(',')}}}`
}
