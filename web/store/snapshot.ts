/**
 * What a range read saw at its beginning. An IndexedDB transaction ends as soon as nobody has asked it for anything, so it cannot
 * stay open from chunk to chunk: instead whoever writes first hands the old values to the readers that still have to pass them.
 * This holds as long as one connection writes, which the one peer per profile is.
 */
import type { StoreRange } from '../../src/store/store.ts'

export type Row = readonly [key: string, value: Uint8Array]

export class Snapshot {
  /** Values at the beginning, of keys that were changed since; undefined: there was none. */
  readonly #old = new Map<string, Uint8Array | undefined>()
  readonly #gte: string | undefined
  readonly #gt: string | undefined
  readonly #lt: string | undefined
  readonly reverse: boolean
  /** The last key that was read. */
  #passed: string | undefined

  constructor ({ gte, gt, lt, reverse }: StoreRange) {
    this.#gte = gte
    this.#gt = gt
    this.#lt = lt
    this.reverse = reverse ?? false
  }

  /** True where the reader still comes to this key and nobody has kept its value yet. */
  needs (key: string): boolean { return !this.#old.has(key) && this.#isAhead(key) }

  keep (key: string, value: Uint8Array | undefined): void { if (this.needs(key)) this.#old.set(key, value) }

  #isAhead (key: string): boolean {
    if (this.#gte !== undefined && key < this.#gte) return false
    if (this.#gt !== undefined && key <= this.#gt) return false
    if (this.#lt !== undefined && key >= this.#lt) return false
    return this.#passed === undefined || (this.reverse ? key < this.#passed : key > this.#passed)
  }

  /** What is ahead; `null`: everything; undefined: nothing can be. */
  ahead (): IDBKeyRange | null | undefined {
    let lower = this.#gte
    let lowerOpen = false
    let upper = this.#lt
    if (this.#gt !== undefined && (lower === undefined || this.#gt >= lower)) [lower, lowerOpen] = [this.#gt, true]
    if (this.#passed !== undefined) {
      if (this.reverse) upper = this.#passed
      else [lower, lowerOpen] = [this.#passed, true]
    }
    if (lower !== undefined && upper !== undefined) return lower < upper ? IDBKeyRange.bound(lower, upper, lowerOpen, true) : undefined
    if (lower !== undefined) return IDBKeyRange.lowerBound(lower, lowerOpen)
    return upper !== undefined ? IDBKeyRange.upperBound(upper, true) : null
  }

  /** Makes of what the database holds now what it held at the beginning. `last`: nothing is behind these rows. */
  restore (rows: readonly Row[], last: boolean): readonly Row[] {
    const end = rows.at(-1)?.[0]
    const isPassed = (key: string): boolean => last || (end !== undefined && (this.reverse ? key >= end : key <= end))
    const restored = this.#old.size === 0 ? rows : this.#merged(rows, isPassed)
    if (end !== undefined) this.#passed = end
    return restored
  }

  #merged (rows: readonly Row[], isPassed: (key: string) => boolean): readonly Row[] {
    const merged = rows.filter(([key]) => !this.#old.has(key))
    const kept = merged.length
    for (const [key, value] of this.#old) {
      if (!isPassed(key)) continue
      this.#old.delete(key)
      if (value !== undefined) merged.push([key, value])
    }
    if (merged.length > kept) merged.sort(([one], [other]) => (one < other) === this.reverse ? 1 : -1)
    return merged
  }
}
