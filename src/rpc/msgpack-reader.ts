/** Reads msgpack as tolerantly as the Go peers: any width of integer, any kind of string, bounds on everything (wire.md §5.2). */
import { DecodeError } from '../errors.ts'
import { ValueScanner } from './msgpack-scan.ts'

const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true })
const two32 = 2 ** 32
const maxEntries = 1 << 20

const truncated = (): DecodeError => new DecodeError('msgpack: value is cut off')
const unexpected = (tag: number, wanted: string): DecodeError => new DecodeError(`msgpack: 0x${tag.toString(16)} where ${wanted} is expected`)

/** Seconds and nanoseconds since 1970. */
export interface Instant { readonly seconds: number, readonly nanoseconds: number }

/** A cursor over bytes that hold whole values. Throws DecodeError. */
export class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor (bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get remaining (): number { return this.#bytes.length - this.#at }

  /** Takes a nil if that is what comes next. */
  nil (): boolean {
    if (this.#bytes[this.#at] !== 0xc0) return false
    this.#at++
    return true
  }

  skip (): void {
    const end = new ValueScanner().scan(this.#bytes, this.#at)
    if (end === -1) throw truncated()
    this.#at = end
  }

  #take (count: number): number {
    const start = this.#at
    if (count > this.#bytes.length - start) throw truncated()
    this.#at = start + count
    return start
  }

  #tag (): number { return this.#bytes[this.#take(1)] as number }

  /** Any integer; a float counts when it is exactly one. */
  #integer (): number | bigint {
    const tag = this.#tag()
    if (tag <= 0x7f) return tag
    if (tag >= 0xe0) return tag - 256
    switch (tag) {
      case 0xcc: return this.#bytes[this.#take(1)] as number
      case 0xcd: return this.#view.getUint16(this.#take(2))
      case 0xce: return this.#view.getUint32(this.#take(4))
      case 0xcf: return this.#view.getBigUint64(this.#take(8))
      case 0xd0: return this.#view.getInt8(this.#take(1))
      case 0xd1: return this.#view.getInt16(this.#take(2))
      case 0xd2: return this.#view.getInt32(this.#take(4))
      case 0xd3: return this.#view.getBigInt64(this.#take(8))
      case 0xca: return whole(this.#view.getFloat32(this.#take(4)))
      case 0xcb: return whole(this.#view.getFloat64(this.#take(8)))
      default: throw unexpected(tag, 'an integer')
    }
  }

  /** An integer that a number holds exactly. */
  int (): number {
    const value = this.#integer()
    const number = Number(value)
    if (!Number.isSafeInteger(number)) throw new DecodeError(`msgpack: ${value} is out of range`)
    return number
  }

  uint (): number {
    const value = this.int()
    if (value < 0) throw new DecodeError(`msgpack: ${value} where an unsigned integer is expected`)
    return value
  }

  bigInt (): bigint {
    const value = BigInt(this.#integer())
    if (BigInt.asIntN(64, value) !== value) throw new DecodeError(`msgpack: ${value} overflows int64`)
    return value
  }

  bigUint (): bigint {
    const value = BigInt(this.#integer())
    if (value < 0n) throw new DecodeError(`msgpack: ${value} where an unsigned integer is expected`)
    return value
  }

  bool (): boolean {
    const tag = this.#tag()
    if (tag !== 0xc2 && tag !== 0xc3) throw unexpected(tag, 'a boolean')
    return tag === 0xc3
  }

  float (): number {
    const tag = this.#bytes[this.#at]
    if (tag === 0xca) return this.#view.getFloat32(this.#take(5) + 1)
    if (tag === 0xcb) return this.#view.getFloat64(this.#take(9) + 1)
    return Number(this.#integer())
  }

  /** Length of a string or binary whose first byte is `tag`; undefined when it is neither. */
  #rawLength (tag: number): number | undefined {
    if (tag >= 0xa0 && tag <= 0xbf) return tag & 31
    switch (tag) {
      case 0xd9: case 0xc4: return this.#bytes[this.#take(1)] as number
      case 0xda: case 0xc5: return this.#view.getUint16(this.#take(2))
      case 0xdb: case 0xc6: return this.#view.getUint32(this.#take(4))
      default: return undefined
    }
  }

  /** A view of a string's or binary's bytes. */
  bytes (): Uint8Array {
    const tag = this.#tag()
    const length = this.#rawLength(tag)
    if (length === undefined) throw unexpected(tag, 'a string')
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** A text; short ASCII ones take no decoder. */
  str (): string {
    const tag = this.#tag()
    const length = this.#rawLength(tag)
    if (length === undefined) throw unexpected(tag, 'a string')
    const start = this.#take(length)
    if (length > 24) return textDecoder.decode(this.#bytes.subarray(start, start + length))
    let text = ''
    for (let i = start; i < start + length; i++) {
      const byte = this.#bytes[i] as number
      if (byte > 0x7f) return textDecoder.decode(this.#bytes.subarray(start, start + length))
      text += String.fromCharCode(byte)
    }
    return text
  }

  /** A time: 4, 8 or 12 bytes in a string, a binary or the timestamp extension. */
  time (): Instant {
    const tag = this.#tag()
    const length = this.#timestampLength(tag) ?? this.#rawLength(tag)
    if (length !== 4 && length !== 8 && length !== 12) throw unexpected(tag, 'a time')
    const at = this.#take(length)
    if (length === 4) return { seconds: this.#view.getUint32(at), nanoseconds: 0 }
    const high = this.#view.getUint32(at)
    if (length === 8) return { seconds: (high & 3) * two32 + this.#view.getUint32(at + 4), nanoseconds: high >>> 2 }
    return { seconds: Number(this.#view.getBigInt64(at + 4)), nanoseconds: high }
  }

  #timestampLength (tag: number): number | undefined {
    const length = tag === 0xd6 ? 4 : tag === 0xd7 ? 8 : tag === 0xc7 ? this.#bytes[this.#take(1)] : undefined
    if (length !== undefined && this.#view.getInt8(this.#take(1)) !== -1) throw new DecodeError('msgpack: unknown extension')
    return length
  }

  /** Entries of a list; never more than there are bytes for. */
  arrayHeader (): number {
    const tag = this.#tag()
    if (tag >= 0x90 && tag <= 0x9f) return this.#count(tag & 15)
    if (tag === 0xdc) return this.#count(this.#view.getUint16(this.#take(2)))
    if (tag === 0xdd) return this.#count(this.#view.getUint32(this.#take(4)))
    throw unexpected(tag, 'a list')
  }

  /** Entries of a map. An empty list counts as an empty map, as in Go. */
  mapHeader (): number {
    const tag = this.#tag()
    if (tag >= 0x80 && tag <= 0x8f) return this.#count(tag & 15)
    if (tag === 0xde) return this.#count(this.#view.getUint16(this.#take(2)))
    if (tag === 0xdf) return this.#count(this.#view.getUint32(this.#take(4)))
    if (tag === 0x90) return 0
    throw unexpected(tag, 'a map')
  }

  #count (count: number): number {
    if (count > this.remaining) throw truncated()
    if (count > maxEntries) throw new DecodeError(`msgpack: ${count} entries`)
    return count
  }
}

function whole (value: number): number {
  if (!Number.isSafeInteger(value)) throw new DecodeError(`msgpack: ${value} where an integer is expected`)
  return value
}
