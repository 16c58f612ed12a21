/**
 * Brings blocks that others announced into the replica (wire.md §3.6). Heads are walked side by side. A block is merged as soon as
 * everything below it is; what waits too long, or becomes too much, is merged from the top down, and what is missing then is
 * remembered in the store and fetched later. Where much is missing, a member of ours may send it in bulk (bulk-sync.ts).
 */
import type { BulkSync } from './bulk-sync.ts'
import type { Replica } from './replica.ts'
import type { Clock, Logger } from '../../component.ts'
import type { DeltaBlock } from '../../crdt/block.ts'
import type { BlockExchange } from '../../exchange/exchange.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { errorText } from '../../component.ts'
import { decodeBlock } from '../../crdt/block.ts'
import { nextPriority } from '../../crdt/heads.ts'
import { multihashKey } from '../../pin/keys.ts'
import { withDeadline } from './deadline.ts'

export interface DagSyncOptions {
  /** Blocks fetched at once. @default 50 */
  readonly parallelFetches?: number | undefined
  /** Time for one attempt to fetch a block, in ms. @default 10_000 */
  readonly fetchTimeout?: number | undefined
  /** Attempts before a head is given up until it is announced again, and any other block until the next repair. @default 3 */
  readonly fetchAttempts?: number | undefined
  /** First pause in ms before missing blocks are tried again; it doubles up to 32 times this. @default 15_000 */
  readonly retryPause?: number | undefined
  /** Blocks that wait in memory for those below them. @default 1000 */
  readonly maxWaitingBlocks?: number | undefined
}

interface Job {
  readonly cid: CID
  readonly id: string
  from: PeerId[]
  /** Who announced it, in text: given up when nobody has it. Undefined: others link to it. */
  readonly announcer: string | undefined
  attempts: number
  /** Set once fetched. */
  block: DeltaBlock | undefined
  /** Ids of unmerged blocks below it that it waits for. */
  readonly below: Set<string>
  /** Its merge is next, or going on. */
  ready: boolean
}

const maxWaitingBytes = 16 * 1024 * 1024
/** Blocks known to be needed and kept in memory; further ones are found again in the store. */
const maxJobs = 10_000
/** Heads of one announcer that are under way at once; the oldest go first: newer ones lead to them. */
const maxAnnouncedByPeer = 2048
/** Heads of one announcer that are fetched at once while others wait, so that bogus ones leave room. */
const maxFetchesByPeer = 16
/** The same while nobody else waits: a part of all fetches. */
const loneShare = 0.8
const maxRetryFactor = 32
/** Blocks missing below a head from which on they are asked for in bulk; fewer come sooner one by one. */
const bulkGap = 32

export class DagSync {
  readonly #replica: Replica
  readonly #exchange: BlockExchange
  readonly #bulk: BulkSync | undefined
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #options: Required<{ [K in keyof DagSyncOptions]: number }>
  readonly #jobs = new Map<string, Job>()
  readonly #queue: Job[] = []
  readonly #waiting = new Map<string, Job>()
  /** Fetched jobs by the id of a block that they wait for. */
  readonly #waiters = new Map<string, Set<Job>>()
  readonly #ready: Job[] = []
  /** Given up until the next retry. */
  readonly #givenUp = new Set<string>()
  readonly #running = new Set<Promise<void>>()
  readonly #fetching = new Set<Job>()
  /** Jobs, and fetches, of each announcer. */
  readonly #jobsOf = new Tally()
  readonly #fetchesOf = new Tally()
  #waitingBytes = 0
  #merging = false
  #inBulk = false
  #retryFactor = 1
  #retryPlanned = false
  #abort = new AbortController()

  constructor (components: { readonly replica: Replica, readonly exchange: BlockExchange, readonly bulk?: BulkSync | undefined, readonly clock: Clock, readonly logger: Logger }, options: DagSyncOptions = {}) {
    this.#replica = components.replica
    this.#exchange = components.exchange
    this.#bulk = components.bulk
    this.#clock = components.clock
    this.#logger = components.logger
    this.#options = {
      parallelFetches: options.parallelFetches ?? 50,
      fetchTimeout: options.fetchTimeout ?? 10_000,
      fetchAttempts: options.fetchAttempts ?? 3,
      retryPause: options.retryPause ?? 15_000,
      maxWaitingBlocks: options.maxWaitingBlocks ?? 1000
    }
  }

  /** Blocks known to be needed and not merged yet. */
  get pending (): number {
    let only = 0
    for (const id of this.#jobs.keys()) if (!this.#replica.wanted.has(id)) only++
    return Math.max(only + this.#replica.wanted.size, this.#bulk?.expected ?? 0)
  }

  /** Blocks fetched now, or next. */
  get queued (): number { return this.#queue.length + this.#fetching.size }

  async start (): Promise<void> {
    this.#abort = new AbortController()
    const ask = (first: readonly PeerId[]): void => { if (this.#replica.blocks === 0 || this.#replica.wanted.size > 0) this.#startBulk(first) }
    await this.#bulk?.start((peer) => { ask([peer]) })
    ask([])
  }

  async stop (): Promise<void> {
    this.#abort.abort(new Error('stopped'))
    await this.#bulk?.stop()
    while (this.#running.size > 0) await Promise.allSettled(this.#running)
    this.#jobs.clear()
    this.#jobsOf.clear()
    this.#queue.length = 0
    this.#waiting.clear()
    this.#waiters.clear()
    this.#ready.length = 0
    this.#givenUp.clear()
    this.#waitingBytes = 0
    this.#retryPlanned = false
  }

  /** Heads that `from` has. */
  announce (heads: readonly CID[], from: PeerId): void {
    for (const cid of heads) {
      const id = multihashKey(cid)
      if (this.#replica.heads.has(id)) continue
      this.#givenUp.delete(id)
      const job = this.#jobs.get(id)
      if (job !== undefined) {
        if (!job.from.some((peer) => peer.equals(from))) job.from = [from, ...job.from.slice(0, 7)]
        continue
      }
      if (!this.#makeRoom(from)) {
        this.#logger.warn('too many heads under way, ignored one', cid, from)
        return
      }
      this.#add(cid, [from], this.#replica.wanted.has(id) ? undefined : from.toString())
    }
    this.#pump()
  }

  /** Room for one more head of this announcer, if need be in place of its oldest that nobody needs or fetches yet. */
  #makeRoom (from: PeerId): boolean {
    const announcer = from.toString()
    if (this.#jobsOf.of(announcer) < maxAnnouncedByPeer && this.#jobs.size < maxJobs) return true
    const at = this.#queue.findIndex((job) => job.announcer === announcer && !this.#waiters.has(job.id))
    const [oldest] = at < 0 ? [] : this.#queue.splice(at, 1)
    if (oldest === undefined) return false
    this.#drop(oldest)
    return true
  }

  /** Where in the queue the next job to fetch is; -1: none may be fetched now. */
  #next (): number {
    // What is below heads comes in bulk meanwhile.
    const fair = this.#queue.findIndex(({ announcer }) => announcer === undefined ? !this.#inBulk : this.#fetchesOf.of(announcer) < maxFetchesByPeer)
    if (this.#inBulk) return fair
    return fair < 0 && this.#queue.length > 0 && this.#fetching.size < this.#options.parallelFetches * loneShare ? 0 : fair
  }

  /** Fetches what is missing. A full one looks through all blocks for it first, when the store is marked dirty. */
  async repair (): Promise<void> {
    if (this.#replica.markedDirty) {
      this.#logger.info('looking through the DAG for missing blocks')
      await this.#replica.findMissing({ signal: this.#abort.signal })
      await this.#replica.setDirty(false)
    }
    this.#givenUp.clear()
    if (this.#replica.wanted.size > 0) this.#startBulk([])
    this.#refill()
    this.#pump()
  }

  /** Asks members for all that is missing, if there are any to ask; otherwise nothing changes. */
  #startBulk (first: readonly PeerId[]): void {
    if (this.#bulk === undefined || this.#inBulk || this.#abort.signal.aborted || this.#bulk.candidates(first).length === 0) return
    this.#inBulk = true
    this.#run(this.#bulk.run(first).then(() => {}).finally(() => {
      this.#inBulk = false
      // What waited for blocks that came finds them merged.
      this.#pump()
    }))
  }

  /** Priority of the highest head here. */
  #height (): number { return nextPriority(this.#replica.heads) - 1 }

  #add (cid: CID, from: PeerId[], announcer?: string): Job | undefined {
    if (this.#jobs.size >= maxJobs) return undefined
    const job: Job = { cid, id: multihashKey(cid), from, announcer, attempts: 0, block: undefined, below: new Set(), ready: false }
    this.#jobs.set(job.id, job)
    this.#jobsOf.add(announcer, 1)
    this.#queue.push(job)
    return job
  }

  #drop (job: Job): void { if (this.#jobs.delete(job.id)) this.#jobsOf.add(job.announcer, -1) }

  #refill (): void {
    for (const [id, cid] of this.#replica.wanted) {
      if (this.#jobs.size >= maxJobs) return
      if (!this.#jobs.has(id) && !this.#givenUp.has(id)) this.#add(cid, [])
    }
  }

  #pump (): void {
    if (this.#abort.signal.aborted) return
    if (this.#queue.length === 0 && this.#fetching.size === 0 && this.#waiting.size === 0 && this.#ready.length === 0) this.#refill()
    while (this.#fetching.size < this.#options.parallelFetches && this.#waitingBytes < 2 * maxWaitingBytes && this.#waiting.size + this.#ready.length < 2 * this.#options.maxWaitingBlocks) {
      const at = this.#next()
      const [job] = at < 0 ? [] : this.#queue.splice(at, 1)
      if (job === undefined) return
      this.#fetching.add(job)
      this.#fetchesOf.add(job.announcer, 1)
      this.#run(this.#fetch(job))
    }
  }

  #run (work: Promise<void>): void {
    const run = work.catch((error: unknown) => {
      if (!this.#abort.signal.aborted) this.#logger.error('DAG sync', errorText(error))
    }).finally(() => this.#running.delete(run))
    this.#running.add(run)
  }

  async #fetch (job: Job): Promise<void> {
    const { signal } = this.#abort
    try {
      if (await this.#replica.isMerged(job.cid)) {
        this.#forget(job)
        this.#release(job.id)
      } else {
        const bytes = await withDeadline(this.#clock, this.#options.fetchTimeout, signal, async (deadline) => await this.#exchange.fetch(job.cid, { from: job.attempts === 0 ? job.from : [], signal: deadline }))
        const block = decodeBlock(job.cid, bytes)
        this.#arrived(job, block, await this.#replica.missingLinks(block, () => false))
      }
    } catch (error) {
      if (!signal.aborted) this.#failed(job, error)
    } finally {
      this.#fetching.delete(job)
      this.#fetchesOf.add(job.announcer, -1)
    }
    this.#merge()
    this.#pump()
  }

  #arrived (job: Job, block: DeltaBlock, missing: readonly CID[]): void {
    job.block = block
    let incomplete = this.#replica.heads.size === 0
    for (const cid of missing) {
      const id = multihashKey(cid)
      const below = this.#jobs.get(id) ?? (this.#givenUp.has(id) ? undefined : this.#add(cid, job.from))
      if (below === undefined || below.attempts > 0) incomplete = true
      if (below?.ready === true) continue
      job.below.add(id)
      const waiters = this.#waiters.get(id)
      if (waiters === undefined) this.#waiters.set(id, new Set([job]))
      else waiters.add(job)
    }
    if (missing.length > 0 && (this.#jobs.size > bulkGap || block.delta.priority > bulkGap + this.#height())) this.#startBulk(job.from)
    this.#waiting.set(job.id, job)
    this.#waitingBytes += block.bytes.length
    if (job.below.size === 0) this.#makeReady(job)
    else if (incomplete || this.#waiting.size >= this.#options.maxWaitingBlocks || this.#waitingBytes >= maxWaitingBytes) this.#makeAllReady()
  }

  #makeReady (job: Job): void {
    if (!this.#waiting.delete(job.id)) return
    job.ready = true
    for (const id of job.below) this.#waiters.get(id)?.delete(job)
    this.#ready.push(job)
    this.#release(job.id)
  }

  /** From the top down: nothing waits any longer. */
  #makeAllReady (): void {
    for (const job of this.#waiting.values()) this.#makeReady(job)
  }

  /** What waited for this block goes on. */
  #release (id: string): void {
    const waiters = this.#waiters.get(id)
    this.#waiters.delete(id)
    for (const job of waiters ?? []) {
      job.below.delete(id)
      if (job.below.size === 0) this.#makeReady(job)
    }
  }

  #forget (job: Job): void {
    this.#drop(job)
    this.#givenUp.delete(job.id)
  }

  #merge (): void {
    if (this.#merging || this.#ready.length === 0 || this.#abort.signal.aborted) return
    this.#merging = true
    this.#run(this.#mergeReady().finally(() => {
      this.#merging = false
      this.#merge()
      this.#pump()
    }))
  }

  async #mergeReady (): Promise<void> {
    while (this.#ready.length > 0 && !this.#abort.signal.aborted) {
      const jobs = this.#ready.splice(0, this.#options.maxWaitingBlocks)
      try {
        await this.#replica.merge(jobs.flatMap(({ block }) => block ?? []))
      } finally {
        for (const job of jobs) {
          this.#waitingBytes -= job.block?.bytes.length ?? 0
          this.#forget(job)
        }
      }
      this.#logger.debug('merged blocks', jobs.length, 'missing', this.#replica.wanted.size)
      if (this.#replica.wanted.size > 0) this.#planRetry()
      else this.#retryFactor = 1
    }
  }

  #failed (job: Job, error: unknown): void {
    job.attempts++
    this.#makeAllReady()
    if (job.attempts < this.#options.fetchAttempts && !isRefused(error)) {
      this.#queue.push(job)
      return
    }
    this.#drop(job)
    this.#waiters.delete(job.id)
    this.#logger.warn(job.announcer !== undefined ? 'a head cannot be fetched, waiting until it is announced again' : 'a block cannot be fetched, trying again later', job.cid, errorText(error))
    if (job.announcer !== undefined && !this.#replica.wanted.has(job.id)) return
    this.#givenUp.add(job.id)
    this.#planRetry()
  }

  /** Missing blocks are tried again soon, then less and less often. */
  #planRetry (): void {
    if (this.#retryPlanned) return
    this.#retryPlanned = true
    const pause = this.#options.retryPause * this.#retryFactor
    this.#retryFactor = Math.min(maxRetryFactor, this.#retryFactor * 2)
    this.#run((async () => {
      await this.#clock.sleep(pause, { signal: this.#abort.signal })
      this.#retryPlanned = false
      this.#givenUp.clear()
      if (this.#replica.wanted.size > 0) this.#startBulk([])
      this.#refill()
      this.#pump()
    })())
  }
}

/** Counts by name. */
class Tally {
  readonly #counts = new Map<string, number>()

  of (name: string): number { return this.#counts.get(name) ?? 0 }

  add (name: string | undefined, change: number): void {
    if (name === undefined) return
    const count = this.of(name) + change
    if (count === 0) this.#counts.delete(name)
    else this.#counts.set(name, count)
  }

  clear (): void { this.#counts.clear() }
}

/** The bytes are what the CID names, and no block of ours: others will not have better ones. */
const isRefused = (error: unknown): boolean => error instanceof Error && error.name === 'DecodeError'
