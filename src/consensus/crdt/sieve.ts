/** Spares look-ups in the store of what is surely not there: most of a first sync. */
import type { Layout } from './layout.ts'
import type { Store } from '../../store/store.ts'
import { prefixRange } from '../../store/store.ts'
import { blockOrder, placeId } from './block-order.ts'

/** Bits for each name: about one look-up in two thousand is made in vain. */
const bitsPerName = 16
const hashes = 4
/** Four MiB; beyond, more look-ups are made in vain. */
const maxBits = 2 ** 25

/** A Bloom filter of the records and blocks in the store. */
export class Sieve {
  readonly #layout: Layout
  readonly #bits: Uint32Array
  readonly #mask: number
  #first = 0
  #step = 0

  private constructor (layout: Layout, names: number) {
    const bits = Math.min(maxBits, 2 ** Math.ceil(Math.log2(Math.max(1024, names * bitsPerName))))
    this.#layout = layout
    this.#bits = new Uint32Array(bits / 32)
    this.#mask = bits - 1
  }

  /** Of what is in the store now, with room for `more` names; nothing may be written until it resolves. */
  static async of (store: Store, layout: Layout, has: number, more: number): Promise<Sieve> {
    const sieve = new Sieve(layout, 2 * (has + more))
    for await (const keys of store.keys(prefixRange(layout.records))) for (const key of keys) sieve.add(key)
    for await (const places of blockOrder(store, layout)) for (const place of places) sieve.add(layout.block(placeId(place)))
    return sieve
  }

  add (key: string): void {
    if (!this.#covers(key)) return
    this.#hash(key)
    for (let index = 0; index < hashes; index++) {
      const bit = (this.#first + Math.imul(index, this.#step)) & this.#mask
      this.#bits[bit >>> 5] = (this.#bits[bit >>> 5] ?? 0) | (1 << (bit & 31))
    }
  }

  /** False: this key is not in the store. */
  mayHave (key: string): boolean {
    if (!this.#covers(key)) return true
    this.#hash(key)
    for (let index = 0; index < hashes; index++) {
      const bit = (this.#first + Math.imul(index, this.#step)) & this.#mask
      if (((this.#bits[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return false
    }
    return true
  }

  /** The store, asked only for what it may have. */
  reading (store: Store): Pick<Store, 'getMany' | 'hasMany' | 'entries'> {
    return {
      getMany: async (keys, options) => await this.#sift(keys, undefined, async (asked) => await store.getMany(asked, options)),
      hasMany: async (keys, options) => await this.#sift(keys, false, async (asked) => await store.hasMany(asked, options)),
      entries: (range) => store.entries(range)
    }
  }

  async #sift<T> (keys: readonly string[], absent: T, read: (keys: readonly string[]) => Promise<readonly T[]>): Promise<readonly T[]> {
    const may = keys.map((key) => this.mayHave(key))
    const asked = keys.filter((_, index) => may[index])
    const found = asked.length === 0 ? [] : await read(asked)
    let next = 0
    return may.map((here) => here ? found[next++] as T : absent)
  }

  #covers (key: string): boolean { return key.startsWith(this.#layout.records) || key.startsWith(this.#layout.blocks) }

  /** Two hashes of the key, from which its bits follow. */
  #hash (key: string): void {
    let [one, other] = [0x811c9dc5, 0x9e3779b9]
    for (let index = 0; index < key.length; index++) {
      const code = key.charCodeAt(index)
      one = Math.imul(one ^ code, 0x01000193)
      other = Math.imul(other + code, 0x85ebca6b) ^ (other >>> 13)
    }
    this.#first = one
    this.#step = other | 1
  }
}
