import { describe, expect, it } from 'vitest'
import { Ledger, type Operation } from './ledger.ts'

const acknowledged = (ledger: Ledger, peer: string, cid: string, value: string | undefined): Operation => {
  const operation = ledger.begin(peer, cid, value)
  ledger.acknowledge(operation)
  return operation
}
const read = (ledger: Ledger, peer: string, cid: string, value: string | undefined): string | undefined => ledger.look(peer, cid)(value)

describe('the ledger', () => {
  it('misses an acknowledged pin', () => {
    const ledger = new Ledger()
    acknowledged(ledger, 'a', 'x', '1')
    expect(ledger.judge('x', '1')).toBeUndefined()
    expect(ledger.judge('x', undefined)).toMatch(/pin 1 .* is missing/)
  })

  it('lets a pin be absent or present while an unpin may have met it', () => {
    const ledger = new Ledger()
    const pin = ledger.begin('a', 'x', '1')
    acknowledged(ledger, 'b', 'x', undefined)
    ledger.acknowledge(pin)
    for (const value of ['1', undefined]) expect(ledger.judge('x', value)).toBeUndefined()
    const doubtful = new Ledger()
    acknowledged(doubtful, 'a', 'x', '1')
    doubtful.doubt(doubtful.begin('b', 'x', undefined))
    for (const value of ['1', undefined]) expect(doubtful.judge('x', value)).toBeUndefined()
  })

  it('wants a pin that came after every unpin', () => {
    const ledger = new Ledger()
    acknowledged(ledger, 'a', 'x', '1')
    acknowledged(ledger, 'b', 'x', undefined)
    acknowledged(ledger, 'a', 'x', '2')
    expect(ledger.judge('x', undefined)).toMatch(/pin 2 .* is missing/)
    // b need not have known of 1; a did.
    expect(ledger.judge('x', '1')).toMatch(/in place of the later pin 2/)
    expect(ledger.judge('x', '2')).toBeUndefined()
  })

  it('does not take back a pin that was unpinned where it was known', () => {
    const ledger = new Ledger()
    acknowledged(ledger, 'a', 'x', '1')
    acknowledged(ledger, 'a', 'x', undefined)
    expect(ledger.judge('x', '1')).toMatch(/although unpinned/)
    expect(ledger.judge('x', undefined)).toBeUndefined()
    const elsewhere = new Ledger()
    acknowledged(elsewhere, 'a', 'x', '1')
    expect(read(elsewhere, 'b', 'x', '1')).toBeUndefined()
    acknowledged(elsewhere, 'b', 'x', undefined)
    expect(elsewhere.judge('x', '1')).toMatch(/although unpinned/)
  })

  it('orders pins through what a peer showed, over other CIDs, too', () => {
    const ledger = new Ledger()
    acknowledged(ledger, 'a', 'x', '1')
    acknowledged(ledger, 'a', 'y', '2')
    read(ledger, 'b', 'y', '2')
    acknowledged(ledger, 'b', 'x', '3')
    expect(ledger.judge('x', '1')).toMatch(/in place of the later pin 3/)
    expect(ledger.judge('x', '3')).toBeUndefined()
    const apart = new Ledger()
    acknowledged(apart, 'a', 'x', '1')
    acknowledged(apart, 'b', 'x', '2')
    for (const value of ['1', '2']) expect(apart.judge('x', value)).toBeUndefined()
  })

  it('knows a pin again that comes back because a later one was unpinned', () => {
    const ledger = new Ledger()
    acknowledged(ledger, 'a', 'x', '1')
    read(ledger, 'b', 'x', '1')
    acknowledged(ledger, 'b', 'x', '2')
    ledger.doubt(ledger.begin('c', 'x', undefined))
    for (const value of ['1', '2', undefined]) expect(ledger.judge('x', value)).toBeUndefined()
  })

  it('takes doubtful pins or leaves them, and no invented ones', () => {
    const ledger = new Ledger()
    ledger.doubt(ledger.begin('a', 'x', '1'))
    for (const value of ['1', undefined]) expect(ledger.judge('x', value)).toBeUndefined()
    expect(ledger.judge('x', '2')).toMatch(/never asked for/)
    expect(ledger.judge('y', '1')).toMatch(/never asked for/)
    expect(() => ledger.begin('b', 'x', '1')).toThrow(/twice/)
  })

  it('ignores an unpin that was refused', () => {
    const ledger = new Ledger()
    acknowledged(ledger, 'a', 'x', '1')
    ledger.refuse(ledger.begin('b', 'x', undefined))
    expect(ledger.judge('x', undefined)).toMatch(/is missing/)
  })

  it('sees a peer forget what it showed or acknowledged', () => {
    const ledger = new Ledger()
    acknowledged(ledger, 'a', 'x', '1')
    expect(read(ledger, 'b', 'x', undefined)).toBeUndefined()
    expect(read(ledger, 'b', 'x', '1')).toBeUndefined()
    expect(read(ledger, 'b', 'x', undefined)).toMatch(/is missing/)
    expect(read(ledger, 'a', 'x', undefined)).toMatch(/is missing/)
  })

  it('a read that began before an answer need not show it', () => {
    const ledger = new Ledger()
    const seen = ledger.look('a', 'x')
    acknowledged(ledger, 'a', 'x', '1')
    expect(seen(undefined)).toBeUndefined()
    expect(read(ledger, 'a', 'x', undefined)).toMatch(/is missing/)
  })

  it('forgives what a store lost that had not promised to survive it', () => {
    const ledger = new Ledger()
    for (const [value, mark] of [['1', 1], ['2', 2]] as const) ledger.acknowledge(ledger.begin('a', `cid ${value}`, value), mark)
    ledger.lose('a', 1)
    expect(ledger.judge('cid 1', undefined)).toMatch(/is missing/)
    expect(ledger.judge('cid 2', undefined)).toBeUndefined()
    expect(read(ledger, 'a', 'cid 2', undefined)).toBeUndefined()
  })

  it('judges a whole pinset', () => {
    const ledger = new Ledger()
    acknowledged(ledger, 'a', 'x', '1')
    acknowledged(ledger, 'a', 'y', '2')
    expect(ledger.judgeAll(new Map([['x', '1'], ['y', '2']]))).toEqual([])
    expect(ledger.judgeAll(new Map([['x', '1'], ['z', '3']]))).toHaveLength(2)
  })
})
