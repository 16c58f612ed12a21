/** Fetched blocks that wait for those below them, so that parents are merged before children where that takes no long. */
import type { Job } from './sync-jobs.ts'

const maxBytes = 16 * 1024 * 1024

export class WaitingBlocks {
  readonly #maxBlocks: number
  readonly #onReady: (job: Job) => void
  readonly #jobs = new Map<string, Job>()
  /** Waiting jobs by the id of a block that they wait for. */
  readonly #waiters = new Map<string, Set<Job>>()
  /** Of blocks that wait, or are being merged. */
  #bytes = 0
  #since = 0

  /** `onReady` hears of each block that is to be merged now, parents first unless it waited too long. */
  constructor (maxBlocks: number, onReady: (job: Job) => void) {
    this.#maxBlocks = maxBlocks
    this.#onReady = onReady
  }

  get size (): number { return this.#jobs.size }
  /** When the oldest one began to wait, or those before it were released. */
  get since (): number { return this.#since }
  /** Nothing more should be fetched. */
  get isOverfull (): boolean { return this.#bytes >= 2 * maxBytes }

  isNeeded (id: string): boolean { return this.#waiters.has(id) }

  /** A fetched block, and the ids of what is missing below it. */
  add (job: Job, below: Iterable<string>, now: number): void {
    for (const id of below) {
      job.below.add(id)
      const waiters = this.#waiters.get(id)
      if (waiters === undefined) this.#waiters.set(id, new Set([job]))
      else waiters.add(job)
    }
    if (this.#jobs.size === 0) this.#since = now
    this.#jobs.set(job.id, job)
    this.#bytes += job.block?.bytes.length ?? 0
    if (job.below.size === 0) this.#makeReady(job)
    else if (this.#jobs.size >= this.#maxBlocks || this.#bytes >= maxBytes) this.releaseAll()
  }

  /** What waited for this block goes on. */
  release (id: string): void {
    const waiters = this.#waiters.get(id)
    this.#waiters.delete(id)
    for (const job of waiters ?? []) {
      job.below.delete(id)
      if (job.below.size === 0) this.#makeReady(job)
    }
  }

  /** From the top down: nothing waits any longer. */
  releaseAll (): void { for (const job of this.#jobs.values()) this.#makeReady(job) }

  /** Nobody will bring this block. */
  forget (id: string): void { this.#waiters.delete(id) }

  /** The block of this job is merged. */
  merged (job: Job): void { this.#bytes -= job.block?.bytes.length ?? 0 }

  clear (): void {
    this.#jobs.clear()
    this.#waiters.clear()
    this.#bytes = 0
  }

  #makeReady (job: Job): void {
    if (!this.#jobs.delete(job.id)) return
    job.ready = true
    for (const id of job.below) {
      const waiters = this.#waiters.get(id)
      waiters?.delete(job)
      if (waiters?.size === 0) this.#waiters.delete(id)
    }
    this.#onReady(job)
    this.release(job.id)
  }
}
