/** Light peers among full ones: members like any other, but nobody's copies are counted on them. */
import { describe, expect, it } from 'vitest'
import { testCid } from '../contract/values.ts'
import { TestCluster } from './test-cluster.ts'
import type { MemberOptions } from './test-cluster.ts'

async function clusterWithTab (options: MemberOptions = {}): Promise<TestCluster> {
  const cluster = new TestCluster()
  cluster.create(options)
  cluster.create(options)
  cluster.create({ ...options, lightPeer: { keepEverywhere: true }, peername: 'tab' })
  await cluster.start()
  return cluster
}

describe('a light peer', () => {
  it('says so in its pings, and the list of members shows it', async () => {
    const cluster = await clusterWithTab()
    const light = new Map<string, boolean>()
    for await (const { peerName, light: isLight } of cluster.at(0).peer.peers()) light.set(peerName, isLight === true)
    expect(Object.fromEntries(light)).toEqual({ 'peer-1': false, 'peer-2': false, tab: true })
    expect((await cluster.at(2).peer.id()).light).toBe(true)
  })

  it('gets no allocation unless the cluster allows it; who asks for it by name is told why', async () => {
    const cluster = await clusterWithTab()
    const tab = cluster.at(2).id
    for (let n = 1; n <= 10; n++) {
      const { allocations } = await cluster.at(0).peer.pin(testCid(n), { replicationFactorMin: 1, replicationFactorMax: 2 })
      expect(allocations.map(String)).not.toContain(tab.toString())
      expect(allocations).toHaveLength(2)
    }
    await expect(cluster.at(0).peer.pin(testCid(49), { replicationFactorMin: 1, replicationFactorMax: 2, userAllocations: [tab] })).rejects.toThrow(`${tab.toString()} is a light peer`)
    await cluster.at(0).peer.pin(testCid(49), { userAllocations: [tab] })
    await expect(cluster.at(0).peer.pin(testCid(50), { replicationFactorMin: 3, replicationFactorMax: 3 })).rejects.toThrow(/allocat/)
  })

  it('counts where the cluster says so', async () => {
    const cluster = await clusterWithTab({ allowLightPeers: true })
    const { allocations } = await cluster.at(0).peer.pin(testCid(1), { replicationFactorMin: 3, replicationFactorMax: 3 })
    expect(allocations.map(String)).toContain(cluster.at(2).id.toString())
  })
  it('leaves no work undone that others think is its own', async () => {
    const cluster = new TestCluster()
    cluster.create({ stateSyncInterval: 60_000 })
    cluster.create({ lightPeer: { keepEverywhere: true }, followerMode: true })
    await cluster.start()
    for (let n = 1; n <= 16; n++) await cluster.at(0).peer.pin(testCid(n), { expireAt: cluster.clock.now() + 1_000 })
    expect(cluster.at(0).peer.pinCount()).toBe(16)
    await cluster.until(async () => { expect(cluster.at(0).peer.pinCount()).toBe(0) })
  })
})

it('what a slowed-down tab says of itself holds for longer', async () => {
  let least = 0
  const cluster = new TestCluster()
  cluster.create()
  const tab = cluster.create({ lightPeer: { keepEverywhere: true }, monitorPingInterval: 10_000, leastMetricTtl: () => least })
  await cluster.start()
  const left = (): number => Number((cluster.at(0).peer.metrics('ping').find(({ peer }) => peer.equals(tab.id))?.expire ?? 0n) / 1_000_000n) - cluster.clock.now()
  expect(left()).toBeLessThanOrEqual(20_000)
  least = 180_000
  await tab.peer.announce()
  await cluster.until(() => { expect(left()).toBeGreaterThan(150_000) })
})
