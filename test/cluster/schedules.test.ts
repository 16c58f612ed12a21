import { expect, it } from 'vitest'
import { collect, testCid } from '../contract/values.ts'
import { runningCluster, seeded } from './test-cluster.ts'
import type { TestCluster } from './test-cluster.ts'

/** Pins, re-pins, unpins, cut networks and lost content, by chance. */
async function disturb (cluster: TestCluster, random: () => number): Promise<void> {
  const any = (count: number): number => Math.floor(random() * count)
  for (let step = 0; step < 40; step++) {
    const { peer, connector } = cluster.at(any(4))
    const cid = testCid(any(12))
    const chance = random()
    // Too few allocation candidates, or nothing to unpin, are answers like any other here.
    if (chance < 0.5) await peer.pin(cid, { name: `step ${step}`, replicationFactorMin: 1 + any(2), replicationFactorMax: 2 + any(2) }).catch(() => {})
    else if (chance < 0.7) await peer.unpin(cid).catch(() => {})
    else if (chance < 0.78) connector.losePin(cid)
    else if (chance < 0.86) cluster.network.partition([cluster.at(any(4)).id])
    else if (chance < 0.94) cluster.network.heal()
    else connector.fail('pin', random() < 0.5 ? new Error('broken') : undefined)
    if (random() < 0.3) await cluster.clock.advance(any(20_000))
  }
  cluster.network.heal()
  for (const { connector } of cluster.members) connector.fail('pin')
}

it.each([1, 2, 3, 4, 5, 6])('everybody ends with the same pins, each where it should be (seed %i)', async (seed) => {
  const cluster = await runningCluster(4, { replicationFactorMin: 2, replicationFactorMax: 2, pinRecoverInterval: 60_000, disableRepinning: false })
  await disturb(cluster, seeded(seed))
  await cluster.network.connectAll()
  await cluster.until(async () => {
    const [first = [], ...others] = await Promise.all(cluster.members.map(async ({ peer }) => await collect(peer.pins())))
    for (const pins of others) expect(pins).toEqual(first)
    for (const { id, connector } of cluster.members) {
      const mine = first.filter(({ allocations }) => allocations.some((peer) => peer.equals(id))).map(({ cid }) => cid.toString())
      expect((await collect(connector.pins())).map(({ cid }) => cid.toString()).toSorted()).toEqual(mine.toSorted())
    }
    // It may be more than the maximum: holders that were out of reach when a pin changed are not dropped (behaviour.md §3).
    for (const { allocations, replicationFactorMin } of first) expect(allocations.length).toBeGreaterThanOrEqual(replicationFactorMin)
  }, 600_000)
}, 60_000)
