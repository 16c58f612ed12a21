/** A replica in memory, made of the pure core alone: what any store must come to. */
import type { CID } from 'multiformats/cid'
import { encodeBlock, type DeltaBlock } from '../../src/crdt/block.ts'
import { DeltaDraft } from '../../src/crdt/draft.ts'
import { advanceHeads, nextPriority, sortedHeads, type Heads } from '../../src/crdt/heads.ts'
import { mergeBlocks, parentsFirst } from '../../src/crdt/merge.ts'
import { type KeyState, unknownKey } from '../../src/crdt/set.ts'
import { multihashKey } from '../../src/pin/keys.ts'

export const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
export const unhex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

export class Model {
  readonly keys = new Map<string, KeyState>()
  readonly blocks = new Map<string, DeltaBlock>()
  readonly #wanted = new Set<string>()
  heads: Heads = new Map()

  /** Puts are [key, value], deletes are [key]; undefined when nothing changes. */
  commit (operations: ReadonlyArray<readonly [key: string, value?: Uint8Array]>): DeltaBlock | undefined {
    const draft = new DeltaDraft()
    for (const [key, value] of operations) {
      if (value === undefined) draft.delete(key, this.live(key))
      else draft.put(key, value)
    }
    if (draft.isEmpty) return undefined
    const block = encodeBlock(draft.delta(nextPriority(this.heads)), sortedHeads(this.heads).map(({ cid }) => cid))
    this.merge([block])
    return block
  }

  live (key: string): string[] {
    const { winner, others } = this.keys.get(key) ?? unknownKey
    return [...(winner === undefined ? [] : [winner]), ...others].map(({ id }) => id)
  }

  merge (blocks: readonly DeltaBlock[]): void {
    const fresh = blocks.filter(({ id }, index) => !this.blocks.has(id) && blocks.findIndex((block) => block.id === id) === index)
    for (const [key, { after }] of mergeBlocks(this.keys, fresh, (id) => this.blocks.has(id))) this.keys.set(key, after)
    this.heads = advanceHeads(this.heads, fresh, multihashKey, (id) => this.#wanted.has(id))
    for (const block of fresh) this.blocks.set(block.id, block)
    for (const block of fresh) {
      this.#wanted.delete(block.id)
      for (const link of block.links) if (!this.blocks.has(multihashKey(link))) this.#wanted.add(multihashKey(link))
    }
  }

  /** What a peer does with an announced head: everything below it that is not here is fetched, and merged as one group or from the top down. */
  receive (head: CID, all: ReadonlyMap<string, DeltaBlock>, order: 'parents first' | 'top down' = 'parents first'): void {
    const walk: DeltaBlock[] = []
    const queue = [head]
    const queued = new Set<string>()
    for (let cid = queue.shift(); cid !== undefined; cid = queue.shift()) {
      const id = multihashKey(cid)
      const block = all.get(id)
      if (this.blocks.has(id) || queued.has(id) || block === undefined) continue
      queued.add(id)
      walk.push(block)
      queue.push(...block.links)
    }
    if (order === 'top down') for (const block of walk) this.merge([block])
    else this.merge(parentsFirst(walk))
  }

  /** Hex values by key. */
  state (): Record<string, string> {
    const entries = [...this.keys].flatMap(([key, { winner }]) => winner === undefined ? [] : [[key, hex(winner.value)] as const])
    return Object.fromEntries(entries.sort(([one], [other]) => one < other ? -1 : 1))
  }

  headCids (): string[] { return sortedHeads(this.heads).map(({ cid }) => cid.toString()) }
}
