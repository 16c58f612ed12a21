/** XSalsa20 as one endless stream, which is how libp2p's private network uses it (wire.md §1.1). */
import { hsalsa, xsalsa20 } from '@noble/ciphers/salsa.js'

const blockSize = 64
/** The library counts blocks in 32 bits (256 GiB); what lies beyond is computed here. */
const libraryBlocks = 2 ** 32 - 1

/** XORs consecutive pieces with consecutive keystream. */
export class KeyStream {
  readonly #key: Uint8Array
  readonly #nonce: Uint8Array
  /** Bytes of keystream already used. */
  #position: number

  constructor (key: Uint8Array, nonce: Uint8Array, position = 0) {
    this.#key = key
    this.#nonce = nonce
    this.#position = position
  }

  /** A new array of the same length. */
  xor (bytes: Uint8Array): Uint8Array {
    const skip = this.#position % blockSize
    const block = Math.floor(this.#position / blockSize)
    this.#position += bytes.byteLength
    let input = bytes
    if (skip > 0) {
      input = new Uint8Array(skip + bytes.byteLength)
      input.set(bytes, skip)
    }
    const output = block + Math.ceil(input.byteLength / blockSize) < libraryBlocks
      ? xsalsa20(this.#key, this.#nonce, input, undefined, block)
      : xorFar(this.#key, this.#nonce, input, block)
    return skip > 0 ? output.subarray(skip) : output
  }
}

const sigma = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574)

const words = (bytes: Uint8Array): Uint32Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Uint32Array.from({ length: bytes.byteLength / 4 }, (_, index) => view.getUint32(index * 4, true))
}

/** The same cipher with a 64-bit block counter. */
export function xorFar (key: Uint8Array, nonce: Uint8Array, bytes: Uint8Array, firstBlock: number): Uint8Array {
  const subkey = new Uint32Array(8)
  hsalsa(sigma, words(key), words(nonce.subarray(0, 16)), subkey)
  const rest = words(nonce.subarray(16))
  const output = new Uint8Array(bytes.byteLength)
  for (let start = 0; start < bytes.byteLength; start += blockSize) {
    const block = firstBlock + start / blockSize
    const keystream = salsaBlock(subkey, rest, block % 2 ** 32, Math.floor(block / 2 ** 32))
    const end = Math.min(start + blockSize, bytes.byteLength)
    for (let index = start; index < end; index++) output[index] = (bytes[index] ?? 0) ^ (keystream[index - start] ?? 0)
  }
  return output
}

/** Quarter rounds of one double round: columns, then rows. */
const quarters: ReadonlyArray<readonly [number, number, number, number]> = [
  [0, 4, 8, 12], [5, 9, 13, 1], [10, 14, 2, 6], [15, 3, 7, 11],
  [0, 1, 2, 3], [5, 6, 7, 4], [10, 11, 8, 9], [15, 12, 13, 14]
]

function salsaBlock (key: Uint32Array, nonce: Uint32Array, counterLow: number, counterHigh: number): Uint8Array {
  const at = (list: Uint32Array, index: number): number => list[index] ?? 0
  const start = Uint32Array.of(
    at(sigma, 0), at(key, 0), at(key, 1), at(key, 2), at(key, 3), at(sigma, 1), at(nonce, 0), at(nonce, 1),
    counterLow, counterHigh, at(sigma, 2), at(key, 4), at(key, 5), at(key, 6), at(key, 7), at(sigma, 3))
  const state = start.slice()
  const mix = (target: number, one: number, other: number, bits: number): void => {
    const sum = (at(state, one) + at(state, other)) | 0
    state[target] = at(state, target) ^ ((sum << bits) | (sum >>> (32 - bits)))
  }
  for (let round = 0; round < 10; round++) {
    for (const [a, b, c, d] of quarters) {
      mix(b, a, d, 7)
      mix(c, b, a, 9)
      mix(d, c, b, 13)
      mix(a, d, c, 18)
    }
  }
  const output = new DataView(new ArrayBuffer(blockSize))
  for (const [index, word] of state.entries()) output.setUint32(index * 4, (word + at(start, index)) | 0, true)
  return new Uint8Array(output.buffer)
}
