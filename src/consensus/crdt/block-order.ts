/**
 * The merged blocks by priority, and by hash within one priority: parents before children. Each merge writes what it brought as
 * sorted runs, named by their first place, so that blocks cost the store a few bytes each and not a key.
 */
import type { Layout } from './layout.ts'
import type { AbortOptions } from '../../component.ts'
import type { DeltaBlock } from '../../crdt/block.ts'
import type { Store, StoreOperation } from '../../store/store.ts'
import { base16 } from 'multiformats/bases/base16'
import { base32upper } from 'multiformats/bases/base32'
import { compareBytes, concat } from '../../bytes.ts'
import { blockPriority } from '../../crdt/block.ts'
import { prefixRange } from '../../store/store.ts'

/** Priority (uint64, big endian) and SHA-256 of a block: bytewise order is the order of blocks. */
export type Place = Uint8Array

const priorityLength = 8
const placeLength = priorityLength + 32
/** Places in one run: stores keep values of this size beside the others. */
const maxRun = 1000

const multihashPrefix = Uint8Array.of(0x12, 32)

export const placePriority = (place: Place): number => Number(new DataView(place.buffer, place.byteOffset).getBigUint64(0))
export const placeHash = (place: Place): Uint8Array => place.subarray(priorityLength)
/** Id of the block at this place. */
export const placeId = (place: Place): string => '/' + base32upper.baseEncode(concat([multihashPrefix, placeHash(place)]))

export function placeOf (priority: number, hash: Uint8Array): Place {
  const place = new Uint8Array(placeLength)
  new DataView(place.buffer).setBigUint64(0, BigInt(priority))
  place.set(hash, priorityLength)
  return place
}

/** What a merge of these blocks adds to the order. */
export const orderOperations = (layout: Layout, blocks: readonly DeltaBlock[]): StoreOperation[] => runs(layout, blocks.map(({ cid, delta }) => placeOf(delta.priority, cid.multihash.digest)))

function runs (layout: Layout, places: Place[]): StoreOperation[] {
  places.sort(compareBytes)
  const operations: StoreOperation[] = []
  for (let from = 0; from < places.length; from += maxRun) {
    const run = places.slice(from, from + maxRun)
    operations.push({ type: 'put', key: layout.order + base16.baseEncode(run[0] ?? new Uint8Array(0)), value: concat(run) })
  }
  return operations
}

/** Makes the order anew from the stored blocks: for stores that were written without it. */
export async function rebuildOrder (store: Store, layout: Layout): Promise<void> {
  for await (const keys of store.keys(prefixRange(layout.order))) await store.batch(keys.map((key) => ({ type: 'del', key })))
  const places: Place[] = []
  for await (const chunk of store.entries(prefixRange(layout.blocks))) {
    for (const [key, bytes] of chunk) {
      const priority = blockPriority(bytes)
      const hash = base32upper.baseDecode(key.slice(layout.blocks.length)).subarray(multihashPrefix.length)
      if (priority !== undefined && hash.length === placeLength - priorityLength) places.push(placeOf(priority, hash))
    }
  }
  const operations = runs(layout, places)
  for (let from = 0; from < operations.length; from += 100) await store.batch(operations.slice(from, from + 100))
}

/** Every place in order, in chunks. In memory are only the runs that overlap. */
export async function * blockOrder (store: Store, layout: Layout, options: AbortOptions = {}): AsyncGenerator<readonly Place[]> {
  const merging = new Merging()
  for await (const chunk of store.values({ ...prefixRange(layout.order), signal: options.signal })) {
    const places: Place[] = []
    for (const run of chunk) {
      // Runs come by their first place: whatever is before it is in none that follows.
      merging.take(places, run.subarray(0, placeLength))
      merging.add(run)
    }
    if (places.length > 0) yield places
  }
  const rest: Place[] = []
  merging.take(rest)
  if (rest.length > 0) yield rest
}

interface Cursor { readonly run: Uint8Array, at: number, place: Place }

/** Sorted runs, merged: their next places, the least one last. */
class Merging {
  readonly #open: Cursor[] = []

  add (run: Uint8Array): void { if (run.length >= placeLength) this.#insert({ run, at: 0, place: run.subarray(0, placeLength) }) }

  /** Moves the places before this one to `places`. */
  take (places: Place[], before?: Place): void {
    for (let cursor = this.#open.at(-1); cursor !== undefined; cursor = this.#open.at(-1)) {
      if (before !== undefined && compareBytes(cursor.place, before) >= 0) return
      const last = places.at(-1)
      if (last === undefined || compareBytes(last, cursor.place) !== 0) places.push(cursor.place)
      this.#open.pop()
      cursor.at += placeLength
      if (cursor.at + placeLength > cursor.run.length) continue
      cursor.place = cursor.run.subarray(cursor.at, cursor.at + placeLength)
      this.#insert(cursor)
    }
  }

  #insert (cursor: Cursor): void {
    let [low, high] = [0, this.#open.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = this.#open[middle]
      if (other !== undefined && compareBytes(other.place, cursor.place) > 0) low = middle + 1
      else high = middle
    }
    this.#open.splice(low, 0, cursor)
  }
}
