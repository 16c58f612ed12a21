/** Filters and order of the list, against the plain way to do it. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { allPins, orderOf } from '../../../web/dashboard/views/pins/pin-order.ts'
import type { Criteria } from '../../../web/dashboard/views/pins/pin-order.ts'
import { PinTable } from '../../../web/dashboard/views/pins/pin-table.ts'

const signal = new AbortController().signal
const tableOf = (names: readonly string[]): PinTable => {
  const table = new PinTable()
  for (const [at, name] of names.entries()) table.put({ cid: `cid${at}`, name, created: (at * 7919) % 101, type: at % 5 === 0 ? 2 : 1, wanted: 1, isMine: at % 2 === 0 })
  return table
}
const shown = async (table: PinTable, criteria: Partial<Criteria>): Promise<readonly string[]> => [...await orderOf(table, { ...allPins, ...criteria }, { unsorted: false, signal })].map((row) => table.cids[row] ?? '')

describe('order of the list', () => {
  it('is a stable sort, in both directions, whatever the number of pins', async () => {
    for (const count of [0, 1, 5, 1023, 1024, 1025, 5000]) {
      const table = tableOf(Array.from({ length: count }, (_, at) => `name ${(at * 31) % 977}`))
      const rows = Array.from({ length: count }, (_, row) => row)
      const key = (row: number): string => table.names[row] ?? ''
      expect(await shown(table, { sort: 'name', descending: false })).toEqual(rows.toSorted((a, b) => key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a - b).map((row) => table.cids[row]))
      expect(await shown(table, { sort: 'created', descending: true })).toEqual(rows.toSorted((a, b) => (table.created[b] ?? 0) - (table.created[a] ?? 0) || a - b).map((row) => table.cids[row]))
    }
  })

  it('puts pins without a name last', async () => {
    const table = tableOf(['b', '', 'a'])
    expect(await shown(table, { sort: 'name', descending: false })).toEqual(['cid2', 'cid0', 'cid1'])
    expect(await shown(table, { sort: 'name', descending: true })).toEqual(['cid0', 'cid2', 'cid1'])
  })
})

describe('filters', () => {
  it('find parts of names and CIDs, whatever their case', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.string({ maxLength: 6 }), { maxLength: 30 }), fc.string({ maxLength: 2 }), async (names, search) => {
      const table = tableOf(names)
      const wanted = search.trim().toLowerCase()
      const expected = names.flatMap((name, at) => name.toLowerCase().includes(wanted) || `cid${at}`.includes(wanted) ? [`cid${at}`] : [])
      expect([...await shown(table, { search })].toSorted()).toEqual(expected.toSorted())
    }), { numRuns: 60 })
  })

  it('know status, type and whose it is; removed pins are gone', async () => {
    const table = tableOf(['a', 'b', 'c', 'd', 'e', 'f'])
    table.setTally(1, { durable: 0, tabs: 0, busy: 0, failed: 1 }, 'listed')
    table.setTally(2, { durable: 0, tabs: 0, busy: 1, failed: 0 }, 'listed')
    expect(await shown(table, { status: 'failed' })).toEqual(['cid1'])
    expect(await shown(table, { status: 'busy' })).toEqual(['cid2'])
    expect(await shown(table, { type: 'meta-pin', sort: 'cid', descending: false })).toEqual(['cid0', 'cid5'])
    table.remove('cid0')
    expect(await shown(table, { mine: true, sort: 'cid', descending: false })).toEqual(['cid2', 'cid4'])
  })
})
