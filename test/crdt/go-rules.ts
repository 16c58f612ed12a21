/** The merge rules of wire.md §3.5, written down literally: slow, and what the real core is measured by. */
import type { DeltaBlock } from '../../src/crdt/block.ts'
import { compareBytes } from '../../src/bytes.ts'
import { hex } from './model.ts'

export class GoRules {
  readonly #blocks = new Map<string, DeltaBlock>()
  readonly #elements = new Map<string, Set<string>>()
  readonly #tombstones = new Set<string>()
  readonly #values = new Map<string, { readonly value: Uint8Array, readonly priority: number }>()

  merge (block: DeltaBlock): void {
    this.#blocks.set(block.id, block)
    const collected = new Map<string, string[]>()
    for (const { key, id } of block.delta.tombstones) {
      const ids = [...collected.get(key) ?? [], id]
      collected.set(key, ids)
      const best = this.#best(key, ids)
      if (best === undefined) this.#values.delete(key)
      else this.#values.set(key, best)
      this.#tombstones.add(key + id)
    }
    const before = new Map(this.#values)
    for (const { key, value } of block.delta.elements) {
      this.#elements.set(key, (this.#elements.get(key) ?? new Set()).add(block.id))
      if (this.#tombstones.has(key + block.id)) continue
      const { priority } = block.delta
      const stored = before.get(key)
      if (priority < (stored?.priority ?? 0)) continue
      if (stored !== undefined && priority === stored.priority && compareBytes(stored.value, value) >= 0) continue
      this.#values.set(key, { value, priority })
    }
  }

  state (): Record<string, string> {
    const entries = [...this.#values].map(([key, { value, priority }]) => [key, `${priority} ${hex(value)}`] as const)
    return Object.fromEntries(entries.sort(([one], [other]) => one < other ? -1 : 1))
  }

  #best (key: string, without: readonly string[]): { readonly value: Uint8Array, readonly priority: number } | undefined {
    let best: { readonly value: Uint8Array, readonly priority: number } | undefined
    for (const id of this.#elements.get(key) ?? []) {
      const block = this.#blocks.get(id)
      if (without.includes(id) || this.#tombstones.has(key + id) || block === undefined) continue
      const { priority } = block.delta
      for (const { key: other, value } of block.delta.elements) {
        if (other !== key) continue
        if (best === undefined || priority > best.priority || (priority === best.priority && compareBytes(value, best.value) > 0)) best = { value, priority }
      }
    }
    return best
  }
}
