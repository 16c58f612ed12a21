/**
 * Brings blocks that others announced into the replica (wire.md §3.6). Heads are walked side by side (sync-jobs.ts). A block is merged
 * as soon as everything below it is (sync-waiting.ts); what waits too long, or becomes too much, is merged from the top down, and what
 * is missing then is remembered in the store and fetched later, also after a restart. Where much is missing, a member of ours may send
 * it in bulk (bulk-sync.ts).
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
import { BulkTurn } from './bulk-turn.ts'
import { SyncJobs, type Job } from './sync-jobs.ts'
import { SyncRetry } from './sync-retry.ts'
import { WaitingBlocks } from './sync-waiting.ts'

export interface DagSyncOptions {
  /** Blocks fetched at once. @default 50 */
  readonly parallelFetches?: number | undefined
  /** Time for the first attempt to fetch a block, in ms; each further one has twice as long. @default 5_000 */
  readonly fetchTimeout?: number | undefined
  /** Attempts before a head is given up until it is announced again, and any other block until the next retry. @default 3 */
  readonly fetchAttempts?: number | undefined
  /** First pause in ms before missing blocks are tried again; it doubles up to 32 times this. A new member ends it. @default 2_000 */
  readonly retryPause?: number | undefined
  /** Blocks that wait in memory for those below them. @default 1000 */
  readonly maxWaitingBlocks?: number | undefined
}

/** Pause in ms before a head that nobody has is asked for again; it doubles. */
const headPause = 1_000
/** Ms between two lines about blocks that cannot be fetched. */
const warnPause = 10_000
/** How often deadlines are looked at, in ms. */
const tick = 500
/** Ms after which waiting blocks are merged from the top down: what a crash would lose. */
const longestWait = 5_000
/** Blocks missing below a head from which on they are asked for in bulk; fewer come sooner one by one. */
const bulkGap = 32
/** Blocks missing below a head from which on the store is spared look-ups of new ones, and most blocks here that this is worth looking through. */
const manyBlocks = { missing: 1_000, most: 1_000_000, here: 20_000 }

export class DagSync {
  readonly #replica: Replica
  readonly #exchange: BlockExchange
  readonly #bulk: BulkSync | undefined
  readonly #turn: BulkTurn | undefined
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #options: Required<{ [K in keyof DagSyncOptions]: number }>
  readonly #jobs: SyncJobs
  readonly #waiting: WaitingBlocks
  readonly #ready: Job[] = []
  /** Given up until the next retry. */
  readonly #givenUp = new Set<string>()
  readonly #retry: SyncRetry
  readonly #running = new Set<Promise<void>>()
  #merging = false
  #watching = false
  #expectsMany = false
  #warnedAt = -Infinity
  #unsaid = 0
  #abort = new AbortController()

  constructor (components: { readonly replica: Replica, readonly exchange: BlockExchange, readonly bulk?: BulkSync | undefined, readonly clock: Clock, readonly logger: Logger }, options: DagSyncOptions = {}) {
    this.#replica = components.replica
    this.#exchange = components.exchange
    this.#bulk = components.bulk
    this.#clock = components.clock
    this.#logger = components.logger
    this.#options = {
      parallelFetches: options.parallelFetches ?? 50,
      fetchTimeout: options.fetchTimeout ?? 5_000,
      fetchAttempts: options.fetchAttempts ?? 3,
      retryPause: options.retryPause ?? 2_000,
      maxWaitingBlocks: options.maxWaitingBlocks ?? 1000
    }
    this.#turn = components.bulk === undefined ? undefined : new BulkTurn({ ...components, bulk: components.bulk })
    this.#retry = new SyncRetry(components.clock, this.#options.retryPause)
    this.#jobs = new SyncJobs(this.#options.parallelFetches)
    this.#waiting = new WaitingBlocks(this.#options.maxWaitingBlocks, (job) => { this.#ready.push(job) })
  }

  /** Blocks known to be needed and not merged yet. */
  get pending (): number {
    let only = 0
    for (const id of this.#jobs.ids) if (!this.#replica.wanted.has(id)) only++
    return Math.max(only + this.#replica.wanted.size, this.#bulk?.expected ?? 0)
  }

  /** Blocks fetched now, or next. */
  get queued (): number { return this.#jobs.queued + this.#jobs.fetching.size }

  async start (): Promise<void> {
    this.#abort = new AbortController()
    const ask = (first: readonly PeerId[]): void => { if (this.#replica.blocks === 0 || this.#replica.wanted.size > 0) this.#startBulk(first) }
    await this.#bulk?.start((peer) => { ask([peer]) })
    ask([])
  }

  async stop (): Promise<void> {
    const reason = new Error('stopped')
    this.#abort.abort(reason)
    for (const job of this.#jobs.fetching) job.abort?.abort(reason)
    await this.#bulk?.stop()
    while (this.#running.size > 0) await Promise.allSettled(this.#running)
    this.#jobs.clear()
    this.#waiting.clear()
    this.#ready.length = 0
    this.#givenUp.clear()
    this.#retry.relax()
    this.#expectFew()
  }

  /** Heads that `from` has. */
  announce (heads: readonly CID[], from: PeerId): void {
    const owner = from.toString()
    for (const cid of heads) {
      const id = multihashKey(cid)
      if (this.#replica.heads.has(id)) continue
      this.#givenUp.delete(id)
      const job = this.#jobs.get(id)
      if (job !== undefined) {
        if (!job.from.some((peer) => peer.equals(from))) job.from = [from, ...job.from.slice(0, 7)]
        this.#jobs.adopt(job, owner)
        continue
      }
      if (!this.#jobs.makeRoom(owner, (other) => this.#waiting.isNeeded(other))) {
        this.#warn('too many heads under way, ignored one', cid, from.toString())
        break
      }
      this.#jobs.add({ cid, from: [from], owner, isHead: !this.#replica.wanted.has(id), foundIn: this.#bulkRuns() })
    }
    this.#pump()
  }

  /** Somebody connected, who may have what is missing. */
  memberCame (): void { this.#retry.hurry() }

  /** Fetches what is missing. A full one looks through all blocks for it first, when the store is marked dirty. */
  async repair (): Promise<void> {
    if (this.#replica.markedDirty) {
      this.#logger.info('looking through the DAG for missing blocks')
      await this.#replica.findMissing({ signal: this.#abort.signal })
      await this.#replica.setDirty(false)
    }
    this.#retry.relax()
    this.#goOn()
  }

  #goOn (): void {
    this.#givenUp.clear()
    if (this.#replica.wanted.size > 0) this.#startBulk([])
    this.#refill()
    this.#pump()
  }

  /** Asks members for all that is missing, if there are any to ask; otherwise nothing changes. */
  #startBulk (first: readonly PeerId[]): void {
    const turn = this.#turn
    if (turn === undefined || this.#abort.signal.aborted || !turn.mayRun(first)) return
    this.#run(turn.run(first, () => {
      // It expects many blocks by itself, and few at its end.
      if (!turn.isRunning) this.#expectsMany = false
      // What waited for blocks that came finds them merged.
      this.#pump()
    }, this.#abort.signal))
  }

  #bulkRuns (): number { return this.#turn?.runs ?? 0 }

  /** Priority of the highest head here. */
  #height (): number { return nextPriority(this.#replica.heads) - 1 }

  #refill (): void {
    for (const [id, cid] of this.#replica.wanted) {
      if (this.#jobs.get(id) !== undefined || this.#givenUp.has(id)) continue
      if (this.#jobs.add({ cid, from: [], owner: '', isHead: false, foundIn: this.#bulkRuns() }) === undefined) return
    }
  }

  #pump (): void {
    if (this.#abort.signal.aborted) return
    if (this.#jobs.queued === 0 && this.#jobs.fetching.size === 0 && this.#waiting.size === 0 && this.#ready.length === 0) this.#refill()
    while (!this.#waiting.isOverfull && this.#waiting.size + this.#ready.length < 2 * this.#options.maxWaitingBlocks) {
      const job = this.#jobs.next(this.#turn?.isQuick === true)
      if (job === undefined) break
      this.#run(this.#fetch(job))
    }
    if (!this.#watching && (this.#jobs.fetching.size > 0 || this.#waiting.size > 0)) this.#run(this.#watch())
  }

  #run (work: Promise<void>): void {
    const run = work.catch((error: unknown) => {
      if (!this.#abort.signal.aborted) this.#logger.error('DAG sync', errorText(error))
    }).finally(() => this.#running.delete(run))
    this.#running.add(run)
  }

  /** Runs while anything is fetched or waits: deadlines of both. */
  async #watch (): Promise<void> {
    const { signal } = this.#abort
    this.#watching = true
    while (!signal.aborted && (this.#jobs.fetching.size > 0 || this.#waiting.size > 0)) {
      await this.#clock.sleep(tick, { signal }).catch(() => {})
      const now = this.#clock.now()
      for (const job of this.#jobs.fetching) {
        const time = this.#options.fetchTimeout * 2 ** job.attempts
        if (now - job.since >= time) job.abort?.abort(new Error(`no answer within ${time} ms`))
      }
      if (this.#waiting.size > 0 && now - this.#waiting.since >= longestWait) {
        this.#waiting.releaseAll()
        this.#merge()
      }
    }
    this.#watching = false
  }

  async #fetch (job: Job): Promise<void> {
    const abort = new AbortController()
    job.abort = abort
    job.since = this.#clock.now()
    // Look-ups are dear: what was missing a moment ago is not looked up again.
    const mayBeHere = job.isHead || job.attempts > 0 || this.#turn?.isRunning === true || job.foundIn !== this.#bulkRuns()
    try {
      if (mayBeHere && await this.#replica.isMerged(job.cid)) {
        this.#forget(job)
        this.#waiting.release(job.id)
      } else {
        const bytes = await this.#exchange.fetch(job.cid, { from: job.attempts === 0 ? job.from : [], onlyNow: true, signal: abort.signal })
        const block = decodeBlock(job.cid, bytes)
        this.#arrived(job, block, await this.#replica.missingLinks(block, () => false))
      }
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#failed(job, error)
    } finally {
      job.abort = undefined
      this.#jobs.done(job)
    }
    this.#merge()
    this.#pump()
  }

  #arrived (job: Job, block: DeltaBlock, missing: readonly CID[]): void {
    job.block = block
    let incomplete = this.#replica.heads.size === 0
    const waitsFor: string[] = []
    for (const cid of missing) {
      const id = multihashKey(cid)
      const below = this.#jobs.get(id) ?? (this.#givenUp.has(id) ? undefined : this.#jobs.add({ cid, from: job.from, owner: job.owner, isHead: false, foundIn: this.#bulkRuns() }))
      if (below === undefined || below.attempts > 0) incomplete = true
      if (below?.ready !== true) waitsFor.push(id)
    }
    const gap = block.delta.priority - this.#height()
    if (missing.length > 0 && (this.#jobs.size > bulkGap || gap > bulkGap)) this.#startBulk(job.from)
    if (missing.length > 0 && gap > manyBlocks.missing) this.#expectMany(gap)
    this.#waiting.add(job, waitsFor, this.#clock.now())
    if (incomplete) this.#waiting.releaseAll()
  }

  #expectMany (blocks: number): void {
    if (this.#expectsMany || this.#turn?.isRunning === true || this.#replica.blocks > manyBlocks.here) return
    this.#expectsMany = true
    this.#run(this.#replica.expectMany(Math.min(manyBlocks.most, blocks)))
  }

  #expectFew (): void {
    if (this.#expectsMany && this.#turn?.isRunning !== true) this.#replica.expectFew()
    this.#expectsMany = false
  }

  #forget (job: Job): void {
    this.#jobs.drop(job)
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
      const { wanted } = this.#replica
      const wereWanted = jobs.filter(({ id }) => wanted.has(id))
      const settle = (): void => {
        for (const job of jobs) {
          this.#waiting.merged(job)
          this.#forget(job)
        }
      }
      try {
        await this.#replica.merge(jobs.flatMap(({ block }) => block ?? []))
      } catch (error) {
        settle()
        // What finds no room now is not fetched again and again.
        for (const { id } of wereWanted) this.#givenUp.add(id)
        this.#planRetry()
        throw error
      }
      settle()
      // What others cannot provoke: a missing block came.
      if (wereWanted.length > 0) this.#retry.relax()
      this.#logger.debug('merged blocks', jobs.length, 'missing', wanted.size)
      if (wanted.size > 0) this.#planRetry()
      else this.#expectFew()
    }
  }

  #failed (job: Job, error: unknown): void {
    job.attempts++
    if (this.#waiting.isNeeded(job.id)) this.#waiting.releaseAll()
    const isHead = job.isHead && !this.#replica.wanted.has(job.id)
    const isNowhere = isNamed(error, 'BlockNotFoundError')
    // The bytes are what the CID names, and no block of ours: others will not have better ones.
    // A head may be quicker than its block: whoever connects us with its author still has to get it.
    const attempts = this.#options.fetchAttempts + (isNowhere ? 2 : 0)
    if (job.attempts < attempts && !isNamed(error, 'DecodeError') && (isHead || !isNowhere)) {
      if (isNowhere) this.#run(this.#askLater(job))
      else this.#jobs.again(job)
      return
    }
    this.#jobs.drop(job)
    this.#waiting.forget(job.id)
    this.#warn(isHead ? 'a head cannot be fetched, waiting until it is announced again' : 'a block cannot be fetched, trying again later', job.cid, error)
    if (isHead) return
    this.#givenUp.add(job.id)
    this.#planRetry()
  }

  /** Nobody can fill the log. */
  #warn (message: string, cid: CID, error: unknown): void {
    const now = this.#clock.now()
    this.#unsaid++
    if (now - this.#warnedAt < warnPause) return
    this.#logger.warn(message, cid, errorText(error), 'failures since the last such line:', this.#unsaid)
    this.#warnedAt = now
    this.#unsaid = 0
  }

  async #askLater (job: Job): Promise<void> {
    await this.#clock.sleep(headPause * 2 ** job.attempts, { signal: this.#abort.signal })
    this.#jobs.again(job)
    this.#pump()
  }

  #planRetry (): void {
    this.#run(this.#retry.plan(this.#abort.signal).then((isDue) => { if (isDue) this.#goOn() }))
  }
}

const isNamed = (error: unknown, name: string): boolean => error instanceof Error && error.name === name
