/** JSON of a pin, as the REST API answers and `state export` writes it (rest-api.md §3.1, wire.md §8). */
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'
import { errorText } from '../component.ts'
import { InvalidValueError } from '../errors.ts'
import { stringifyGo } from './go-json.ts'
import { formatGoTime, isZeroTime, parseGoTime } from './go-time.ts'
import { nilList, nilMap } from './nil.ts'
import { compareText } from './pin-proto.ts'
import { depthOf, modeOf, pinTypes, type Pin, type PinMode, type PinType } from './pin.ts'
import type { PeerId } from '@libp2p/interface'

/** A pin as JSON names it; fields in the order they are printed. */
export interface PinJson {
  readonly replication_factor_min: number
  readonly replication_factor_max: number
  readonly name: string
  readonly mode: PinMode
  readonly shard_size: number
  readonly user_allocations: readonly string[] | null
  readonly expire_at: string
  readonly metadata: Readonly<Record<string, string>> | null
  readonly pin_update: string | null
  readonly origins: readonly string[] | null
  readonly cid: string
  readonly type: PinType
  readonly allocations: readonly string[] | null
  readonly max_depth: number
  readonly reference: string | null
  readonly timestamp: string
}

const texts = (list: ReadonlyArray<{ toString: () => string }>): readonly string[] | null => list === nilList ? null : list.map(String)

/** Keys in byte order, as Go prints maps; null for Go's nil. */
export function metadataToJson (metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> | null {
  if (metadata === nilMap) return null
  const entries = Object.entries(metadata)
  return entries.length < 2 ? metadata : Object.fromEntries(entries.toSorted(([a], [b]) => compareText(a, b)))
}

/** The pin for `stringifyGo`: every field, in the order of rest-api.md §3.1. */
export const pinToJson = (pin: Pin): PinJson => ({
  replication_factor_min: pin.replicationFactorMin,
  replication_factor_max: pin.replicationFactorMax,
  name: pin.name,
  mode: pin.mode,
  shard_size: pin.shardSize,
  user_allocations: texts(pin.userAllocations),
  expire_at: formatGoTime(pin.expireAt),
  metadata: metadataToJson(pin.metadata),
  pin_update: pin.pinUpdate?.toString() ?? null,
  origins: texts(pin.origins),
  cid: pin.cid.toString(),
  type: pin.type,
  allocations: texts(pin.allocations),
  max_depth: pin.maxDepth,
  reference: pin.reference?.toString() ?? null,
  timestamp: formatGoTime(pin.timestamp)
})

const wholeSeconds = (ms: number | undefined): number | undefined => ms === undefined || ms < 1000 ? undefined : ms - ms % 1000

/** The pin as it reads back from the state: nothing that is not stored, lists never nil. */
export const asStored = (pin: Pin): Pin => ({
  ...pin,
  mode: modeOf(pin.maxDepth),
  userAllocations: nilList,
  expireAt: wholeSeconds(pin.expireAt),
  metadata: Object.keys(pin.metadata).length === 0 ? nilMap : pin.metadata,
  origins: pin.origins === nilList ? [] : pin.origins,
  allocations: pin.allocations === nilList ? [] : pin.allocations,
  timestamp: wholeSeconds(pin.timestamp)
})

const textEncoder = new TextEncoder()

/** One line of a listing or export, without its line end. `fromState`: print what the state keeps of the pin. */
export const encodePinLine = (pin: Pin, { fromState = false }: { readonly fromState?: boolean } = {}): Uint8Array => textEncoder.encode(stringifyGo(pinToJson(fromState ? asStored(pin) : pin)))

const textDecoder = new TextDecoder()
const comma = 0x2c

/** Lines that `encodePinLine` made, as the values they hold: one text and one parse for all of them. */
export function parseLines (lines: readonly Uint8Array[]): readonly PinJson[] {
  const all = new Uint8Array(lines.reduce((length, line) => length + line.length + 1, 1))
  let at = 0
  for (const line of lines) {
    all[at++] = comma
    all.set(line, at)
    at += line.length
  }
  all[0] = 0x5b
  all[at++] = 0x5d
  return lines.length === 0 ? [] : JSON.parse(textDecoder.decode(all.subarray(0, at))) as readonly PinJson[]
}

type Fields = Readonly<Record<string, unknown>>

/** The pin that parsed JSON describes. Throws InvalidValueError naming the field; unknown fields are ignored, `null` is absent. */
export function pinFromJson (value: unknown): Pin {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new InvalidValueError('pin', 'not an object')
  const fields = value as Fields
  const mode: PinMode = stringField(fields, 'mode') === 'direct' ? 'direct' : 'recursive'
  const cid = cidField(fields, 'cid')
  if (cid === undefined) throw new InvalidValueError('cid', 'missing')
  return {
    replicationFactorMin: integerField(fields, 'replication_factor_min', { min: -(2 ** 31), max: 2 ** 31 - 1 }) ?? 0,
    replicationFactorMax: integerField(fields, 'replication_factor_max', { min: -(2 ** 31), max: 2 ** 31 - 1 }) ?? 0,
    name: stringField(fields, 'name') ?? '',
    mode,
    shardSize: integerField(fields, 'shard_size', { min: 0, max: Number.MAX_SAFE_INTEGER }) ?? 0,
    userAllocations: listField(fields, 'user_allocations', parsePeerId),
    expireAt: timeField(fields, 'expire_at'),
    metadata: metadataField(fields),
    pinUpdate: cidField(fields, 'pin_update'),
    origins: listField(fields, 'origins', parseMultiaddr),
    cid,
    type: typeField(fields),
    allocations: listField(fields, 'allocations', parsePeerId),
    maxDepth: integerField(fields, 'max_depth', { min: -1, max: 2 ** 31 - 1 }) ?? depthOf(mode),
    reference: cidField(fields, 'reference'),
    timestamp: timeField(fields, 'timestamp')
  }
}

function stringField (fields: Fields, name: string): string | undefined {
  const value = fields[name] ?? undefined
  if (value !== undefined && typeof value !== 'string') throw new InvalidValueError(name, 'not a string')
  return value
}

function integerField (fields: Fields, name: string, { min, max }: { min: number, max: number }): number | undefined {
  const value = fields[name] ?? undefined
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value)) throw new InvalidValueError(name, 'not an integer')
  if (value < min || value > max) throw new InvalidValueError(name, 'out of range')
  return value
}

function listField<T> (fields: Fields, name: string, parse: (text: string) => T): readonly T[] {
  const value = fields[name] ?? undefined
  if (value === undefined) return nilList
  if (!Array.isArray(value)) throw new InvalidValueError(name, 'not a list')
  return value.map((item: unknown) => {
    if (typeof item !== 'string') throw new InvalidValueError(name, 'not a list of strings')
    return parsed(name, item, parse)
  })
}

function parsed<T> (name: string, text: string, parse: (text: string) => T): T {
  try {
    return parse(text)
  } catch (error) {
    throw new InvalidValueError(name, `${JSON.stringify(text.slice(0, 128))}: ${errorText(error)}`, { cause: error })
  }
}

const parsePeerId = (text: string): PeerId => peerIdFromString(text)
const parseMultiaddr = (text: string): Multiaddr => {
  if (!text.startsWith('/')) throw new Error('multiaddr must begin with /')
  return multiaddr(text)
}

function cidField (fields: Fields, name: string): CID | undefined {
  const text = stringField(fields, name)
  return text === undefined || text === '' ? undefined : parsed(name, text, (source) => CID.parse(source))
}

function typeField (fields: Fields): PinType {
  const text = stringField(fields, 'type')
  if (text === undefined) return 'pin'
  const type = pinTypes.find((known) => known === text)
  if (type === undefined) throw new InvalidValueError('type', `${JSON.stringify(text.slice(0, 64))} is not a pin type`)
  return type
}

function timeField (fields: Fields, name: string): number | undefined {
  const text = stringField(fields, name)
  if (text === undefined) return undefined
  const ms = parseGoTime(text, name)
  return isZeroTime(ms) ? undefined : ms
}

function metadataField (fields: Fields): Readonly<Record<string, string>> {
  const value = fields['metadata'] ?? undefined
  if (value === undefined) return nilMap
  if (typeof value !== 'object' || Array.isArray(value)) throw new InvalidValueError('metadata', 'not an object')
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw new InvalidValueError('metadata', `${JSON.stringify(key.slice(0, 64))} is not a string`)
  }
  return value as Readonly<Record<string, string>>
}
