/** Finds where a msgpack value ends without decoding it; may stop in the middle and go on with the next chunk. */
import { DecodeError } from '../errors.ts'

const lengthSizes: Readonly<Record<number, 1 | 2 | 4>> = { 0xc4: 1, 0xc5: 2, 0xc6: 4, 0xc7: 1, 0xc8: 2, 0xc9: 4, 0xd9: 1, 0xda: 2, 0xdb: 4, 0xdc: 2, 0xdd: 4, 0xde: 2, 0xdf: 4 }
const fixedSizes: Readonly<Record<number, number>> = { 0xca: 4, 0xcb: 8, 0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8, 0xd0: 1, 0xd1: 2, 0xd2: 4, 0xd3: 8, 0xd4: 2, 0xd5: 3, 0xd6: 5, 0xd7: 9, 0xd8: 17 }

/** By first byte: payload of known size. */
const payload = new Uint8Array(256)
/** By first byte: how many bytes of length follow. */
const lengths = new Uint8Array(256)
for (let tag = 0; tag < 256; tag++) {
  if (tag >= 0xa0 && tag <= 0xbf) payload[tag] = tag & 31
  const fixed = fixedSizes[tag]
  if (fixed !== undefined) payload[tag] = fixed
  lengths[tag] = lengthSizes[tag] ?? 0
}

/** Scans one value. Every byte is looked at once, payloads are jumped over. */
export class ValueScanner {
  /** Values still to come: one, and those inside it. */
  #values = 1
  /** Bytes of the current payload still to come. */
  #skip = 0
  #tag = 0
  #lengthBytes = 0
  #length = 0

  /** Least number of bytes still missing. */
  get owed (): number { return this.#values + this.#skip + this.#lengthBytes }

  /** Index after the value's last byte, or -1 when it goes on in the next chunk. Throws DecodeError. */
  scan (bytes: Uint8Array, start: number): number {
    let at = start
    while (at < bytes.length) {
      if (this.#skip > 0) {
        const jump = Math.min(this.#skip, bytes.length - at)
        this.#skip -= jump
        at += jump
      } else if (this.#lengthBytes > 0) {
        this.#length = this.#length * 256 + (bytes[at++] as number)
        if (--this.#lengthBytes === 0) this.#sized()
      } else if (this.#values > 0) {
        this.#begin(bytes[at++] as number)
      }
      if (this.#values === 0 && this.#skip === 0 && this.#lengthBytes === 0) return at
    }
    return -1
  }

  #begin (tag: number): void {
    this.#values--
    if (tag >= 0x80 && tag <= 0x8f) this.#values += 2 * (tag & 15)
    else if (tag >= 0x90 && tag <= 0x9f) this.#values += tag & 15
    else if (tag === 0xc1) throw new DecodeError('msgpack: 0xc1 is not a value')
    else {
      this.#skip = payload[tag] as number
      this.#lengthBytes = lengths[tag] as number
      this.#length = 0
      this.#tag = tag
    }
  }

  #sized (): void {
    if (this.#tag >= 0xde) this.#values += 2 * this.#length
    else if (this.#tag >= 0xdc) this.#values += this.#length
    else this.#skip = this.#tag >= 0xc7 && this.#tag <= 0xc9 ? this.#length + 1 : this.#length
  }
}
