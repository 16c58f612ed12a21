/** Which pins are shown, and in which order. */
import { pinTypes } from '../../../../src/pin/pin.ts'
import { Pacer } from './pause.ts'
import type { PinTable } from './pin-table.ts'

export type StatusChoice = 'any' | 'failed' | 'busy' | 'settled'
export type TypeChoice = 'any' | 'pin' | 'meta-pin' | 'clusterdag-pin' | 'shard-pin'
export type SortKey = 'name' | 'cid' | 'created'

export interface Criteria {
  /** Part of the name or the CID. */
  readonly search: string
  readonly status: StatusChoice
  readonly type: TypeChoice
  /** Only what the peer that is asked is to hold. */
  readonly mine: boolean
  readonly sort: SortKey
  readonly descending: boolean
}

export const allPins: Criteria = { search: '', status: 'any', type: 'any', mine: false, sort: 'created', descending: true }

export const isNarrowed = ({ search, status, type, mine }: Criteria): boolean => search.trim() !== '' || status !== 'any' || type !== 'any' || mine

/** Whether a row is to be shown. */
export function matcherOf (table: PinTable, { search, status, type, mine }: Criteria): (row: number) => boolean {
  const wanted = search.trim().toLowerCase()
  const typeIndex = type === 'any' ? -1 : pinTypes.indexOf(type)
  const fits = (row: number): boolean => {
    if (status === 'any') return true
    const { failed, busy } = table.tally(row)
    return status === 'failed' ? failed > 0 : status === 'busy' ? busy > 0 : failed === 0 && busy === 0
  }
  return (row) => !table.isGone(row) && (typeIndex < 0 || table.types[row] === typeIndex) && (!mine || table.isMine(row)) && fits(row) &&
    (wanted === '' || (table.names[row] ?? '').toLowerCase().includes(wanted) || (table.cids[row] ?? '').toLowerCase().includes(wanted))
}

type Compare = (a: number, b: number) => number

function compareOf (table: PinTable, { sort, descending }: Criteria): Compare {
  const sign = descending ? -1 : 1
  if (sort === 'created') return (a, b) => sign * ((table.created[a] ?? 0) - (table.created[b] ?? 0)) || a - b
  const keys = sort === 'cid' ? table.cids : table.names.map((name) => name.toLowerCase())
  return (a, b) => {
    const [x = '', y = ''] = [keys[a], keys[b]]
    // Pins without a name come last in both directions.
    if (x === y) return a - b
    if (x === '' || y === '') return x === '' ? 1 : -1
    return x < y ? -sign : sign
  }
}

export interface OrderOptions {
  /** Keep the order of arrival: the listing is still coming. */
  readonly unsorted: boolean
  readonly signal: AbortSignal
}

/** The rows that match, in order. Works in pieces of a few ms. */
export async function orderOf (table: PinTable, criteria: Criteria, { unsorted, signal }: OrderOptions): Promise<Uint32Array> {
  const pacer = new Pacer()
  const matches = matcherOf(table, criteria)
  const rows = new Uint32Array(table.length)
  let found = 0
  for (let row = 0; row < rows.length; row++) {
    if (matches(row)) rows[found++] = row
    if (row % 512 === 0 && pacer.isDue()) {
      await pacer.pause()
      signal.throwIfAborted()
    }
  }
  const matched = rows.slice(0, found)
  return unsorted ? matched : await sorted(matched, compareOf(table, criteria), pacer, signal)
}

const run = 1024

/** Merge sort with pauses. */
async function sorted (rows: Uint32Array<ArrayBuffer>, compare: Compare, pacer: Pacer, signal: AbortSignal): Promise<Uint32Array<ArrayBuffer>> {
  const rest = async (): Promise<void> => {
    if (!pacer.isDue()) return
    await pacer.pause()
    signal.throwIfAborted()
  }
  for (let from = 0; from < rows.length; from += run) {
    rows.subarray(from, from + run).sort(compare)
    await rest()
  }
  let [source, target] = [rows, new Uint32Array(rows.length)]
  for (let width = run; width < rows.length; width *= 2) {
    for (let from = 0; from < rows.length; from += 2 * width) {
      const middle = Math.min(from + width, rows.length)
      const end = Math.min(from + 2 * width, rows.length)
      let [left, right] = [from, middle]
      for (let at = from; at < end; at++) {
        const takeLeft = left < middle && (right >= end || compare(source[left] ?? 0, source[right] ?? 0) <= 0)
        target[at] = source[takeLeft ? left++ : right++] ?? 0
        if (at % 1024 === 0) await rest()
      }
    }
    [source, target] = [target, source]
  }
  return source
}
