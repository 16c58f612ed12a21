/** Schemas: how each type of value is written and read as msgpack, as Go's codec does it (wire.md §5.2). */
import { CID } from 'multiformats/cid'
import { errorText } from '../component.ts'
import { DecodeError } from '../errors.ts'
import { maxTime, zeroTime } from '../pin/go-time.ts'
import { nilList, nilMap } from '../pin/nil.ts'
import { multiaddrFromBytes, peerIdFromBytes, peerIdToBytes } from '../pin/peer-ids.ts'
import { Reader } from './msgpack-reader.ts'
import { Writer } from './msgpack-writer.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

/** One type on the wire. */
export interface Schema<T> {
  readonly write: (writer: Writer, value: T) => void
  readonly read: (reader: Reader) => T
  /** What nil or an absent field reads as; without it the value is required. */
  readonly zero?: { readonly value: T }
  /** Go's zero value: left out where a struct says omitempty. */
  readonly isZero: (value: T) => boolean
}

const never = (): boolean => false
const writer = new Writer()

/** Bytes of one value. */
export function encode<T> (schema: Schema<T>, value: T): Uint8Array {
  writer.reset()
  schema.write(writer, value)
  return writer.take()
}

/** `prefix` and then the value: a header and its body in one piece. */
export function encodeAfter<T> (prefix: Uint8Array, schema: Schema<T>, value: T): Uint8Array {
  writer.reset()
  writer.raw(prefix)
  schema.write(writer, value)
  return writer.take()
}

/** The one value these bytes hold. Throws DecodeError, also when bytes are left over. */
export function decode<T> (schema: Schema<T>, bytes: Uint8Array): T {
  const reader = new Reader(bytes)
  const value = schema.read(reader)
  if (reader.remaining > 0) throw new DecodeError(`msgpack: ${reader.remaining} bytes after the value`)
  return value
}

function simple<T> (zero: T, write: (writer: Writer, value: T) => void, read: (reader: Reader) => T): Schema<T> {
  return { zero: { value: zero }, write, read: (reader) => reader.nil() ? zero : read(reader), isZero: (value) => value === zero }
}

const noBytes = new Uint8Array(0)

export const str = simple('', (to, value: string) => { to.str(value) }, (from) => from.str())
/** Signed integer that a number holds exactly. */
export const int = simple(0, (to, value: number) => { to.int(value) }, (from) => from.int())
export const uint = simple(0, (to, value: number) => { to.uint(value) }, (from) => from.uint())
export const int64 = simple(0n, (to, value: bigint) => { to.bigInt(value) }, (from) => from.bigInt())
export const uint64 = simple(0n, (to, value: bigint) => { to.bigUint(value) }, (from) => from.bigUint())
export const bool = simple(false, (to, value: boolean) => { to.bool(value) }, (from) => from.bool())
export const float64 = simple(0, (to, value: number) => { to.float(value) }, (from) => from.float())
/** Bytes; what is read is a view of the message. */
export const bytes: Schema<Uint8Array> = { zero: { value: noBytes }, write: (to, value) => { to.bytes(value) }, read: (from) => from.nil() ? noBytes : from.bytes(), isZero: (value) => value.length === 0 }

/** Unix ms; Go's zero time is `zeroTime`. Parts of a ms are written but not read. */
export const time: Schema<number> = {
  zero: { value: zeroTime },
  isZero: (value) => value === zeroTime,
  write: (to, value) => {
    const seconds = Math.floor(value / 1000)
    if (value === zeroTime) to.nil()
    else to.time(seconds, Math.round((value - seconds * 1000) * 1e6))
  },
  read: (from) => {
    if (from.nil()) return zeroTime
    const { seconds, nanoseconds } = from.time()
    if (nanoseconds > 999_999_999 || seconds * 1000 < zeroTime || seconds * 1000 > maxTime) throw new DecodeError('msgpack: time out of range')
    return seconds * 1000 + Math.floor(nanoseconds / 1e6)
  }
}

export const cid: Schema<CID> = {
  isZero: never,
  write: (to, value) => { to.bytes(value.bytes) },
  read: (from) => {
    // A copy: a CID outlives the message it came in.
    const binary = from.bytes().slice()
    try { return CID.decode(binary) } catch (error) { throw new DecodeError(`msgpack: invalid CID: ${errorText(error)}`, { cause: error }) }
  }
}
export const peerId: Schema<PeerId> = { isZero: never, write: (to, value) => { to.bytes(peerIdToBytes(value)) }, read: (from) => peerIdFromBytes(from.bytes()) }
export const multiaddr: Schema<Multiaddr> = { isZero: never, write: (to, value) => { to.bytes(value.bytes) }, read: (from) => multiaddrFromBytes(from.bytes()) }

/** A value that may be unset: nil, or left out. */
export const optional = <T>(schema: Schema<T>): Schema<T | undefined> => ({
  zero: { value: undefined },
  isZero: (value) => value === undefined || schema.isZero(value),
  write: (to, value) => { if (value === undefined) to.nil(); else schema.write(to, value) },
  read: (from) => from.nil() ? undefined : schema.read(from)
})

/** The same bytes, another value in TypeScript. */
export const mapped = <Wire, T>(schema: Schema<Wire>, fromWire: (value: Wire) => T, toWire: (value: T) => Wire): Schema<T> => ({
  ...(schema.zero === undefined ? {} : { zero: { value: fromWire(schema.zero.value) } }),
  isZero: (value) => schema.isZero(toWire(value)),
  write: (to, value) => { schema.write(to, toWire(value)) },
  read: (from) => fromWire(schema.read(from))
})

export const optionalTime: Schema<number | undefined> = mapped(time, (value) => value === zeroTime ? undefined : value, (value) => value ?? zeroTime)

/** A list; `nilList` is Go's nil. */
export const list = <T>(schema: Schema<T>, max = 65_536): Schema<readonly T[]> => ({
  zero: { value: nilList },
  isZero: (value) => value === nilList,
  write: (to, value) => {
    if (value === nilList) { to.nil(); return }
    to.arrayHeader(value.length)
    for (const item of value) schema.write(to, item)
  },
  read: (from) => {
    if (from.nil()) return nilList
    const count = from.arrayHeader()
    if (count > max) throw new DecodeError(`msgpack: list of ${count} entries`)
    const items: T[] = []
    for (let i = 0; i < count; i++) items.push(schema.read(from))
    return items
  }
})

function readEntries<T> (from: Reader, schema: Schema<T>, add: (key: string, value: T) => void): void {
  for (let left = from.mapHeader(); left > 0; left--) add(from.str(), schema.read(from))
}

/** A map with text keys; empty is Go's nil. */
export const map = <T>(schema: Schema<T>): Schema<ReadonlyMap<string, T>> => ({
  zero: { value: new Map() },
  isZero: (value) => value.size === 0,
  write: (to, value) => {
    to.mapHeader(value.size)
    for (const [key, item] of value) { to.str(key); schema.write(to, item) }
  },
  read: (from) => {
    const entries = new Map<string, T>()
    if (!from.nil()) readEntries(from, schema, (key, value) => entries.set(key, value))
    return entries
  }
})

/** Texts by text; `nilMap` is Go's nil. */
export const metadata: Schema<Readonly<Record<string, string>>> = {
  zero: { value: nilMap },
  isZero: (value) => value === nilMap,
  write: (to, value) => {
    const keys = Object.keys(value)
    to.mapHeader(keys.length)
    for (const key of keys) { to.str(key); to.str(value[key] ?? '') }
  },
  read: (from) => {
    if (from.nil()) return nilMap
    const entries: Array<[string, string]> = []
    readEntries(from, str, (key, value) => entries.push([key, value]))
    return Object.fromEntries(entries)
  }
}

/** `struct{}`: reads nil, an empty map or an empty list, and skips fields it does not know. */
export const empty: Schema<Record<string, never>> = { zero: { value: {} }, isZero: () => true, write: (to) => { to.mapHeader(0) }, read: (from) => { from.skip(); return {} } }

/** Key on the wire, type, and whether a zero value is written all the same. */
export type Field<T> = readonly [key: string, schema: Schema<T>, rule?: 'always']
/** A field for each property, in wire order. */
export type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> }

interface StructField { readonly name: string, readonly key: string, readonly keyBytes: Uint8Array, readonly schema: Schema<unknown>, readonly always: boolean }

/** A Go struct: a map by field key that leaves zero values out. Unknown keys are skipped. */
export function struct<T extends object> (title: string, fields: Fields<T>): Schema<T> {
  const all: readonly StructField[] = Object.entries<Field<unknown>>(fields as Record<string, Field<unknown>>).map(([name, [key, schema, rule]]) => ({ name, key, keyBytes: encode(str, key), schema, always: rule === 'always' }))
  const byKey = new Map(all.map((field) => [field.key, field]))
  const required = all.filter(({ schema }) => schema.zero === undefined)
  const zero = Object.fromEntries(all.map(({ name, schema }) => [name, schema.zero?.value]))
  return {
    ...(required.length > 0 ? {} : { zero: { value: zero as T } }),
    isZero: (value) => all.every(({ name, schema }) => schema.isZero((value as Record<string, unknown>)[name])),
    write: (to, value) => {
      const values = value as Record<string, unknown>
      const present = all.filter(({ name, schema, always }) => always || !schema.isZero(values[name]))
      to.mapHeader(present.length)
      for (const { keyBytes, name, schema } of present) {
        to.raw(keyBytes)
        schema.write(to, values[name])
      }
    },
    read: (from) => {
      const values: Record<string, unknown> = { ...zero }
      for (let left = from.nil() ? 0 : from.mapHeader(); left > 0; left--) {
        const field = byKey.get(from.str())
        if (field === undefined) from.skip()
        else if (field.schema.zero === undefined && from.nil()) values[field.name] = undefined
        else values[field.name] = field.schema.read(from)
      }
      for (const { name, key } of required) if (values[name] === undefined) throw new DecodeError(`msgpack: ${title} without ${key} (${name})`)
      return values as T
    }
  }
}
