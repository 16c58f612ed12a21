/** One writer of the soak: pins and unpins at a steady rate at one member, as long as it answers. */
import { call, freshCid, quantile } from '../../bench/load.ts'
import type { Member } from '../members.ts'
import type { SoakLedger } from './ledger.ts'

/** One operation in this many is an unpin. */
const unpinEvery = 5
/** Pins of the writers that may be unpinned by any of them; older ones stay. */
const maxCandidates = 2000
/** Requests at a time to one member. */
const maxPending = 32
const requestTimeout = 30_000

/** What was pinned and may be unpinned, by whoever has it. */
export type Candidates = string[]

export class SoakWriter {
  readonly member: Member
  readonly #ledger: SoakLedger
  readonly #candidates: Candidates
  readonly #abort = new AbortController()
  readonly #pending = new Set<Promise<void>>()
  #latencies: number[] = []
  #acknowledged = 0
  #failed = 0
  #count = 0
  #paused = true
  #running: Promise<void> = Promise.resolve()

  constructor (member: Member, ledger: SoakLedger, candidates: Candidates) {
    this.member = member
    this.#ledger = ledger
    this.#candidates = candidates
  }

  start (perSecond: number): void { this.#running = this.#run(1000 / perSecond) }

  /** Nothing new is asked of it until `resume`. */
  pause (): void { this.#paused = true }
  resume (): void { this.#paused = false }

  async stop (): Promise<void> {
    this.#abort.abort()
    await this.#running
    await Promise.all(this.#pending)
  }

  /** Since it was last asked. */
  take (): { readonly acknowledged: number, readonly failed: number, readonly p99: number } {
    const taken = { acknowledged: this.#acknowledged, failed: this.#failed, p99: quantile(this.#latencies, 0.99) }
    this.#latencies = []
    this.#acknowledged = this.#failed = 0
    return taken
  }

  async #run (interval: number): Promise<void> {
    let due = performance.now()
    while (!this.#abort.signal.aborted) {
      due = Math.max(due + interval, performance.now() - 1000)
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())))
      if (this.#paused || this.#pending.size >= maxPending) continue
      const work = this.#one().finally(() => { this.#pending.delete(work) })
      this.#pending.add(work)
    }
  }

  async #one (): Promise<void> {
    const unpins = ++this.#count % unpinEvery === 0
    const cid = unpins ? this.#candidates.shift() : freshCid()
    if (cid === undefined) return
    const begin = performance.now()
    const answer = await this.#ask(unpins ? 'DELETE' : 'POST', `/pins/${cid}?name=soak`)
    if (answer === 200) {
      this.#acknowledged++
      this.#latencies.push(performance.now() - begin)
      if (unpins) this.#ledger.unpinned(cid, this.member, Date.now())
      else this.#pinned(cid)
    } else if (unpins && answer === 404) {
      this.#candidates.push(cid) // it has not come here yet
    } else {
      this.#failed++
      if (unpins) this.#ledger.unpinDoubtful(cid)
      else this.#ledger.pinDoubtful(cid)
    }
  }

  #pinned (cid: string): void {
    this.#ledger.pinned(cid, this.member, Date.now())
    if (this.#candidates.length < maxCandidates) this.#candidates.push(cid)
  }

  /** The status; undefined without an answer. */
  async #ask (method: string, path: string): Promise<number | undefined> {
    const late = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => { late.resolve(undefined) }, requestTimeout)
    try {
      return await Promise.race([call(this.member.base, method, path).then(({ status }) => status, () => undefined), late.promise])
    } finally { clearTimeout(timer) }
  }
}
