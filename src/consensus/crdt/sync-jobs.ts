/**
 * The blocks that are needed and not here, and which of them is fetched next. Each announcer of heads owns what its heads lead to,
 * and owners take turns: nobody's blocks, however many or however slow, hold up those of another one.
 */
import type { DeltaBlock } from '../../crdt/block.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { multihashKey } from '../../pin/keys.ts'

export interface Job {
  readonly cid: CID
  readonly id: string
  from: PeerId[]
  /** Who announced the head that led here, in text; empty: it was missing before. */
  owner: string
  /** An announced head, which is given up when nobody has it. Others link to everything else. */
  readonly isHead: boolean
  /** Which run of bulk sync was the last one when it was found to be missing. */
  readonly foundIn: number
  attempts: number
  /** When its fetch began, and the way to end it. */
  since: number
  abort: AbortController | undefined
  /** Set once fetched. */
  block: DeltaBlock | undefined
  /** Ids of unmerged blocks below it that it waits for. */
  readonly below: Set<string>
  /** Its merge is next, or going on. */
  ready: boolean
}

/** Blocks known to be needed and kept in memory; further ones are found again in the store. */
const maxJobs = 10_000
/** Heads of one announcer that are under way at once; the oldest go first: newer ones lead to them. */
const maxHeadsOfOwner = 2048
/** Fetches that an owner always gets at once, even when all are taken. */
const sureShare = 4
/** Fetches of one owner while others wait. */
const fairShare = 16
/** Fetches of heads of one owner while nobody else waits: a part of all. */
const loneShare = 0.8

export class SyncJobs {
  readonly #parallel: number
  readonly #all = new Map<string, Job>()
  /** Owners in turn: whose job was taken goes to the end. */
  readonly #queues = new Map<string, Job[]>()
  readonly #heads = new Tally()
  readonly #fetches = new Tally()
  readonly #fetching = new Set<Job>()
  #queued = 0

  /** `parallel`: fetches at once. */
  constructor (parallel: number) { this.#parallel = parallel }

  get size (): number { return this.#all.size }
  get queued (): number { return this.#queued }
  get fetching (): ReadonlySet<Job> { return this.#fetching }
  get ids (): Iterable<string> { return this.#all.keys() }

  get (id: string): Job | undefined { return this.#all.get(id) }

  /** A new job at the end of its owner's queue; undefined when there are too many. */
  add (what: Pick<Job, 'cid' | 'from' | 'owner' | 'isHead' | 'foundIn'>): Job | undefined {
    if (this.#all.size >= maxJobs) return undefined
    const job: Job = { ...what, id: multihashKey(what.cid), attempts: 0, since: 0, abort: undefined, block: undefined, below: new Set(), ready: false }
    this.#all.set(job.id, job)
    if (job.isHead) this.#heads.add(job.owner, 1)
    this.#enqueue(job)
    return job
  }

  drop (job: Job): void { if (this.#all.delete(job.id) && job.isHead) this.#heads.add(job.owner, -1) }

  /** Room for one more head of this owner, if need be in place of its oldest that nobody needs or fetches yet. */
  makeRoom (owner: string, isNeeded: (id: string) => boolean): boolean {
    if (this.#heads.of(owner) < maxHeadsOfOwner && this.#all.size < maxJobs) return true
    const queue = this.#queues.get(owner) ?? []
    const at = queue.findIndex((job) => job.isHead && !isNeeded(job.id))
    const oldest = queue[at]
    if (oldest === undefined) return false
    this.#take(owner, queue, at)
    this.drop(oldest)
    return true
  }

  /** The next one to fetch, which counts as being fetched until `done`; undefined: none now. */
  next (headsOnly: boolean): Job | undefined {
    const share = Math.max(sureShare, Math.min(fairShare, Math.floor(this.#parallel / this.#queues.size)))
    for (const isAlone of [false, true]) {
      for (const [owner, queue] of this.#queues) {
        const mayHead = this.#mayFetch(owner, isAlone ? this.#parallel * loneShare : share)
        const mayOther = !headsOnly && this.#mayFetch(owner, isAlone ? this.#parallel : share)
        const at = !mayHead && !mayOther ? -1 : queue.findIndex(({ isHead }) => isHead ? mayHead : mayOther)
        const job = queue[at]
        if (job === undefined) continue
        this.#take(owner, queue, at)
        if (queue.length > 0) {
          this.#queues.delete(owner)
          this.#queues.set(owner, queue)
        }
        this.#fetching.add(job)
        this.#fetches.add(owner, 1)
        return job
      }
    }
    return undefined
  }

  /** The fetch is over. */
  done (job: Job): void { if (this.#fetching.delete(job)) this.#fetches.add(job.owner, -1) }

  /** Somebody else announces it, too: it waits where it waits less. */
  adopt (job: Job, owner: string): void {
    const queue = this.#queues.get(job.owner) ?? []
    const at = queue.indexOf(job)
    if (at < 0 || owner === job.owner || (this.#queues.get(owner)?.length ?? 0) >= at) return
    this.#take(job.owner, queue, at)
    if (job.isHead) {
      this.#heads.add(job.owner, -1)
      this.#heads.add(owner, 1)
    }
    job.owner = owner
    this.#enqueue(job)
  }

  /** To be fetched once more. */
  again (job: Job): void { if (this.#all.get(job.id) === job) this.#enqueue(job) }

  clear (): void {
    this.#all.clear()
    this.#queues.clear()
    this.#heads.clear()
    this.#queued = 0
  }

  #mayFetch (owner: string, share: number): boolean {
    const own = this.#fetches.of(owner)
    return own < sureShare ? this.#fetching.size < 2 * this.#parallel : own < share && this.#fetching.size < this.#parallel
  }

  #enqueue (job: Job): void {
    const queue = this.#queues.get(job.owner)
    if (queue === undefined) this.#queues.set(job.owner, [job])
    else queue.push(job)
    this.#queued++
  }

  #take (owner: string, queue: Job[], at: number): void {
    queue.splice(at, 1)
    this.#queued--
    if (queue.length === 0) this.#queues.delete(owner)
  }
}

/** Counts by name. */
class Tally {
  readonly #counts = new Map<string, number>()

  of (name: string): number { return this.#counts.get(name) ?? 0 }

  add (name: string, change: number): void {
    const count = this.of(name) + change
    if (count === 0) this.#counts.delete(name)
    else this.#counts.set(name, count)
  }

  clear (): void { this.#counts.clear() }
}
