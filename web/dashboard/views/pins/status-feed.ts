/** Statuses of pins: of those that somebody works on or failed as a listing, of those in sight by asking, and as they change. */
import { parseStatusFilter } from '../../../../src/pin/status.ts'
import type { PinProgress } from '../../../../src/tracker/tracker.ts'
import type { PinInfoShort } from '../../../../src/pin/pin-info.ts'
import type { Members } from '../../members.ts'
import type { Session } from '../../session.ts'
import { tallyOf } from './pin-table.ts'
import type { PinTable } from './pin-table.ts'

const unsettled = parseStatusFilter('error,queued,pinning,unpinning,unexpectedly_unpinned')
const perQuestion = 60
/** Other peers' work is not announced here: what is in sight and unsettled is asked for again, ever more rarely. */
const againAfter: readonly number[] = [1_000, 2_000, 4_000, 8_000]
const rarely = 15_000

export class StatusFeed {
  readonly progress = new Map<string, PinProgress>()
  readonly #session: Session
  readonly #members: Members
  readonly #table: () => PinTable
  readonly #changed: () => void
  readonly #abort = new AbortController()
  #sight: readonly string[] = []
  #asking: Promise<void> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #round = 0

  constructor (session: Session, members: Members, table: () => PinTable, changed: () => void) {
    this.#session = session
    this.#members = members
    this.#table = table
    this.#changed = changed
  }

  stop (): void {
    this.#abort.abort()
    clearTimeout(this.#timer)
  }

  /** Marks every pin that is not where it should be. */
  async listUnsettled (): Promise<void> {
    const { signal } = this.#abort
    for await (const { cid, peerMap } of this.#session.client.statusAll({ filter: unsettled, signal })) {
      const table = this.#table()
      const row = table.row(cid.toString())
      if (row === undefined || table.knowledge(row) === 'asked') continue
      this.#count(row, peerMap, 'listed')
      this.#changed()
    }
  }

  /** These rows are in sight now. */
  look (cids: readonly string[]): void {
    this.#sight = cids
    this.#round = 0
    this.#schedule(120)
  }

  /** A peer says something new of this pin. */
  forget (cid: string): void {
    const table = this.#table()
    const row = table.row(cid)
    if (row === undefined) return
    if (table.knowledge(row) === 'asked') table.setTally(row, table.tally(row), 'listed')
    if (this.#sight.includes(cid)) { this.#round = 0; this.#schedule(120) }
  }

  #schedule (wait: number): void {
    clearTimeout(this.#timer)
    if (!this.#abort.signal.aborted) this.#timer = setTimeout(() => { this.#run() }, wait)
  }

  #run (): void {
    if (this.#asking !== undefined) return this.#schedule(100)
    this.#asking = this.#ask().catch(() => { this.#schedule(rarely) }).finally(() => { this.#asking = undefined })
  }

  async #ask (): Promise<void> {
    const table = this.#table()
    const isOpen = (cid: string, row: number): boolean => {
      return table.knowledge(row) !== 'asked' || this.progress.has(cid) || (this.#round > 0 && this.#isUnsettled(row))
    }
    const open = this.#sight.filter((cid) => { const row = table.row(cid); return row !== undefined && isOpen(cid, row) }).slice(0, perQuestion)
    if (open.length > 0 && this.#session.live.state !== 'offline') await this.#askFor(open)
    const wait = document.hidden ? rarely : againAfter[this.#round++] ?? rarely
    const left = this.#sight.some((cid) => { const row = table.row(cid); return row !== undefined && (table.knowledge(row) !== 'asked' || this.#isUnsettled(row)) })
    if (left) this.#schedule(wait)
  }

  /** Somebody works on it, or some of those who are to hold it have not heard of it yet. */
  #isUnsettled (row: number): boolean {
    const table = this.#table()
    const { durable, busy, failed } = table.tally(row)
    const wanted = table.wanted[row] ?? 0
    return busy > 0 || (failed === 0 && durable < (wanted < 0 ? this.#members.fullCount : wanted))
  }

  async #askFor (cids: readonly string[]): Promise<void> {
    for await (const { cid, peerMap } of this.#session.client.statusAll({ cids, signal: this.#abort.signal })) {
      const row = this.#table().row(cid.toString())
      if (row === undefined) continue
      this.#count(row, peerMap, 'asked')
      this.#changed()
    }
  }

  #count (row: number, peerMap: ReadonlyMap<string, PinInfoShort>, knowledge: 'listed' | 'asked'): void {
    const table = this.#table()
    const tally = tallyOf([...peerMap].map(([peer, info]) => [peer, info.status] as const), (peer) => this.#members.isTab(peer))
    table.setTally(row, knowledge === 'asked' ? tally : { ...table.tally(row), busy: tally.busy, failed: tally.failed }, knowledge)
    if (tally.busy === 0) this.progress.delete(table.cids[row] ?? '')
  }
}
