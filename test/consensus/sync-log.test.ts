import type { ConsensusProgress } from '../../src/consensus/consensus.ts'
import { expect, it, onTestFinished } from 'vitest'
import { logProgress } from '../../src/consensus/crdt/sync-log.ts'
import { ManualClock } from '../contract/values.ts'

function watched () {
  const clock = new ManualClock()
  const abort = new AbortController()
  const lines: string[] = []
  const write = (level: string) => (message: string, ...values: unknown[]): void => { lines.push([level, message, ...values].join(' ')) }
  const state = { heads: 1, height: 9, synced: 10, known: 10, queue: 0, wanted: 0, dirty: false } satisfies ConsensusProgress
  const running = logProgress({ clock, logger: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }, progress: () => ({ ...state }) }, abort.signal)
  onTestFinished(async () => { abort.abort(); await running })
  return { clock, lines, state }
}

it('tells of a long sync every few seconds, and once that it is done', async () => {
  const { clock, lines, state } = watched()
  await clock.advance(20_000)
  state.known = 5010
  for (let look = 0; look < 5; look++) {
    state.synced += 1000
    state.queue = 50
    await clock.advance(5_000)
  }
  await clock.advance(60_000)
  expect(lines).toEqual([
    'info synced 2010 of 5010 blocks, 200 a second heads 1 queue 50 wanted 0',
    'info synced 3010 of 5010 blocks, 200 a second heads 1 queue 50 wanted 0',
    'info synced 4010 of 5010 blocks, 200 a second heads 1 queue 50 wanted 0',
    'info in sync: 5010 blocks, after 20 s'
  ])
})

it('is silent while few blocks are under way, and tells of a standstill once a minute', async () => {
  const { clock, lines, state } = watched()
  for (let look = 0; look < 20; look++) {
    state.synced += 5
    state.known = state.synced + 3
    await clock.advance(5_000)
  }
  expect(lines).toEqual([])
  await clock.advance(120_000)
  expect(lines).toEqual(['warn synced 110 of 113 blocks, 0 a second: nothing comes heads 1 queue 0 wanted 0', 'warn synced 110 of 113 blocks, 0 a second: nothing comes heads 1 queue 0 wanted 0'])
  state.synced = state.known
  await clock.advance(5_000)
  expect(lines.at(-1)).toMatch(/^info in sync: 113 blocks/)
})
