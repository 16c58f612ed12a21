/** The list of pins behind the view: streams the pinset in, keeps it current, and says which rows are shown. */
import type { ApiEvent } from '../../../../src/api/events.ts'
import { isEverywhere, pinTypes } from '../../../../src/pin/pin.ts'
import type { Pin } from '../../../../src/pin/pin.ts'
import { membersOf } from '../../members.ts'
import type { Members } from '../../members.ts'
import type { Session } from '../../session.ts'
import { Pacer } from './pause.ts'
import { allPins, orderOf } from './pin-order.ts'
import type { Criteria } from './pin-order.ts'
import { PinTable, rowOf, tallyOf } from './pin-table.ts'
import { StatusFeed } from './status-feed.ts'

export type LoadState = { readonly kind: 'loading' } | { readonly kind: 'loaded' } | { readonly kind: 'failed', readonly error: unknown }

const refreshEvery = 300

export class PinList {
  readonly members: Members
  readonly feed: StatusFeed
  load: LoadState = { kind: 'loading' }
  table = new PinTable()
  /** Rows of the table, in the order in which they are shown. */
  rows: Uint32Array = new Uint32Array(0)
  criteria: Criteria = allPins
  /** Bytes of pins, where an add or the progress of a pin told them. */
  readonly sizes = new Map<string, number>()
  /** Scroll position, active row, and whether the keys were in the list: for coming back. */
  scrollTop = 0
  active = 0
  hadFocus = false
  readonly #session: Session
  readonly #listeners = new Set<() => void>()
  readonly #unsubscribe: Array<() => void> = []
  #loading = new AbortController()
  #ordering = new AbortController()
  #isAnnounced = false
  #orderTimer: ReturnType<typeof setTimeout> | undefined
  #orderTook = 0

  constructor (session: Session) {
    this.#session = session
    this.members = membersOf(session)
    this.feed = new StatusFeed(session, this.members, () => this.table, () => { this.announce() })
    this.#unsubscribe.push(
      session.live.subscribe(['pin:added', 'pin:removed', 'status:changed', 'pin:progressed'], (event) => { this.#hear(event) }),
      session.live.subscribe(['events:dropped'], () => { this.reload() }),
      this.members.onChange(() => { this.announce() })
    )
    this.reload()
  }

  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  /** Tells listeners once per frame, however often it is called. */
  announce (): void {
    if (this.#isAnnounced) return
    this.#isAnnounced = true
    const tell = (): void => {
      this.#isAnnounced = false
      for (const listener of this.#listeners) listener()
    }
    if (document.hidden) setTimeout(tell, 200)
    else requestAnimationFrame(tell)
  }

  show (criteria: Criteria): void {
    this.criteria = criteria
    this.announce()
    this.#reorder(0)
  }

  /** Reads the pinset anew; what is shown stays until the new one is whole. */
  readonly reload = (): void => {
    this.#loading.abort()
    this.#loading = new AbortController()
    const { signal } = this.#loading
    if (this.table.size === 0) this.load = { kind: 'loading' }
    this.announce()
    this.#load(signal).then(
      () => { if (!signal.aborted) this.#loaded({ kind: 'loaded' }) },
      (error: unknown) => { if (!signal.aborted) this.#loaded(this.table.size > 0 ? { kind: 'loaded' } : { kind: 'failed', error }) }
    )
  }

  stop (): void {
    this.#loading.abort()
    this.#ordering.abort()
    clearTimeout(this.#orderTimer)
    this.feed.stop()
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
  }

  #loaded (load: LoadState): void {
    this.load = load
    this.#reorder(0)
    this.announce()
    this.feed.listUnsettled().then(() => { this.#reorder(0) }, () => {})
  }

  async #load (signal: AbortSignal): Promise<void> {
    await this.members.known()
    const isFirst = this.table.size === 0
    const table = isFirst ? this.table : new PinTable()
    const pacer = new Pacer()
    for await (const line of this.#session.client.json.allocations({ signal })) {
      const pin = rowOf(line, this.members.self)
      if (pin !== undefined) table.put(pin)
      if (!pacer.isDue()) continue
      if (isFirst) { this.announce(); this.#reorder(refreshEvery) }
      await pacer.pause()
    }
    signal.throwIfAborted()
    if (!isFirst) this.#carryOver(table)
  }

  /** The new table takes the place of the old one, with its selection and what is known of statuses. */
  #carryOver (table: PinTable): void {
    const old = this.table
    for (let row = 0; row < old.length; row++) {
      const now = old.isGone(row) ? undefined : table.row(old.cids[row] ?? '')
      if (now === undefined) continue
      table.select(now, old.isSelected(row))
      if (old.knowledge(row) !== 'none') table.setTally(now, old.tally(row), 'listed')
    }
    this.table = table
    this.rows = new Uint32Array(0)
  }

  #hear (event: ApiEvent): void {
    switch (event.type) {
      case 'pin:added': return this.#added(event.data)
      case 'pin:removed': return this.#removed(event.data)
      case 'pin:progressed':
        this.feed.progress.set(event.data.cid.toString(), event.data)
        if (event.data.totalBytes !== undefined) this.sizes.set(event.data.cid.toString(), event.data.totalBytes)
        return this.announce()
      case 'status:changed': {
        const { cid, peer, status } = event.data
        const row = this.table.row(cid.toString())
        if (row === undefined) return
        const { busy, failed } = tallyOf([[peer.toString(), status]], () => false)
        const before = this.table.tally(row)
        this.table.setTally(row, { ...before, busy, failed }, this.table.knowledge(row))
        this.feed.forget(cid.toString())
        if (busy === 0) this.feed.progress.delete(cid.toString())
        if (this.criteria.status !== 'any') this.#reorder(refreshEvery)
        return this.announce()
      }
    }
  }

  #added (pin: Pin): void {
    const everywhere = isEverywhere(pin)
    const cid = pin.cid.toString()
    this.table.put({
      cid, name: pin.name, created: pin.timestamp ?? Date.now(), type: pinTypes.indexOf(pin.type), wanted: everywhere ? -1 : pin.allocations.length,
      isMine: everywhere || pin.allocations.some((peer) => peer.toString() === this.members.self)
    })
    this.feed.forget(cid)
    this.#reorder(50)
  }

  #removed (cid: string): void {
    if (this.table.remove(cid)) this.#reorder(50)
    this.feed.progress.delete(cid)
  }

  /** Puts the rows in order soon; calls that come before share one run. */
  #reorder (wait: number): void {
    if (this.#orderTimer !== undefined && wait > 0) return
    clearTimeout(this.#orderTimer)
    // While thousands of pins arrive, ordering takes a third of the time at most.
    this.#orderTimer = setTimeout(() => {
      this.#orderTimer = undefined
      this.#ordering.abort()
      this.#ordering = new AbortController()
      const { signal } = this.#ordering
      const { table } = this
      const begin = performance.now()
      orderOf(table, this.criteria, { unsorted: this.load.kind === 'loading', signal }).then((rows) => {
        if (signal.aborted || table !== this.table) return
        this.#orderTook = performance.now() - begin
        this.rows = rows
        this.announce()
      }, () => {})
    }, wait === 0 ? 0 : Math.max(wait, 2 * this.#orderTook))
  }
}

const lists = new WeakMap<Session, PinList>()

/** The list of a session: it stays while other views are shown. */
export function pinListOf (session: Session): PinList {
  const list = lists.get(session) ?? new PinList(session)
  lists.set(session, list)
  return list
}
