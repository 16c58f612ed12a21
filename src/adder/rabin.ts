/** Rabin chunking as Go's whyrusleeping/chunker cuts; rabin-wasm, which ipfs-unixfs-importer brings, cuts elsewhere. */
import { concat } from '../bytes.ts'
import type { Chunker } from 'ipfs-unixfs-importer/chunker'

const polynomial = 17437180132763653n
const degree = 53
const windowSize = 16

/** Bytes. */
export interface RabinSizes { readonly min: number, readonly average: number, readonly max: number }

/** Remainder of a polynomial over GF(2). */
function remainder (value: bigint): bigint {
  let rest = value
  for (let bits = rest.toString(2).length - 1; rest !== 0n && bits >= degree; bits = rest.toString(2).length - 1) rest ^= polynomial << BigInt(bits - degree)
  return rest
}

/** 64-bit values in two halves: the digest has up to 61 bits. */
interface Table { readonly high: Uint32Array, readonly low: Uint32Array }

function tableOf (valueFor: (byte: bigint) => bigint): Table {
  const values = Array.from({ length: 256 }, (_, byte) => valueFor(BigInt(byte)))
  return { high: Uint32Array.from(values, (value) => Number(value >> 32n)), low: Uint32Array.from(values, (value) => Number(value & 0xffffffffn)) }
}

/** Takes the oldest byte of the window out of the digest. */
const outgoing = (): Table => tableOf((byte) => {
  let hash = byte
  for (let zeros = 1; zeros < windowSize; zeros++) hash = remainder(hash << 8n)
  return hash
})

/** Brings a shifted digest back below the polynomial. */
const reducing = (): Table => tableOf((byte) => remainder(byte << BigInt(degree)) | (byte << BigInt(degree)))

let tables: { readonly out: Table, readonly mod: Table } | undefined

/** Finds where chunks end; keeps its state from one piece of input to the next. */
class Rabin {
  readonly #sizes: RabinSizes
  readonly #mask: number
  readonly #window = new Uint8Array(windowSize)
  readonly #out: Table
  readonly #mod: Table
  #position = 0
  #high = 0
  #low = 0
  #count = 0

  constructor (sizes: RabinSizes) {
    this.#sizes = sizes
    this.#mask = 2 ** Math.floor(Math.log2(sizes.average)) - 1
    tables ??= { out: outgoing(), mod: reducing() }
    this.#out = tables.out
    this.#mod = tables.mod
    this.#reset()
  }

  #reset (): void {
    this.#window.fill(0)
    this.#position = 0
    this.#high = 0
    this.#low = 0
    this.#count = 0
    this.#slide(1)
  }

  #slide (byte: number): void {
    const old = this.#window[this.#position] ?? 0
    this.#window[this.#position] = byte
    this.#position = (this.#position + 1) % windowSize
    const high = this.#high ^ (this.#out.high[old] ?? 0)
    const low = this.#low ^ (this.#out.low[old] ?? 0)
    const index = high >>> (degree - 8 - 32)
    this.#high = ((high << 8) | (low >>> 24)) ^ (this.#mod.high[index] ?? 0)
    this.#low = ((low << 8) | byte) ^ (this.#mod.low[index] ?? 0)
  }

  /** Offset behind the end of the chunk; undefined where it goes on. Bytes before the smallest size do not count. */
  end (bytes: Uint8Array, from: number): number | undefined {
    const skipped = Math.min(Math.max(this.#sizes.min - windowSize - this.#count, 0), bytes.length - from)
    this.#count += skipped
    for (let index = from + skipped; index < bytes.length; index++) {
      this.#slide(bytes[index] ?? 0)
      this.#count++
      if (this.#count < this.#sizes.min || ((this.#low & this.#mask) !== 0 && this.#count < this.#sizes.max)) continue
      this.#reset()
      return index + 1
    }
    return undefined
  }
}

/** An empty file is one empty chunk. */
export const rabin = (sizes: RabinSizes): Chunker => async function * (source) {
  const state = new Rabin(sizes)
  let parts: Uint8Array[] = []
  let chunks = 0
  for await (const bytes of source) {
    let from = 0
    for (let end = state.end(bytes, from); end !== undefined; end = state.end(bytes, from)) {
      chunks++
      yield concat([...parts, bytes.subarray(from, end)])
      parts = []
      from = end
    }
    if (from < bytes.length) parts.push(bytes.slice(from))
  }
  if (parts.length > 0 || chunks === 0) yield concat(parts)
}
