/** The pinset as columns: lines of any shape are read or left out, and counts stay right. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PinTable, rowOf, tallyOf } from '../../../web/dashboard/views/pins/pin-table.ts'

const self = '12D3KooWSelf'
const line = { cid: 'bafyone', name: 'one', type: 'pin', timestamp: '2026-11-25T06:00:00Z', allocations: [self, '12D3KooWOther'], replication_factor_min: 2, replication_factor_max: 3 }

describe('lines of a listing', () => {
  it('reads what the list shows', () => {
    expect(rowOf(line, self)).toEqual({ cid: 'bafyone', name: 'one', created: Date.UTC(2026, 10, 25, 6), type: 1, wanted: 2, isMine: true })
    expect(rowOf({ ...line, allocations: [], replication_factor_min: -1, replication_factor_max: -1, timestamp: '0001-01-01T00:00:00Z' }, self)).toMatchObject({ wanted: -1, isMine: true, created: 0 })
    expect(rowOf({ ...line, allocations: ['12D3KooWOther'] }, self)).toMatchObject({ isMine: false })
  })

  it('reads any JSON or leaves it out, and never throws', () => {
    fc.assert(fc.property(fc.dictionary(fc.constantFrom('cid', 'name', 'type', 'timestamp', 'allocations', 'replication_factor_min', 'replication_factor_max', 'else'), fc.jsonValue()), (value) => {
      const row = rowOf(value, self)
      if (row === undefined) expect(typeof value['cid'] !== 'string' || value['cid'] === '').toBe(true)
      else expect([typeof row.name, Number.isFinite(row.created), row.type >= 0, row.wanted >= -1]).toEqual(['string', true, true, true])
    }))
  })
})

describe('the table', () => {
  it('keeps its counts while pins come, change, are selected and go', () => {
    const commands = fc.array(fc.tuple(fc.constantFrom('put', 'remove', 'select', 'unselect'), fc.integer({ min: 0, max: 9 })), { maxLength: 60 })
    fc.assert(fc.property(commands, (run) => {
      const table = new PinTable()
      const there = new Map<string, boolean>()
      for (const [what, number] of run) {
        const cid = `cid${number}`
        const row = table.row(cid)
        if (what === 'put') { table.put({ cid, name: '', created: 0, type: 1, wanted: 1, isMine: false }); there.set(cid, there.get(cid) ?? false) }
        else if (what === 'remove') { expect(table.remove(cid)).toBe(there.delete(cid)) }
        else if (row !== undefined) { table.select(row, what === 'select'); there.set(cid, what === 'select') }
      }
      expect(table.size).toBe(there.size)
      expect([...table.selectedCids()].toSorted()).toEqual([...there].filter(([, selected]) => selected).map(([cid]) => cid).toSorted())
      expect(table.selected).toBe(table.selectedCids().length)
    }))
  })

  it('counts tabs apart from durable copies', () => {
    expect(tallyOf([['a', 'pinned'], ['b', 'pinned'], ['tab', 'pinned'], ['c', 'pinning'], ['d', 'pin_error'], ['e', 'remote']], (peer) => peer === 'tab')).toEqual({ durable: 2, tabs: 1, busy: 1, failed: 1 })
  })
})
