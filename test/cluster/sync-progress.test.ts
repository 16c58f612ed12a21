import type { SyncState } from '../../src/cluster/types.ts'
import { expect, it, onTestFinished } from 'vitest'
import { testCid } from '../contract/values.ts'
import { runningCluster } from './test-cluster.ts'

it('tells how far it is, some times a second, while something changes', async () => {
  const cluster = await runningCluster(2)
  onTestFinished(() => cluster.stop())
  const { peer } = cluster.at(0)
  const seen: Array<{ readonly at: number, readonly state: SyncState }> = []
  const listener = ({ detail }: CustomEvent<SyncState>): void => { seen.push({ at: cluster.clock.now(), state: detail }) }
  peer.addEventListener('sync:progressed', listener)
  for (let number = 0; number < 30; number++) await cluster.at(1).peer.pin(testCid(number))
  await cluster.until(() => { expect(seen.at(-1)?.state).toMatchObject({ pins: 30, synced: 30, known: 30, pinQueued: 0, pinning: 0, pinError: 0 }) })
  expect(seen.at(-1)?.state).toEqual(peer.sync())
  expect(seen.length).toBeLessThan(15)
  expect(seen.slice(1).every(({ at }, index) => at - (seen[index]?.at ?? 0) >= 250)).toBe(true)
  const count = seen.length
  await cluster.clock.advance(10_000)
  expect(seen).toHaveLength(count)
  peer.removeEventListener('sync:progressed', listener)
  await cluster.at(1).peer.pin(testCid(99))
  await cluster.until(() => { expect(peer.pinCount()).toBe(31) })
  await cluster.clock.advance(1000)
  expect(seen).toHaveLength(count)
})
