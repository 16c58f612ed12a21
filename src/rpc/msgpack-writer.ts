/** Writes msgpack as the Go peers do: old-spec raw strings, signed widths for signed integers (wire.md §5.2). */

const textEncoder = new TextEncoder()
const keptBytes = 64 * 1024
const two32 = 2 ** 32

/** Grows a buffer; `take` ends one message and makes room for the next. */
export class Writer {
  #bytes = new Uint8Array(keptBytes)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  /** Drops what a failed write left behind. */
  reset (): void { this.#length = 0 }

  /** The bytes written since the last `take`. */
  take (): Uint8Array {
    const length = this.#length
    this.#length = 0
    if (length <= keptBytes) return this.#bytes.slice(0, length)
    const taken = this.#bytes.subarray(0, length)
    this.#bytes = new Uint8Array(keptBytes)
    this.#view = new DataView(this.#bytes.buffer)
    return taken
  }

  get length (): number { return this.#length }

  /** Makes room for `count` more bytes and returns where they start. */
  #grow (count: number): number {
    const start = this.#length
    this.#length += count
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2))
      larger.set(this.#bytes.subarray(0, start))
      this.#bytes = larger
      this.#view = new DataView(larger.buffer)
    }
    return start
  }

  byte (value: number): void {
    const at = this.#grow(1)
    this.#bytes[at] = value
  }

  raw (bytes: Uint8Array): void {
    const at = this.#grow(bytes.length)
    this.#bytes.set(bytes, at)
  }

  nil (): void { this.byte(0xc0) }

  #tagged (tag: number, size: 1 | 2 | 4, value: number): void {
    const at = this.#grow(1 + size)
    this.#bytes[at] = tag
    if (size === 1) this.#bytes[at + 1] = value
    else if (size === 2) this.#view.setUint16(at + 1, value)
    else this.#view.setUint32(at + 1, value)
  }

  #wide (tag: number, value: bigint): void {
    const at = this.#grow(9)
    this.#bytes[at] = tag
    this.#view.setBigInt64(at + 1, value)
  }

  /** A signed integer (int64). */
  int (value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not an integer`)
    if (value >= -32 && value <= 127) this.byte(value & 0xff)
    else if (value >= -128 && value <= 127) this.#tagged(0xd0, 1, value & 0xff)
    else if (value >= -32_768 && value <= 32_767) this.#tagged(0xd1, 2, value & 0xffff)
    else if (value >= -2_147_483_648 && value <= 2_147_483_647) this.#tagged(0xd2, 4, value >>> 0)
    else this.#wide(0xd3, BigInt(value))
  }

  bigInt (value: bigint): void {
    if (value >= -2_147_483_648n && value <= 2_147_483_647n) this.int(Number(value))
    else if (BigInt.asIntN(64, value) === value) this.#wide(0xd3, value)
    else throw new RangeError(`${value} is not an int64`)
  }

  /** An unsigned integer (uint64). */
  uint (value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not an unsigned integer`)
    if (value <= 127) this.byte(value)
    else if (value <= 0xff) this.#tagged(0xcc, 1, value)
    else if (value <= 0xffff) this.#tagged(0xcd, 2, value)
    else if (value < two32) this.#tagged(0xce, 4, value)
    else this.#wide(0xcf, BigInt(value))
  }

  bigUint (value: bigint): void {
    if (value >= 0n && value < 0x1_0000_0000n) this.uint(Number(value))
    else if (BigInt.asUintN(64, value) === value) this.#wide(0xcf, value)
    else throw new RangeError(`${value} is not a uint64`)
  }

  bool (value: boolean): void { this.byte(value ? 0xc3 : 0xc2) }

  float (value: number): void {
    const at = this.#grow(9)
    this.#bytes[at] = 0xcb
    this.#view.setFloat64(at + 1, value)
  }

  #rawHeader (length: number): void {
    if (length < 32) this.byte(0xa0 | length)
    else if (length < 0x1_0000) this.#tagged(0xda, 2, length)
    else this.#tagged(0xdb, 4, length)
  }

  /** Bytes as the old-spec raw string that Go uses for everything binary. */
  bytes (value: Uint8Array): void {
    this.#rawHeader(value.length)
    this.raw(value)
  }

  /** A text; short ASCII ones take no encoder. */
  str (value: string): void {
    if (value.length < 32 && this.#ascii(value)) return
    this.bytes(textEncoder.encode(value))
  }

  #ascii (value: string): boolean {
    const start = this.#grow(1 + value.length)
    this.#bytes[start] = 0xa0 | value.length
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) {
        this.#length = start
        return false
      }
      this.#bytes[start + 1 + i] = code
    }
    return true
  }

  arrayHeader (count: number): void {
    if (count < 16) this.byte(0x90 | count)
    else if (count < 0x1_0000) this.#tagged(0xdc, 2, count)
    else this.#tagged(0xdd, 4, count)
  }

  mapHeader (count: number): void {
    if (count < 16) this.byte(0x80 | count)
    else if (count < 0x1_0000) this.#tagged(0xde, 2, count)
    else this.#tagged(0xdf, 4, count)
  }

  /** Time since 1970 as Go writes it: 4, 8 or 12 bytes in a raw string. */
  time (seconds: number, nanoseconds: number): void {
    if (seconds >= 0 && seconds < two32 && nanoseconds === 0) {
      this.#tagged(0xa4, 4, seconds)
    } else if (seconds >= 0 && seconds < 2 ** 34) {
      const at = this.#grow(9)
      this.#bytes[at] = 0xa8
      this.#view.setUint32(at + 1, nanoseconds * 4 + Math.floor(seconds / two32))
      this.#view.setUint32(at + 5, seconds % two32)
    } else {
      this.#tagged(0xac, 4, nanoseconds)
      const at = this.#grow(8)
      this.#view.setBigInt64(at, BigInt(seconds))
    }
  }
}
