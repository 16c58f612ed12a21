/** The pinset as columns: a hundred thousand pins are a few arrays, not a hundred thousand objects. */
import { pinTypes } from '../../../../src/pin/pin.ts'
import type { PinInfoShort } from '../../../../src/pin/pin-info.ts'

/** A pin as listings print it, as far as the table keeps it. */
export interface PinRow {
  readonly cid: string
  readonly name: string
  /** Unix ms; 0 where the pin has none. */
  readonly created: number
  /** Index in `pinTypes`. */
  readonly type: number
  /** How many peers are to hold it; -1 = all of them. */
  readonly wanted: number
  /** The peer that is asked is one of them. */
  readonly isMine: boolean
}

/** What peers say of one pin, counted. */
export interface Tally {
  /** Full peers that hold it. */
  readonly durable: number
  /** Tabs that hold it. */
  readonly tabs: number
  readonly busy: number
  readonly failed: number
}

/** `listed`: only that some peer works on it or failed is known; `asked`: the tally is whole. */
export type Knowledge = 'none' | 'listed' | 'asked'
const knowledges: readonly Knowledge[] = ['none', 'listed', 'asked']

const goZeroTime = '0001-'

/** Reads one line of a listing; undefined where it is not a pin. Values are not decoded further: a hundred thousand of them come at once. */
export function rowOf (line: Readonly<Record<string, unknown>>, self: string): PinRow | undefined {
  const { cid, name, timestamp, type, allocations, replication_factor_min: min, replication_factor_max: max } = line
  if (typeof cid !== 'string' || cid === '') return undefined
  const holders = Array.isArray(allocations) ? allocations as readonly unknown[] : []
  const isEverywhere = typeof min === 'number' && min < 0 && typeof max === 'number' && max < 0
  return {
    cid,
    name: typeof name === 'string' ? name : '',
    created: typeof timestamp === 'string' && !timestamp.startsWith(goZeroTime) ? Date.parse(timestamp) || 0 : 0,
    type: Math.max(0, pinTypes.findIndex((known) => known === type)),
    wanted: isEverywhere ? -1 : holders.length,
    isMine: isEverywhere || holders.includes(self)
  }
}

const mineBit = 1
const selectedBit = 2
const goneBit = 4

/** Columns and an index by CID. Rows keep their number; removed ones are marked. */
export class PinTable {
  readonly cids: string[] = []
  readonly names: string[] = []
  readonly created: number[] = []
  readonly types: number[] = []
  readonly wanted: number[] = []
  readonly #flags: number[] = []
  readonly #known: number[] = []
  readonly #durable: number[] = []
  readonly #tabs: number[] = []
  readonly #busy: number[] = []
  readonly #failed: number[] = []
  readonly #rows = new Map<string, number>()
  #selected = 0
  #size = 0

  /** Rows, removed ones included. */
  get length (): number { return this.cids.length }
  /** Pins. */
  get size (): number { return this.#size }
  get selected (): number { return this.#selected }

  row (cid: string): number | undefined { return this.#rows.get(cid) }

  /** Adds a pin, or changes the one with its CID. Returns its row. */
  put (pin: PinRow): number {
    const known = this.#rows.get(pin.cid)
    const row = known ?? this.cids.length
    if (known === undefined) {
      this.#rows.set(pin.cid, row)
      this.cids.push(pin.cid)
      this.#flags.push(0)
      for (const column of [this.#known, this.#durable, this.#tabs, this.#busy, this.#failed]) column.push(0)
      this.#size++
    }
    this.names[row] = pin.name
    this.created[row] = pin.created
    this.types[row] = pin.type
    this.wanted[row] = pin.wanted
    this.#mark(row, mineBit, pin.isMine)
    return row
  }

  remove (cid: string): boolean {
    const row = this.#rows.get(cid)
    if (row === undefined) return false
    this.select(row, false)
    this.#mark(row, goneBit, true)
    this.#rows.delete(cid)
    this.#size--
    return true
  }

  isGone (row: number): boolean { return this.#has(row, goneBit) }
  isMine (row: number): boolean { return this.#has(row, mineBit) }
  isSelected (row: number): boolean { return this.#has(row, selectedBit) }

  select (row: number, selected: boolean): void {
    if (this.isSelected(row) === selected || this.isGone(row)) return
    this.#mark(row, selectedBit, selected)
    this.#selected += selected ? 1 : -1
  }

  selectedCids (): readonly string[] { return this.cids.filter((_, row) => this.isSelected(row)) }

  knowledge (row: number): Knowledge { return knowledges[this.#known[row] ?? 0] ?? 'none' }

  tally (row: number): Tally {
    return { durable: this.#durable[row] ?? 0, tabs: this.#tabs[row] ?? 0, busy: this.#busy[row] ?? 0, failed: this.#failed[row] ?? 0 }
  }

  setTally (row: number, tally: Tally, knowledge: Knowledge): void {
    this.#durable[row] = tally.durable
    this.#tabs[row] = tally.tabs
    this.#busy[row] = tally.busy
    this.#failed[row] = tally.failed
    this.#known[row] = knowledges.indexOf(knowledge)
  }

  #has (row: number, bit: number): boolean { return ((this.#flags[row] ?? 0) & bit) !== 0 }
  #mark (row: number, bit: number, on: boolean): void { this.#flags[row] = on ? (this.#flags[row] ?? 0) | bit : (this.#flags[row] ?? 0) & ~bit }
}

const busyStatuses: ReadonlySet<string> = new Set(['pinning', 'pin_queued', 'unpinning', 'unpin_queued'])
const failedStatuses: ReadonlySet<string> = new Set(['pin_error', 'unpin_error', 'cluster_error', 'unexpectedly_unpinned'])

/** Counts what peers say. */
export function tallyOf (statuses: Iterable<readonly [string, PinInfoShort['status']]>, isTab: (peer: string) => boolean): Tally {
  let [durable, tabs, busy, failed] = [0, 0, 0, 0]
  for (const [peer, status] of statuses) {
    if (status === 'pinned' && isTab(peer)) tabs++
    else if (status === 'pinned') durable++
    else if (busyStatuses.has(status)) busy++
    else if (failedStatuses.has(status)) failed++
  }
  return { durable, tabs, busy, failed }
}
