/** A delta being written: pins and unpins of one commit (wire.md §3.3, §3.7). Pure. */
import type { Delta, Element, Tombstone } from './block.ts'

/** Bytes of protobuf around a key and value, at most. */
const overhead = 16

/** Collects changes in order. A later change of a key takes the place of an earlier element of it. */
export class DeltaDraft {
  readonly #elements = new Map<string, Element>()
  readonly #tombstones = new Map<string, Tombstone>()
  #size = 0

  /** Estimate of the encoded delta, in bytes, never too small. */
  get size (): number { return this.#size }
  get isEmpty (): boolean { return this.#elements.size === 0 && this.#tombstones.size === 0 }

  put (key: string, value: Uint8Array): void {
    this.#forget(key)
    this.#elements.set(key, { key, value })
    this.#size += key.length + value.length + overhead
  }

  /** `ids`: every live element of the key that the author knows. */
  delete (key: string, ids: readonly string[]): void {
    this.#forget(key)
    for (const id of ids) {
      const name = key + id
      if (this.#tombstones.has(name)) continue
      this.#tombstones.set(name, { key, id })
      this.#size += name.length + overhead
    }
  }

  delta (priority: number): Delta {
    return { elements: [...this.#elements.values()], tombstones: [...this.#tombstones.values()], priority }
  }

  #forget (key: string): void {
    const element = this.#elements.get(key)
    if (element === undefined) return
    this.#elements.delete(key)
    this.#size -= key.length + element.value.length + overhead
  }
}
