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

  it('gets no allocation, not even by name, unless the cluster allows it', async () => {
    const cluster = await clusterWithTab()
    const tab = cluster.at(2).id
    for (let n = 1; n <= 10; n++) {
      const { allocations } = await cluster.at(0).peer.pin(testCid(n), { replicationFactorMin: 1, replicationFactorMax: 2, userAllocations: [tab] })
      expect(allocations.map(String)).not.toContain(tab.toString())
      expect(allocations).toHaveLength(2)
    }
    await expect(cluster.at(0).peer.pin(testCid(50), { replicationFactorMin: 3, replicationFactorMax: 3 })).rejects.toThrow(/allocat/)
  })

  it('counts where the cluster says so', async () => {
    const cluster = await clusterWithTab({ allowLightPeers: true })
    const { allocations } = await cluster.at(0).peer.pin(testCid(1), { replicationFactorMin: 3, replicationFactorMax: 3 })
    expect(allocations.map(String)).toContain(cluster.at(2).id.toString())
  })
})
