/** Turns pins and unpins into deltas: group commit, or batches by size and age (wire.md §3.7). */
import type { PinOperation } from './pin-operations.ts'
import type { Replica } from './replica.ts'
import type { Clock, Logger } from '../../component.ts'
import type { DeltaBlock } from '../../crdt/block.ts'
import { errorText } from '../../component.ts'
import type { Measures } from '../../observations/measures.ts'

/** `crdt.batching`; off unless both size and age are above 0. */
export interface BatchingOptions {
  /** @default 0 */
  readonly maxBatchSize?: number | undefined
  /** In ms. @default 0 */
  readonly maxBatchAge?: number | undefined
  /** @default 50_000 */
  readonly maxQueueSize?: number | undefined
}

export class QueueFullError extends Error {
  override name = 'QueueFullError'
  constructor () { super('error batching item: batching max_queue_size reached. Too many operations are waiting to be batched. Try increasing the max_queue_size or adjusting the batching options') }
}

export interface PinWriter {
  /** Resolves when the change is durable and announced, or with batching when it is queued. */
  write: (operation: PinOperation) => Promise<void>
  /** Commits what is queued, then refuses. */
  stop: () => Promise<void>
}

interface Components {
  readonly replica: Replica
  /** Tells the others of a new head. */
  readonly announce: (block: DeltaBlock) => Promise<void>
  readonly measures: Measures
  readonly clock: Clock
  readonly logger: Logger
}

/** Operations that one commit looks at. */
const maxWindow = 4096

export const createPinWriter = (components: Components, { maxBatchSize = 0, maxBatchAge = 0, maxQueueSize = 50_000 }: BatchingOptions = {}): PinWriter =>
  maxBatchSize > 0 && maxBatchAge > 0 ? new BatchWriter(components, { maxBatchSize, maxBatchAge, maxQueueSize }) : new GroupWriter(components)

function countCommit (measures: Measures, changes: number): void {
  measures.commits++
  measures.committedChanges += changes
}

interface Waiting { readonly operation: PinOperation, readonly resolve: () => void, readonly reject: (error: unknown) => void }

/** What comes in while a commit is being written becomes the next one: no timer, and no wait when idle. */
class GroupWriter implements PinWriter {
  readonly #components: Components
  readonly #queue: Waiting[] = []
  #draining: Promise<void> | undefined
  #announced: Promise<void> = Promise.resolve()
  #stopped = false

  constructor (components: Components) { this.#components = components }

  async write (operation: PinOperation): Promise<void> {
    if (this.#stopped) throw new Error('shutting down')
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#queue.push({ operation, resolve, reject })
    this.#draining ??= this.#drain()
    await promise
  }

  async stop (): Promise<void> {
    this.#stopped = true
    while (this.#draining !== undefined) await this.#draining
    await this.#announced
  }

  async #drain (): Promise<void> {
    while (this.#queue.length > 0) {
      let window: readonly Waiting[] = []
      try {
        const { done, block } = await this.#components.replica.commit(() => {
          window = this.#queue.slice(0, maxWindow)
          return window.map(({ operation }) => operation)
        })
        if (block !== undefined) countCommit(this.#components.measures, done)
        this.#answer(block, this.#queue.splice(0, done))
      } catch (error) {
        for (const { reject } of this.#queue.splice(0, Math.max(1, window.length))) reject(error)
      }
    }
    this.#draining = undefined // in the same step as the last look at the queue
  }

  /** The next commit does not wait for the announcement of this one; announcements keep their order. */
  #answer (block: DeltaBlock | undefined, settled: readonly Waiting[]): void {
    if (block === undefined) {
      for (const { resolve } of settled) resolve()
      return
    }
    this.#announced = this.#announced.then(async () => {
      await this.#components.announce(block)
      for (const { resolve } of settled) resolve()
    })
  }
}

interface Batching { readonly maxBatchSize: number, readonly maxBatchAge: number, readonly maxQueueSize: number }

/** Answers when queued; commits by size, by age of the first item, and at the end. */
class BatchWriter implements PinWriter {
  readonly #components: Components
  readonly #batching: Batching
  readonly #queue: PinOperation[] = []
  /** Deletions that are not committed, with the elements to remove: what was queued before them may be committed only now. */
  readonly #deletions = new Set<{ readonly kind: 'delete', readonly key: string, readonly ids: string[] }>()
  #age: AbortController | undefined
  #waiting: Promise<void> = Promise.resolve()
  #committing: Promise<void> | undefined
  #stopped = false

  constructor (components: Components, batching: Batching) {
    this.#components = components
    this.#batching = batching
  }

  async write (operation: PinOperation): Promise<void> {
    this.#check()
    if (operation.kind === 'put') {
      this.#queue.push(operation)
    } else {
      const deletion = { ...operation, ids: [] as string[] }
      this.#deletions.add(deletion)
      try {
        deletion.ids.push(...await this.#components.replica.liveIds(operation.key))
        this.#check()
      } catch (error) {
        this.#deletions.delete(deletion)
        throw error
      }
      this.#queue.push(deletion)
    }
    this.#next()
  }

  async stop (): Promise<void> {
    this.#stopped = true
    this.#age?.abort(new Error('stopped'))
    await this.#waiting
    await this.#committing
    this.#commit()
    await this.#committing
  }

  #check (): void {
    if (this.#stopped) throw new Error('shutting down. Pin could not be batched')
    if (this.#queue.length >= this.#batching.maxQueueSize + this.#batching.maxBatchSize) {
      this.#components.logger.error('batching max_queue_size reached')
      throw new QueueFullError()
    }
  }

  /** A full batch goes at once; the first item of another one starts its age. */
  #next (): void {
    if (this.#queue.length >= this.#batching.maxBatchSize) this.#commit()
    else if (this.#queue.length > 0 && this.#age === undefined && this.#committing === undefined && !this.#stopped) this.#commitLater()
  }

  #commit (): void {
    if (this.#committing !== undefined) return
    this.#age?.abort(new Error('the batch is being committed'))
    this.#age = undefined
    this.#committing = this.#commitBatches()
  }

  async #commitBatches (): Promise<void> {
    let failed = false
    try {
      let again = this.#queue.length > 0
      while (again) {
        const { done, block } = await this.#components.replica.commit(() => this.#queue.slice(0, this.#batching.maxBatchSize))
        this.#settle(this.#queue.splice(0, done), block)
        if (block !== undefined) {
          countCommit(this.#components.measures, done)
          await this.#components.announce(block)
        }
        again = this.#queue.length >= this.#batching.maxBatchSize || (this.#stopped && this.#queue.length > 0)
      }
    } catch (error) {
      failed = true
      this.#components.logger.error('error committing batch', errorText(error))
    }
    this.#committing = undefined
    if (!failed) this.#next()
    else if (!this.#stopped) this.#commitLater() // the items stay queued
  }

  /** Deletions that wait were asked for after these operations: they remove what those have added, too. */
  #settle (committed: readonly PinOperation[], block: DeltaBlock | undefined): void {
    const done = new Set<unknown>(committed)
    const added = new Set(committed.flatMap(({ kind, key }) => kind === 'put' ? [key] : []))
    for (const deletion of this.#deletions) {
      if (done.has(deletion)) this.#deletions.delete(deletion)
      else if (block !== undefined && added.has(deletion.key)) deletion.ids.push(block.id)
    }
  }

  #commitLater (): void {
    this.#age = new AbortController()
    this.#waiting = this.#components.clock.sleep(this.#batching.maxBatchAge, { signal: this.#age.signal }).then(() => { this.#commit() }, () => {})
  }
}
