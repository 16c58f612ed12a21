/** A store in memory: for tests, simulations and peers that keep nothing. */
import type { BatchOptions, Store, StoreOperation, StoreRange } from './store.ts'
import type { AbortOptions } from '../component.ts'
import { StoreError } from './errors.ts'

type Entry = readonly [key: string, value: Uint8Array]

/** Items in one chunk of a range read. */
const chunkSize = 1000

/** Sorted lazily: writes collect in a map and are merged into a new sorted array by the next range read, so old arrays are free snapshots. */
export class MemoryStore implements Store {
  readonly #values = new Map<string, Uint8Array>()
  readonly #unsorted = new Set<string>()
  #sorted: readonly Entry[] = []
  #closed = false

  async get (key: string, options?: AbortOptions): Promise<Uint8Array | undefined> {
    this.#check(options)
    return this.#values.get(key)
  }

  async getMany (keys: readonly string[], options?: AbortOptions): Promise<ReadonlyArray<Uint8Array | undefined>> {
    this.#check(options)
    return keys.map((key) => this.#values.get(key))
  }

  async has (key: string, options?: AbortOptions): Promise<boolean> {
    this.#check(options)
    return this.#values.has(key)
  }

  async hasMany (keys: readonly string[], options?: AbortOptions): Promise<readonly boolean[]> {
    this.#check(options)
    return keys.map((key) => this.#values.has(key))
  }

  async batch (operations: readonly StoreOperation[], options?: BatchOptions): Promise<void> {
    this.#check(options)
    for (const operation of operations) {
      if (operation.type === 'put') this.#values.set(operation.key, operation.value.slice())
      else this.#values.delete(operation.key)
      this.#unsorted.add(operation.key)
    }
  }

  async * entries (range: StoreRange): AsyncGenerator<readonly Entry[]> {
    this.#check(range)
    let left = range.limit ?? Infinity
    const sorted = this.#snapshot()
    let first = range.gte !== undefined ? lowerBound(sorted, range.gte) : range.gt !== undefined ? lowerBound(sorted, `${range.gt}\0`) : 0
    let end = range.lt !== undefined ? lowerBound(sorted, range.lt) : sorted.length
    while (first < end && left > 0) {
      this.#check(range)
      const size = Math.min(chunkSize, left, end - first)
      if (range.reverse === true) {
        yield sorted.slice(end - size, end).reverse()
        end -= size
      } else {
        yield sorted.slice(first, first + size)
        first += size
      }
      left -= size
    }
  }

  async * keys (range: StoreRange): AsyncGenerator<readonly string[]> {
    for await (const chunk of this.entries(range)) yield chunk.map(([key]) => key)
  }

  async * values (range: StoreRange): AsyncGenerator<readonly Uint8Array[]> {
    for await (const chunk of this.entries(range)) yield chunk.map(([, value]) => value)
  }

  async close (): Promise<void> { this.#closed = true }

  #check (options?: AbortOptions): void {
    options?.signal?.throwIfAborted()
    if (this.#closed) throw new StoreError('closed', 'the store is closed')
  }

  #snapshot (): readonly Entry[] {
    if (this.#unsorted.size === 0) return this.#sorted
    const changed = [...this.#unsorted].sort()
    this.#unsorted.clear()
    const merged: Entry[] = []
    let next = 0
    const keepUntil = (limit: string | undefined): void => {
      for (let entry = this.#sorted[next]; entry !== undefined && (limit === undefined || entry[0] < limit); entry = this.#sorted[++next]) merged.push(entry)
    }
    for (const key of changed) {
      keepUntil(key)
      if (this.#sorted[next]?.[0] === key) next++
      const value = this.#values.get(key)
      if (value !== undefined) merged.push([key, value])
    }
    keepUntil(undefined)
    this.#sorted = merged
    return merged
  }
}

/** Index of the first entry whose key is `key` or later. */
function lowerBound (entries: readonly Entry[], key: string): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const entry = entries[middle]
    if (entry !== undefined && entry[0] < key) low = middle + 1
    else high = middle
  }
  return low
}
