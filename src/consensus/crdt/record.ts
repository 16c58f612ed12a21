/** Stored form of a key in the set, the line that listings print included. */
import type { LiveElement, Winner } from '../../crdt/set.ts'
import type { PinType } from '../../pin/pin.ts'
import { varint } from 'multiformats'
import { concat } from '../../bytes.ts'
import { DecodeError } from '../../errors.ts'
import { pinTypes } from '../../pin/pin.ts'

/** What a listing needs; a value that is no pin has none and is not listed. */
export interface Listed {
  readonly type: PinType
  /** The REST line, without its end. */
  readonly line: Uint8Array
}

export interface KeyRecord {
  readonly winner: Winner
  /** Number of live elements that did not win. */
  readonly others: number
  readonly listed: Listed | undefined
}

/** flags, type, and the offset of the line in four bytes */
const headerLength = 6
const hasLine = 1
const hasGreatest = 2

const varintBytes = (value: number): Uint8Array => varint.encodeTo(value, new Uint8Array(varint.encodingLength(value)))

export function encodeRecord ({ winner, others, listed }: KeyRecord): Uint8Array {
  const header = new Uint8Array(headerLength)
  const id = new TextEncoder().encode(winner.id)
  const parts = [header, varintBytes(winner.priority), varintBytes(others), varintBytes(id.length), id, varintBytes(winner.value.length), winner.value]
  if (winner.greatest !== undefined) parts.push(varintBytes(winner.greatest.length), winner.greatest)
  header[0] = (listed === undefined ? 0 : hasLine) | (winner.greatest === undefined ? 0 : hasGreatest)
  header[1] = listed === undefined ? 0 : pinTypes.indexOf(listed.type)
  new DataView(header.buffer).setUint32(2, parts.reduce((sum, part) => sum + part.length, 0))
  if (listed !== undefined) parts.push(listed.line)
  return concat(parts)
}

/** The line of a record whose type is among `types` (flags of pinTypeFlag), without decoding the rest. */
export function lineOf (record: Uint8Array, types: number): Uint8Array | undefined {
  const flags = record[0] ?? 0
  if ((flags & hasLine) === 0 || ((1 << (record[1] ?? 0)) & types) === 0) return undefined
  return record.length < headerLength ? record.subarray(0, 0) : record.subarray(new DataView(record.buffer, record.byteOffset).getUint32(2))
}

/** False: these are no bytes of a line, but of a damaged record. */
export const isLine = (line: Uint8Array): boolean => line[0] === 0x7b && line[line.length - 1] === 0x7d

/** Reads a record; values are copies. Throws DecodeError when the store's bytes are no record. */
export function decodeRecord (record: Uint8Array): KeyRecord {
  const reader = new Reader(record, headerLength)
  const flags = record[0] ?? 0
  const priority = reader.number()
  const others = reader.number()
  const id = new TextDecoder().decode(reader.bytes())
  const value = reader.bytes()
  const greatest = (flags & hasGreatest) === 0 ? undefined : reader.bytes()
  const type = pinTypes[record[1] ?? 0]
  if (record.length < headerLength || new DataView(record.buffer, record.byteOffset).getUint32(2) !== reader.at) throw new DecodeError('the store holds a damaged record')
  const line = lineOf(record, -1)
  return { winner: greatest === undefined ? { id, priority, value } : { id, priority, value, greatest }, others, listed: line === undefined || type === undefined ? undefined : { type, line } }
}

/** The record; undefined when the bytes are none. */
export function readRecord (record: Uint8Array): KeyRecord | undefined {
  try { return decodeRecord(record) } catch { return undefined }
}

export const encodeElement = ({ priority, value }: LiveElement): Uint8Array => concat([varintBytes(priority), value])

export function decodeElement (id: string, bytes: Uint8Array): LiveElement {
  const reader = new Reader(bytes, 0)
  return { id, priority: reader.number(), value: reader.rest() }
}

class Reader {
  readonly #bytes: Uint8Array
  #at: number

  constructor (bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  get at (): number { return this.#at }

  number (): number {
    try {
      const [value, length] = varint.decode(this.#bytes, this.#at)
      this.#at += length
      return value
    } catch (error) {
      throw new DecodeError('the store holds a damaged record', { cause: error })
    }
  }

  bytes (): Uint8Array {
    const length = this.number()
    if (this.#at + length > this.#bytes.length) throw new DecodeError('the store holds a damaged record')
    return this.#bytes.slice(this.#at, this.#at += length)
  }

  rest (): Uint8Array { return this.#bytes.slice(this.#at) }
}
