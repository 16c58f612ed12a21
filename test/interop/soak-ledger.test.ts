/** The judge of the soak: what it must hold against a pinset, and what not. */
import { expect, test } from 'vitest'
import { SoakLedger } from './soak/ledger.ts'

const [go, ours] = [{ name: 'go-1', side: 'go' }, { name: 'ours-1', side: 'ours' }] as const
const judge = (write: (ledger: SoakLedger) => void, ...pins: string[]): { readonly lost: number, readonly lostByGo: number, readonly unknown: number } => {
  const ledger = new SoakLedger()
  write(ledger)
  const { lost, lostByGo, unknown } = ledger.judge(new Set(pins))
  return { lost: lost.length, lostByGo, unknown: unknown.length }
}

test('acknowledged pins must be there, acknowledged unpins must have removed them', () => {
  const write = (ledger: SoakLedger): void => {
    ledger.pinned('kept', ours, 1000)
    ledger.pinned('gone', go, 1000)
    ledger.unpinned('gone', ours, 2000)
  }
  expect(judge(write, 'kept')).toEqual({ lost: 0, lostByGo: 0, unknown: 0 })
  expect(judge(write)).toEqual({ lost: 1, lostByGo: 0, unknown: 0 })
  expect(judge(write, 'kept', 'gone')).toEqual({ lost: 1, lostByGo: 0, unknown: 0 })
  expect(judge(write, 'kept', 'other')).toEqual({ lost: 0, lostByGo: 0, unknown: 1 })
})

test('what got no answer may be there or not', () => {
  const write = (ledger: SoakLedger): void => {
    ledger.pinDoubtful('doubtful')
    ledger.pinned('perhaps', ours, 1000)
    ledger.unpinDoubtful('perhaps')
  }
  for (const pins of [[], ['doubtful'], ['perhaps'], ['doubtful', 'perhaps']]) expect(judge(write, ...pins)).toEqual({ lost: 0, lostByGo: 0, unknown: 0 })
})

test('a killed Go peer may lose what it acknowledged just before, one of ours nothing', () => {
  const write = (ledger: SoakLedger): void => {
    for (const writer of [go, ours]) {
      ledger.pinned(`early ${writer.name}`, writer, 1000)
      ledger.pinned(`late ${writer.name}`, writer, 59_000)
      ledger.killed(writer, 60_000)
      ledger.pinned(`after ${writer.name}`, writer, 61_000)
    }
  }
  expect(judge(write)).toEqual({ lost: 5, lostByGo: 1, unknown: 0 })
})
