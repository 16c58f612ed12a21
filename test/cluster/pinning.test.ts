import { describe, expect, it } from 'vitest'
import { collect, testCid } from '../contract/values.ts'
import { runningCluster, TestCluster } from './test-cluster.ts'
import type { Member } from './test-cluster.ts'
import type { GlobalPinInfo } from '../../src/pin/pin-info.ts'

const statuses = (info: GlobalPinInfo): readonly string[] => [...info.peerMap.values()].map(({ status }) => status).toSorted()
const statusAt = (info: GlobalPinInfo, { id }: Member): string | undefined => info.peerMap.get(id.toString())?.status
const texts = (items: ReadonlyArray<{ toString: () => string }>): readonly string[] => items.map(String).toSorted()

describe('a cluster pins', () => {
  it('everywhere', async () => {
    const cluster = await runningCluster(3)
    const pin = await cluster.at(0).peer.pin(testCid(1), { name: 'one', metadata: { a: 'b' } })
    expect(pin).toMatchObject({ replicationFactorMin: -1, replicationFactorMax: -1, allocations: [], name: 'one', timestamp: cluster.clock.now() })
    await cluster.until(async () => {
      for (const { peer } of cluster.members) expect(statuses(await peer.status(testCid(1)))).toEqual(['pinned', 'pinned', 'pinned'])
    })
    const info = await cluster.at(2).peer.status(testCid(1))
    expect(info).toMatchObject({ name: 'one', metadata: { a: 'b' }, allocations: [] })
    expect(info.peerMap.get(cluster.at(1).id.toString())).toMatchObject({ peerName: 'peer-2', ipfsId: cluster.at(1).ipfsId })
    expect((await cluster.at(2).peer.pinGet(testCid(1))).name).toBe('one')
    expect(cluster.at(2).peer.pinCount()).toBe(1)
  })

  it('on as many peers as it should, and says remote of the others', async () => {
    const cluster = await runningCluster(3, { replicationFactorMin: 2, replicationFactorMax: 2 })
    const { allocations } = await cluster.at(1).peer.pin(testCid(1))
    expect(allocations).toHaveLength(2)
    await cluster.until(async () => {
      for (const { peer } of cluster.members) {
        const info = await peer.status(testCid(1))
        expect(statuses(info)).toEqual(['pinned', 'pinned', 'remote'])
        expect(texts(info.allocations)).toEqual(texts(allocations))
      }
    })
    for (const { id, connector } of cluster.members) {
      expect(await collect(connector.pins())).toHaveLength(allocations.some((peer) => peer.equals(id)) ? 1 : 0)
    }
  })

  it('where the user prefers', async () => {
    const cluster = await runningCluster(3, { replicationFactorMin: 1, replicationFactorMax: 1 })
    for (const { id } of cluster.members) {
      expect(texts((await cluster.at(0).peer.pin(testCid(Number(id.toString().length)), { userAllocations: [id] })).allocations)).toEqual([id.toString()])
      await cluster.at(0).peer.unpin(testCid(Number(id.toString().length)))
    }
  })

  it('in different groups', async () => {
    const cluster = new TestCluster()
    for (const group of ['eu', 'eu', 'us']) cluster.create({ tags: { group }, replicationFactorMin: 2, replicationFactorMax: 2 })
    await cluster.start()
    for (const number of [1, 2, 3, 4]) expect(texts((await cluster.at(0).peer.pin(testCid(number))).allocations)).toContain(cluster.at(2).id.toString())
  })

  it('not at all when too few can', async () => {
    const cluster = await runningCluster(2, { replicationFactorMin: 3, replicationFactorMax: 3 })
    await expect(cluster.at(0).peer.pin(testCid(1))).rejects.toThrow('not enough peers to allocate CID. Needed at least: 3. Wanted at most: 3. Available candidates: 2. See logs for more info.')
    await expect(cluster.at(0).peer.pinGet(testCid(1))).rejects.toThrow('pin is not part of the pinset')
  })

  it('again with new options, keeping where it is', async () => {
    const cluster = await runningCluster(3, { replicationFactorMin: 1, replicationFactorMax: 1 })
    const first = await cluster.at(0).peer.pin(testCid(1), { name: 'old', metadata: { a: 'b' } })
    const second = await cluster.at(0).peer.pin(testCid(1), { replicationFactorMax: 2 })
    expect(second).toMatchObject({ name: '', metadata: {}, replicationFactorMax: 2 })
    expect(texts(second.allocations)).toEqual(texts(first.allocations))
    const more = await cluster.at(0).peer.pin(testCid(1), { replicationFactorMin: 3, replicationFactorMax: 3 })
    expect(more.allocations).toHaveLength(3)
    const fewer = await cluster.at(0).peer.pin(testCid(1), { replicationFactorMin: 1, replicationFactorMax: 2 })
    expect(fewer.allocations).toHaveLength(2)
    const everywhere = await cluster.at(0).peer.pin(testCid(1), { replicationFactorMin: -1, replicationFactorMax: -1 })
    expect(everywhere.allocations).toEqual([])
  })

  it('and unpins', async () => {
    const cluster = await runningCluster(2)
    await cluster.at(0).peer.pin(testCid(1), { name: 'gone' })
    await cluster.until(async () => { expect(statuses(await cluster.at(0).peer.status(testCid(1)))).toEqual(['pinned', 'pinned']) })
    expect((await cluster.at(1).peer.unpin(testCid(1))).name).toBe('gone')
    await cluster.until(async () => {
      for (const { peer, connector } of cluster.members) {
        expect(statuses(await peer.status(testCid(1)))).toEqual(['unpinned', 'unpinned'])
        expect(await collect(connector.pins())).toEqual([])
      }
    })
    await expect(cluster.at(0).peer.unpin(testCid(1))).rejects.toThrow('pin is not part of the pinset')
  })

  it('an update of a pin, where the old one is', async () => {
    const cluster = await runningCluster(3, { replicationFactorMin: 1, replicationFactorMax: 1 })
    const { peer } = cluster.at(0)
    const old = await peer.pin(testCid(1), { name: 'old', metadata: { k: 'v' }, expireAt: cluster.clock.now() + 5_000_000 })
    const updated = await peer.pin(testCid(2), { pinUpdate: testCid(1), replicationFactorMin: 3, replicationFactorMax: 3 })
    expect(updated).toMatchObject({ name: 'old', metadata: { k: 'v' }, replicationFactorMin: 1, expireAt: old.expireAt, pinUpdate: testCid(1) })
    expect(texts(updated.allocations)).toEqual(texts(old.allocations))
    expect((await peer.pin(testCid(3), { pinUpdate: testCid(1), name: 'new' })).name).toBe('new')
    expect((await peer.pinGet(testCid(1))).name).toBe('old')
    expect((await peer.pin(testCid(1), { pinUpdate: testCid(1), name: 'itself' })).name).toBe('itself')
    await expect(peer.pin(testCid(5), { pinUpdate: testCid(4) })).rejects.toThrow('pin is not part of the pinset')
  })

  it('what a path leads to', async () => {
    const cluster = await runningCluster(1)
    const { peer } = cluster.at(0)
    expect((await peer.pinPath(`/ipfs/${testCid(1)}`)).cid.equals(testCid(1))).toBe(true)
    await expect(peer.pinPath(`/ipfs/${testCid(1)}/no/such`)).rejects.toThrow()
    await expect(peer.pinPath('/ipfs/nonsense')).rejects.toThrow(/^path: /)
    expect((await peer.unpinPath(`/ipld/${testCid(1)}`)).cid.equals(testCid(1))).toBe(true)
  })

  it('nothing that the rules refuse', async () => {
    const cluster = await runningCluster(1)
    const { peer } = cluster.at(0)
    const refused = async (number: number, options: Parameters<typeof peer.pin>[1], reason: string): Promise<void> => {
      await expect(peer.pin(testCid(number), options)).rejects.toThrow(reason)
    }
    await refused(1, { replicationFactorMin: 3, replicationFactorMax: 2 }, 'cluster.replication_factor_min is larger than cluster.replication_factor_max')
    await refused(1, { replicationFactorMin: -2, replicationFactorMax: 2 }, 'cluster.replication_factor_min is wrong')
    await refused(1, { replicationFactorMin: -1, replicationFactorMax: 2 }, 'cluster.replication_factor_min and max must be -1 when one of them is')
    await refused(1, { expireAt: cluster.clock.now() - 1 }, 'pin.ExpireAt set before current time')
    await peer.pin(testCid(1))
    await refused(1, { mode: 'direct' }, 'cannot repin a CID which is already pinned in recursive mode (new pin is pinned as direct). Unpin it first.')
    await peer.pin(testCid(2), { mode: 'direct' })
    expect((await peer.pin(testCid(2), { mode: 'recursive' })).maxDepth).toBe(-1)
  })
})

describe('statuses of a cluster', () => {
  it('are joined by CID, each member once, by filter', async () => {
    const cluster = await runningCluster(3, { replicationFactorMin: 2, replicationFactorMax: 2 })
    for (let number = 1; number <= 20; number++) await cluster.at(number % 3).peer.pin(testCid(number), { name: `pin ${number}` })
    await cluster.until(async () => {
      const infos = await collect(cluster.at(0).peer.statusAll(0))
      expect(infos).toHaveLength(20)
      for (const info of infos) expect(statuses(info)).toEqual(['pinned', 'pinned', 'remote'])
    })
    const remote = await collect(cluster.at(1).peer.statusAll(256))
    expect(remote.map(statuses)).toEqual(Array.from({ length: 20 }, () => ['remote']))
    expect(new Set(remote.map(({ name }) => name)).size).toBe(20)
    const local = await collect(cluster.at(2).peer.statusAll(0, { local: true }))
    expect(local).toHaveLength(20)
    for (const info of local) expect([...info.peerMap.keys()]).toEqual([cluster.at(2).id.toString()])
  })

  it('can be left in the middle', async () => {
    const cluster = await runningCluster(2)
    for (let number = 1; number <= 5; number++) await cluster.at(0).peer.pin(testCid(number))
    for await (const info of cluster.at(0).peer.statusAll(0)) {
      expect(info.peerMap.size).toBeGreaterThan(0)
      break
    }
  })

  it('name the member that fails, in every line', async () => {
    const cluster = await runningCluster(3)
    for (const number of [1, 2]) await cluster.at(0).peer.pin(testCid(number), { name: 'named' })
    await cluster.until(async () => { expect(cluster.at(2).peer.pinCount()).toBe(2) })
    cluster.at(1).connector.fail('pins', new Error('no IPFS'))
    cluster.at(1).connector.fail('pinStatus', new Error('no IPFS'))
    await cluster.until(async () => {
      const infos = await collect(cluster.at(0).peer.statusAll(0))
      expect(infos).toHaveLength(2)
      for (const info of infos) {
        expect(statuses(info)).toEqual(['cluster_error', 'pinned', 'pinned'])
        expect(info.peerMap.get(cluster.at(1).id.toString())).toMatchObject({ error: 'no IPFS', peerName: 'peer-2' })
        expect(info.name).toBe('named')
      }
      expect(statusAt(await cluster.at(0).peer.status(testCid(1)), cluster.at(1))).toBe('cluster_error')
    })
  })

  it('leave out a member that does not trust us', async () => {
    const cluster = new TestCluster()
    cluster.create()
    cluster.create({ crdt: { trustedPeers: [] } })
    await cluster.start()
    await cluster.at(0).peer.pin(testCid(1))
    expect(statuses(await cluster.at(0).peer.status(testCid(1)))).toHaveLength(1)
    await cluster.until(async () => { expect((await collect(cluster.at(0).peer.statusAll(0))).map(statuses)).toEqual([['pinned']]) })
    expect(cluster.at(1).peer.pinCount()).toBe(0)
  })

  it('of all: an error when nobody at all can tell', async () => {
    const cluster = await runningCluster(1)
    await cluster.at(0).peer.pin(testCid(1))
    cluster.at(0).connector.fail('pins', new Error('no IPFS'))
    await expect(collect(cluster.at(0).peer.statusAll(0))).rejects.toThrow('no IPFS')
  })

  it('come back by recovery', async () => {
    const cluster = await runningCluster(2)
    cluster.at(1).connector.fail('pin', new Error('no content'))
    await cluster.at(0).peer.pin(testCid(1))
    await cluster.until(async () => { expect(statuses(await cluster.at(0).peer.status(testCid(1)))).toEqual(['pin_error', 'pinned']) })
    expect((await cluster.at(0).peer.status(testCid(1))).peerMap.get(cluster.at(1).id.toString())).toMatchObject({ error: 'no content', attemptCount: 1 })
    cluster.at(1).connector.fail('pin')
    const recovered = await cluster.at(0).peer.recover(testCid(1))
    expect(statusAt(recovered, cluster.at(0))).toBe('pinned')
    await cluster.until(async () => { expect(statuses(await cluster.at(0).peer.status(testCid(1)))).toEqual(['pinned', 'pinned']) })
    cluster.at(0).connector.losePin(testCid(1))
    const requeued = await collect(cluster.at(1).peer.recoverAll())
    expect(requeued.map((info) => [...info.peerMap.keys()])).toEqual([[cluster.at(0).id.toString()]])
    await cluster.until(async () => { expect(statuses(await cluster.at(1).peer.status(testCid(1)))).toEqual(['pinned', 'pinned']) })
    expect(await collect(cluster.at(1).peer.recoverAll({ local: true }))).toEqual([])
    await expect(cluster.at(0).peer.recover(testCid(9), { local: true })).rejects.toThrow('pin is not part of the pinset')
    expect(statuses(await cluster.at(0).peer.recover(testCid(9)))).toEqual(['unpinned', 'unpinned'])
  })

  it('come back by themselves after the recovery interval', async () => {
    const cluster = await runningCluster(1, { pinRecoverInterval: 60_000 })
    cluster.at(0).connector.fail('pin', new Error('no content'))
    await cluster.at(0).peer.pin(testCid(1))
    await cluster.until(async () => { expect(statuses(await cluster.at(0).peer.status(testCid(1)))).toEqual(['pin_error']) })
    cluster.at(0).connector.fail('pin')
    await cluster.until(async () => { expect(statuses(await cluster.at(0).peer.status(testCid(1)))).toEqual(['pinned']) })
  })
})
