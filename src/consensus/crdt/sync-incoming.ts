/**
 * What one member sends in bulk, on its way into the replica. It is merged in large groups as it arrives. Blocks rise from below, so
 * nothing can prove before the end that a head leads to them: a block waits until another one links to it, or the end comes.
 */
import type { Replica } from './replica.ts'
import type { SyncAnswer } from './sync-frames.ts'
import type { DeltaBlock } from '../../crdt/block.ts'
import { readBlock } from '../../crdt/block.ts'
import { maxLinks } from '../../crdt/limits.ts'
import { DecodeError } from '../../errors.ts'
import { multihashKey } from '../../pin/keys.ts'

/** Bytes of blocks that wait for the merge of those before. */
const maxGroupBytes = 4 * 1024 * 1024
/** Blocks of one stream that none of those that came after links to: honest ones are as many as writers that did not know of each other. */
const maxLoose = 512
const maxLooseBytes = 16 * 1024 * 1024
/** The same at the end, beside the heads that came first: those that came to the member meanwhile. */
const maxLooseEnds = 64
/** Blocks beyond the plan: those that came to the member meanwhile. */
const maxUnplanned = 4096
const maxPlan = 20_000_000
/** Heads that may come before everything else. */
const maxHeads = 1024
/** Links to blocks that did not come before: of authors who lie about heights. */
const maxOpenLinks = 64

/** Blocks of one stream on their way into the replica: one group is being merged while the next one fills. */
export class Incoming {
  readonly #replica: Replica
  readonly #groupBlocks: number
  readonly #blocksBefore: number
  /** Blocks below the heads that came first. */
  readonly #promised: string[] = []
  /** Blocks that nothing links to yet, by id. */
  readonly #loose = new Map<string, DeltaBlock>()
  #looseBytes = 0
  #heads = 0
  #headLinks = 0
  #openLinks = 0
  #plan: number | undefined
  #received = 0
  #height = 0
  #group: DeltaBlock[] = []
  #bytes = 0
  #merging: Promise<void> = Promise.resolve()

  constructor (replica: Replica, groupBlocks: number) {
    this.#replica = replica
    this.#groupBlocks = groupBlocks
    this.#blocksBefore = replica.blocks
  }

  /** Blocks of the plan that are not merged yet. */
  get expected (): number { return Math.max(0, (this.#plan ?? 0) - (this.#replica.blocks - this.#blocksBefore)) }

  async take (answer: Exclude<SyncAnswer, { readonly kind: 'end' | 'refusal' }>): Promise<void> {
    if (answer.kind === 'plan') {
      if (this.#plan !== undefined) throw new DecodeError('a second plan')
      if (answer.blocks > maxPlan) throw new DecodeError(`a plan of ${answer.blocks} blocks`)
      this.#plan = answer.blocks
      await this.#replica.expectMany(answer.blocks)
      return
    }
    if (this.#plan === undefined) throw new DecodeError('blocks without a plan')
    const blocks = answer.blocks.map(readBlock)
    if (answer.kind === 'heads') await this.#takeHeads(blocks)
    else for (const block of blocks) await this.#takeBlock(block, this.#plan)
  }

  /** Own writes build on the heads from the start, and a restart knows that something is missing. */
  async #takeHeads (blocks: readonly DeltaBlock[]): Promise<void> {
    if (this.#received > 0) throw new DecodeError('heads after blocks')
    const before = new Set(this.#replica.wanted.keys())
    this.#heads += blocks.length
    this.#headLinks += blocks.reduce((sum, { links }) => sum + links.length, 0)
    if (this.#heads > maxHeads || this.#headLinks > maxLinks) throw new DecodeError('too many heads')
    await this.#replica.merge(blocks)
    for (const id of this.#replica.wanted.keys()) if (!before.has(id)) this.#promised.push(id)
  }

  async #takeBlock (block: DeltaBlock, plan: number): Promise<void> {
    if (block.delta.priority < this.#height) throw new DecodeError('blocks out of order')
    if (++this.#received > plan + maxUnplanned) throw new DecodeError('more blocks than planned')
    this.#height = block.delta.priority
    for (const link of block.links) this.#tie(multihashKey(link))
    this.#loose.set(block.id, block)
    this.#looseBytes += block.bytes.length
    if (this.#loose.size > maxLoose || this.#looseBytes > maxLooseBytes) throw new DecodeError('blocks that belong to no head')
    if (this.#group.length >= this.#groupBlocks || this.#bytes >= maxGroupBytes) await this.#merge()
  }

  /** A block links to this one: it belongs to the DAG, and everything below it is on its way before it. */
  #tie (id: string): void {
    const block = this.#loose.get(id)
    if (block === undefined) return
    this.#loose.delete(id)
    this.#looseBytes -= block.bytes.length
    this.#replica.prepare(block)
    this.#group.push(block)
    this.#bytes += block.bytes.length
  }

  async #merge (): Promise<void> {
    const group = this.#group
    this.#group = []
    this.#bytes = 0
    await this.#merging
    this.#openLinks += await this.#replica.openLinks(group)
    if (this.#openLinks > maxOpenLinks) throw new DecodeError('blocks without what is below them')
    this.#merging = this.#replica.merge(group)
    // It is awaited with the next group; until then nobody listens.
    this.#merging.catch(() => {})
  }

  /** Merges what came before the stream ended too early; what comes from a member that breaks the rules is dropped. */
  async settle (error: unknown): Promise<void> {
    const honest = !(error instanceof Error && error.name === 'DecodeError')
    try {
      if (honest && this.#group.length > 0) await this.#merge()
      await this.#merging
    } catch (failed) {
      if (failed !== error) throw failed
    }
  }

  /** Merges the rest. Resolves with the number of blocks received. */
  async end (): Promise<number> {
    if (this.#plan === undefined) throw new DecodeError('an end without a plan')
    if (this.#loose.size > this.#heads + maxLooseEnds) throw new DecodeError('blocks that belong to no head')
    for (const id of this.#loose.keys()) this.#tie(id)
    await this.#merge()
    await this.#merging
    if (this.#promised.some((id) => this.#replica.wanted.has(id))) throw new DecodeError('heads without what is below them')
    return this.#received
  }
}
