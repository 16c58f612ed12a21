/** The types of configuration values (config.md §2). */
import { multiaddr } from '@multiformats/multiaddr'
import type { Multiaddr } from '@multiformats/multiaddr'
import { peerIdFromString } from '@libp2p/peer-id'
import type { PeerId } from '@libp2p/interface'
import { formatDuration, parseDuration } from '../pin/go-duration.ts'
import { isObject, typeName } from './schema.ts'
import type { Json, Kind } from './schema.ts'

const expected = (what: string, value: Json): Error => new Error(`expected ${what}, found ${typeName(value)}`)
const same = (text: string): Json => text

const asText = (value: Json): string => {
  if (typeof value !== 'string') throw expected('a string', value)
  return value
}
const asList = (value: Json): readonly Json[] => {
  if (!Array.isArray(value)) throw expected('a list', value)
  return value as readonly Json[]
}
const commaList = (text: string): Json => text.split(',').map((part) => part.trim()).filter((part) => part !== '')

export const textKind: Kind<string> = { expected: 'a string', decode: asText, encode: (value) => value, fromEnvironment: same, isZero: (value) => value === '' }

export const flagKind: Kind<boolean> = {
  expected: 'true or false',
  decode: (value) => { if (typeof value !== 'boolean') throw expected('true or false', value); return value },
  encode: (value) => value,
  // Go's ParseBool
  fromEnvironment: (text) => {
    if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true
    if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false
    throw new Error('expected true or false')
  },
  isZero: (value) => !value
}

export const integerKind: Kind<number> = {
  expected: 'an integer',
  decode: (value) => {
    if (typeof value !== 'number') throw expected('an integer', value)
    if (!Number.isSafeInteger(value)) throw new Error('expected an integer')
    return value
  },
  encode: (value) => value,
  fromEnvironment: (text) => { if (!/^[+-]?\d+$/.test(text)) throw new Error('expected an integer'); return Number(text) },
  isZero: (value) => value === 0
}

export const numberKind: Kind<number> = {
  expected: 'a number',
  decode: (value) => { if (typeof value !== 'number') throw expected('a number', value); return value },
  encode: (value) => value,
  fromEnvironment: (text) => { if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i.test(text)) throw new Error('expected a number'); return Number(text) },
  isZero: (value) => value === 0
}

/** In ms; written in Go's syntax. An empty string is the zero value. */
export const durationKind: Kind<number> = {
  expected: 'a duration such as "1m30s"',
  decode: (value) => {
    if (typeof value !== 'string') throw expected('a duration such as "1m30s"', value)
    if (value === '') return Number.NaN
    try { return parseDuration(value) } catch (error) { throw new Error(`${JSON.stringify(value.slice(0, 64))} is not a duration such as "1m30s"`, { cause: error }) }
  },
  encode: (value) => formatDuration(value),
  fromEnvironment: same,
  isZero: (value) => value === 0
}

const multiaddrOf = (text: string): Multiaddr => {
  try { return multiaddr(text) } catch (error) { throw new Error(`${JSON.stringify(text)} is not a multiaddress: ${error instanceof Error ? error.message : String(error)}`, { cause: error }) }
}
export const multiaddrKind: Kind<Multiaddr> = { expected: 'a multiaddress', decode: (value) => multiaddrOf(asText(value)), encode: (value) => value.toString(), fromEnvironment: same, isZero: () => false }

/** One string or a list of them; a single element is written as a plain string. */
export const stringsOfMultiaddrs: Kind<readonly Multiaddr[]> = {
  expected: 'a multiaddress or a list of them',
  decode: (value) => (typeof value === 'string' ? value === '' ? [] : [value] : asList(value)).map((item) => multiaddrOf(asText(item))),
  encode: (value) => value.length === 1 && value[0] !== undefined ? value[0].toString() : value.map((item) => item.toString()),
  fromEnvironment: commaList,
  isZero: (value) => value.length === 0
}
export const multiaddrList: Kind<readonly Multiaddr[]> = { ...stringsOfMultiaddrs, expected: 'a list of multiaddresses', decode: (value) => asList(value).map((item) => multiaddrOf(asText(item))), encode: (value) => value.map((item) => item.toString()) }

export const textList: Kind<readonly string[]> = { expected: 'a list of strings', decode: (value) => asList(value).map(asText), encode: (value) => value, fromEnvironment: commaList, isZero: (value) => value.length === 0 }

export type TrustedPeers = '*' | readonly PeerId[]
/** Peer IDs; `*` anywhere means everybody. */
export const trustedPeersKind: Kind<TrustedPeers> = {
  expected: 'a list of peer IDs, or ["*"]',
  decode: (value) => {
    const items = asList(value).map(asText)
    return items.includes('*') ? '*' : items.map((item) => { try { return peerIdFromString(item) } catch { throw new Error(`${JSON.stringify(item)} is not a peer ID`) } })
  },
  encode: (value) => value === '*' ? ['*'] : value.map((peer) => peer.toString()),
  fromEnvironment: commaList,
  isZero: (value) => value.length === 0
}

const pairs = (text: string): ReadonlyArray<readonly [string, string]> => text.split(',').filter((part) => part.trim() !== '').map((part) => {
  const at = part.indexOf(':')
  if (at < 0) throw new Error('expected key:value pairs, separated by commas')
  return [part.slice(0, at).trim(), part.slice(at + 1)] as const
})
const sorted = <T>(entries: ReadonlyArray<readonly [string, T]>): Record<string, T> => Object.fromEntries(entries.toSorted(([a], [b]) => a < b ? -1 : 1))

/** Keys are written sorted, as Go writes a map. */
export const textMap: Kind<Readonly<Record<string, string>>> = {
  expected: 'an object of strings',
  decode: (value) => {
    if (!isObject(value)) throw expected('an object of strings', value)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asText(item)]))
  },
  encode: (value) => sorted(Object.entries(value)),
  fromEnvironment: (text) => Object.fromEntries(pairs(text)),
  isZero: (value) => Object.keys(value).length === 0
}

export const headersMap: Kind<Readonly<Record<string, readonly string[]>>> = {
  expected: 'an object of lists of strings',
  decode: (value) => {
    if (!isObject(value)) throw expected('an object of lists of strings', value)
    return Object.fromEntries(Object.entries(value).map(([key, items]) => [key, asList(items).map(asText)]))
  },
  encode: (value) => sorted(Object.entries(value)),
  fromEnvironment: (text) => Object.fromEntries(pairs(text).map(([key, value]) => [key, [value]])),
  isZero: (value) => Object.keys(value).length === 0
}

/** User to password; null when nobody needs one. */
export const credentialsKind: Kind<Readonly<Record<string, string>> | null> = {
  expected: 'an object of user to password, or null',
  decode: (value) => value === null ? null : textMap.decode(value),
  encode: (value) => value === null ? null : textMap.encode(value),
  fromEnvironment: (text) => textMap.fromEnvironment(text),
  isZero: (value) => value === null
}

const units: Readonly<Record<string, number>> = { '': 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30, TIB: 2 ** 40 }
const bytesOf = (text: string): number => {
  const parts = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  const unit = units[(parts?.[2] ?? '?').toUpperCase()]
  if (parts === null || unit === undefined) throw new Error('expected a size such as "10GB" or "512MiB"')
  return Math.floor(Number(parts[1]) * unit)
}
const sizeText = (bytes: number): string => {
  for (const unit of ['TB', 'GB', 'MB', 'KB'] as const) { const size = units[unit] ?? 1; if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}` }
  return `${bytes}B`
}
/** Bytes; a string with a unit, as kubo writes StorageMax. */
export const sizeKind: Kind<number> = { expected: 'a size such as "10GB"', decode: (value) => typeof value === 'number' ? integerKind.decode(value) : bytesOf(asText(value)), encode: sizeText, fromEnvironment: same, isZero: (value) => value === 0 }

export const oneOf = <const T extends string>(...choices: readonly T[]): Kind<T> => ({
  expected: choices.join(' or '),
  decode: (value) => {
    const found = choices.find((choice) => choice === value)
    if (found === undefined) throw new Error(`must be ${choices.map((choice) => `"${choice}"`).join(' or ')}`)
    return found
  },
  encode: (value) => value,
  fromEnvironment: same,
  isZero: () => false
})

/** Anything: kept as it is, used for nothing. */
export const anyKind: Kind<Json> = {
  expected: 'anything',
  decode: (value) => value,
  encode: (value) => value,
  fromEnvironment: (text) => { throw new Error(`${text.length > 0 ? 'this variable' : 'it'} cannot be set from the environment`) },
  isZero: (value) => value === null
}
