/** Query parameters as the API reads them, with its error texts (rest-api.md §4.1, §5). */
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { errorText } from '../component.ts'
import { parseDuration } from '../pin/go-duration.ts'
import { parseGoTime } from '../pin/go-time.ts'
import { nilList } from '../pin/nil.ts'
import { pinTypeFlag, pinTypes, allPinTypes } from '../pin/pin.ts'
import { parseStatusFilter } from '../pin/status.ts'
import { decodeCid } from './cid.ts'
import { badRequest } from './errors.ts'
import type { PinOptions } from '../pin/pin.ts'
import type { StatusFilter } from '../pin/status.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { CID } from 'multiformats/cid'

const attempt = <T>(parse: () => T, message: (error: unknown) => string): T => {
  try { return parse() } catch (error) { throw badRequest(message(error), error) }
}

/** A CID in a path. */
export const cidParameter = (text: string): CID => attempt(() => decodeCid(text), (error) => `error decoding Cid: ${errorText(error)}`)
export const peerParameter = (text: string): PeerId => attempt(() => peerIdFromString(text), (error) => `error decoding Peer ID: ${errorText(error)}`)

const list = (query: URLSearchParams, name: string): readonly string[] => (query.get(name) ?? '').split(',').map((item) => item.trim()).filter((item) => item !== '')

/** A decimal within [min, max]; absent and empty are 0. */
function integer (query: URLSearchParams, name: string, min: number, max: number, message = `parameter ${name} invalid`): number {
  const text = query.get(name) ?? ''
  if (text === '') return 0
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= min && value <= max)) throw badRequest(message)
  return value
}

const maxInt = 2 ** 31 - 1
const factor = (query: URLSearchParams, name: string): number => integer(query, name, -maxInt, maxInt)

const truths = new Map([...['1', 't', 'T', 'TRUE', 'true', 'True'].map((text) => [text, true] as const), ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text) => [text, false] as const)])

/** As Go's ParseBool; undefined when absent or empty. */
export function flag (query: URLSearchParams, name: string): boolean | undefined {
  const text = query.get(name) ?? ''
  if (text === '') return undefined
  const value = truths.get(text)
  if (value === undefined) throw badRequest(`parameter ${name} invalid`)
  return value
}

/** Everywhere but in /add only the exact text counts. */
export const isLocal = (query: URLSearchParams): boolean => query.get('local') === 'true'

/** Unix ms; `expire-at` wins over `expire-in`. */
function expiry (query: URLSearchParams, now: number): number | undefined {
  const at = query.get('expire-at') ?? ''
  if (at !== '') return attempt(() => parseGoTime(at), () => `expire-at cannot be parsed: ${JSON.stringify(at.slice(0, 64))} is not an RFC 3339 time`)
  const within = query.get('expire-in') ?? ''
  if (within === '') return undefined
  const ms = attempt(() => parseDuration(within), (error) => `expire-in cannot be parsed: ${errorText(error)}`)
  if (ms < 1000) throw badRequest('expire-in duration too short')
  return now + ms
}

/** Undecodable ones are dropped. */
function userAllocations (query: URLSearchParams): readonly PeerId[] {
  if ((query.get('user-allocations') ?? '') === '') return nilList
  return list(query, 'user-allocations').flatMap((text) => {
    try { return [peerIdFromString(text)] } catch { return [] }
  })
}

function origins (query: URLSearchParams): readonly Multiaddr[] {
  const texts = list(query, 'origins')
  if (texts.length === 0) return nilList
  return texts.map((text) => {
    const address = attempt(() => {
      if (!text.startsWith('/')) throw new Error(`failed to parse multiaddr ${JSON.stringify(text)}: must begin with /`)
      return multiaddr(text)
    }, (error) => `error decoding multiaddress: ${errorText(error)}`)
    if (!address.getComponents().some(({ name }) => name === 'p2p')) throw badRequest(`multiaddress does not contain peer ID: ${text}`)
    return address
  })
}

function metadata (query: URLSearchParams): Readonly<Record<string, string>> {
  const found = new Map<string, string>()
  for (const [name, value] of query) {
    const key = name.startsWith('meta-') ? name.slice(5) : ''
    if (key !== '' && !found.has(key)) found.set(key, value)
  }
  return Object.fromEntries([...found].toSorted(([a], [b]) => a < b ? -1 : 1))
}

/** The options of a pin; `now` in unix ms. */
export function pinOptions (query: URLSearchParams, now: number): PinOptions {
  const both = query.get('replication') ?? ''
  const update = query.get('pin-update') ?? ''
  return {
    name: query.get('name') ?? '',
    mode: query.get('mode') === 'direct' ? 'direct' : 'recursive',
    replicationFactorMin: factor(query, both === '' ? 'replication-min' : 'replication'),
    replicationFactorMax: factor(query, both === '' ? 'replication-max' : 'replication'),
    shardSize: integer(query, 'shard-size', 0, Number.MAX_SAFE_INTEGER, 'parameter shard_size is invalid'),
    userAllocations: userAllocations(query),
    expireAt: expiry(query, now),
    metadata: metadata(query),
    pinUpdate: update === '' ? undefined : attempt(() => decodeCid(update), (error) => `error decoding update option parameter: ${errorText(error)}`),
    origins: origins(query)
  }
}

/** Flags of pin types; empty and `all` are all, unknown names beside known ones are ignored. */
export function pinTypesFilter (query: URLSearchParams): number {
  const names = list(query, 'filter')
  if (names.length === 0 || names.includes('all')) return allPinTypes
  let types = 0
  for (const name of names) {
    const type = pinTypes.find((known) => known === name)
    if (type !== undefined && type !== 'bad-type') types |= pinTypeFlag(type)
  }
  if (types === 0) throw badRequest('invalid filter value')
  return types
}

export function statusFilter (query: URLSearchParams): StatusFilter {
  const text = query.get('filter') ?? ''
  const filter = parseStatusFilter(text)
  if (text !== '' && filter === 0) throw badRequest('invalid filter value')
  return filter
}

/** The CIDs a status listing is limited to. */
export const cidsParameter = (query: URLSearchParams): readonly CID[] => list(query, 'cids').map(cidParameter)

/** One of the choices; empty is the first. */
export function choice<const T extends readonly [string, ...string[]]> (query: URLSearchParams, name: string, choices: T): T[number] {
  const text = query.get(name) ?? ''
  const found = text === '' ? choices[0] : choices.find((known) => known === text)
  if (found === undefined) throw badRequest(`${name} parameter is invalid`)
  return found
}
