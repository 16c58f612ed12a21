import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { isClosest } from '../../src/pin/distance.ts'
import { Upkeep } from '../../src/cluster/upkeep.ts'
import { silentLogger } from '../../src/component.ts'
import { statelessTracker } from '../../src/tracker/stateless.ts'
import { collect, settle, testCid } from '../contract/values.ts'
import { runningCluster, TestCluster } from './test-cluster.ts'
import type { Member } from './test-cluster.ts'

const texts = (items: ReadonlyArray<{ toString: () => string }>): readonly string[] => items.map(String).toSorted()

/** The members that hold a CID, by index, as member 0 sees it. */
async function holders (cluster: TestCluster, number: number): Promise<readonly string[]> { return texts((await cluster.at(0).peer.pinGet(testCid(number))).allocations) }
const holds = async ({ connector }: Member, number: number): Promise<boolean> => (await collect(connector.pins())).some(({ cid }) => cid.equals(testCid(number)))

describe('when a member dies', () => {
  it('its pins get new holders, and it gives them up when it is back', async () => {
    const cluster = await runningCluster(3, { replicationFactorMin: 2, replicationFactorMax: 2, disableRepinning: false })
    const lost = cluster.at(2)
    for (let number = 1; number <= 6; number++) await cluster.at(0).peer.pin(testCid(number), { userAllocations: [lost.id] })
    await cluster.until(async () => { for (let number = 1; number <= 6; number++) expect(await holds(lost, number)).toBe(true) })
    cluster.network.partition([lost.id])
    await cluster.until(async () => {
      for (let number = 1; number <= 6; number++) {
        expect(await holders(cluster, number)).toEqual(texts([cluster.at(0).id, cluster.at(1).id]))
        expect(await holds(cluster.at(0), number) && await holds(cluster.at(1), number)).toBe(true)
      }
    }, 300_000)
    expect(cluster.at(0).peer.alerts().map(({ name, peer }) => `${name} ${peer.toString()}`)).toContain(`ping ${lost.id.toString()}`)
    cluster.network.heal()
    await cluster.until(async () => { for (let number = 1; number <= 6; number++) expect(await holds(lost, number)).toBe(false) }, 300_000)
  })

  it('several at once: what they held together gets new holders in one go', async () => {
    const cluster = await runningCluster(5, { replicationFactorMin: 2, replicationFactorMax: 2, disableRepinning: false })
    const lost = [cluster.at(3), cluster.at(4)]
    const numbers = Array.from({ length: 10 }, (_, index) => index + 1)
    for (const number of numbers) await cluster.at(0).peer.pin(testCid(number), { userAllocations: lost.map(({ id }) => id) })
    await cluster.until(async () => { for (const { peer } of cluster.members) expect(peer.pinCount()).toBe(numbers.length) })
    const spies = [0, 1, 2].map((index) => vi.spyOn(cluster.at(index).peer.consensus.log, 'put'))
    cluster.network.partition(lost.map(({ id }) => id))
    await cluster.until(async () => {
      for (const number of numbers) {
        const held = await holders(cluster, number)
        expect(held.filter((holder) => lost.some(({ id }) => id.toString() === holder))).toEqual([])
        expect(held).toHaveLength(2)
      }
    }, 300_000)
    expect(spies.reduce((puts, spy) => puts + spy.mock.calls.length, 0)).toBe(numbers.length)
  })

  it('nothing moves while enough hold it, when repinning is off, or when it is everywhere', async () => {
    const cluster = await runningCluster(3, { replicationFactorMin: 1, replicationFactorMax: 2, disableRepinning: false })
    await cluster.at(0).peer.pin(testCid(1), { userAllocations: [cluster.at(2).id] })
    await cluster.at(0).peer.pin(testCid(2), { replicationFactorMin: -1, replicationFactorMax: -1 })
    const before = await cluster.at(0).peer.pinGet(testCid(1))
    await cluster.at(2).peer.stop()
    await cluster.until(() => { expect(cluster.at(0).peer.alerts().some(({ name }) => name === 'ping')).toBe(true) })
    await cluster.clock.advance(5_000)
    expect(await cluster.at(0).peer.pinGet(testCid(1))).toEqual(before)
    expect(await holders(cluster, 2)).toEqual([])

    const still = await runningCluster(2, { replicationFactorMin: 1, replicationFactorMax: 1 })
    await still.at(0).peer.pin(testCid(1), { userAllocations: [still.at(1).id] })
    await still.at(1).peer.stop()
    await still.until(() => { expect(still.at(0).peer.alerts().filter(({ peer }) => peer.equals(still.at(1).id)).map(({ name }) => name).toSorted()).toEqual(['freespace', 'ping', 'tag:group']) })
    expect(await holders(still, 1)).toEqual([still.at(1).id.toString()])
  })

  it('it leaves the peerset, and listings do not wait for it', async () => {
    const cluster = await runningCluster(3)
    await cluster.at(0).peer.pin(testCid(1))
    await cluster.at(2).peer.stop()
    const before = await collect(cluster.at(0).peer.peers())
    expect(before.find(({ id }) => id.equals(cluster.at(2).id))?.error).not.toBe('')
    expect([...(await cluster.at(0).peer.status(testCid(1))).peerMap].find(([id]) => id === cluster.at(2).id.toString())?.[1].status).toBe('cluster_error')
    await cluster.until(async () => { expect(texts((await collect(cluster.at(0).peer.peers())).map(({ id }) => id))).toEqual(texts([cluster.at(0).id, cluster.at(1).id])) })
    expect((await cluster.at(0).peer.status(testCid(1))).peerMap.size).toBe(2)
  })
})

describe('recovery', () => {
  async function failing () {
    const cluster = await runningCluster(1)
    const { peer: { peerId, consensus }, connector } = cluster.at(0)
    const { clock } = cluster
    connector.fail('pin', new Error('no content'))
    for (let number = 1; number <= 10; number++) await cluster.at(0).peer.pin(testCid(number))
    await cluster.until(() => { expect(cluster.at(0).peer.sync().pinError).toBe(10) })
    await clock.advance(1000)
    const tracker = statelessTracker({ peerId, pinset: consensus.log.pinset, connector, clock, identity: () => ({ peerName: 'one', ipfsAddresses: [] }) }, { concurrentPins: 1 })
    onTestFinished(() => tracker.stop())
    const parts = { self: peerId, options: { followerMode: false }, consensus, tracker, clock, monitor: { latestPing: () => undefined }, pipeline: { unpin: () => undefined }, log: silentLogger.forComponent('cluster') }
    return { cluster, connector, clock, tracker, upkeep: new Upkeep(parts as unknown as ConstructorParameters<typeof Upkeep>[0], { recoveredAtOnce: 3 }), calls: (): number => connector.calls.filter((call) => call.startsWith('pin ')).length }
  }

  it('queues some of many, and the others when those are done; what fails again waits for the next', async () => {
    const { cluster, connector, clock, tracker, upkeep, calls } = await failing()
    const before = calls()
    const recovering = upkeep.recover()
    const joined = upkeep.recover()
    await settle()
    expect(tracker.counts()).toEqual({ pinQueued: 3, pinning: 0, pinError: 0 })
    await tracker.start()
    await cluster.until(() => { expect(tracker.counts()).toEqual({ pinQueued: 0, pinning: 0, pinError: 10 }) })
    await clock.advance(10_000)
    await Promise.all([recovering, joined])
    expect(calls() - before).toBe(10)
    connector.fail('pin')
    const again = upkeep.recover()
    await cluster.until(() => { expect(tracker.counts()).toEqual({ pinQueued: 0, pinning: 0, pinError: 0 }) })
    await clock.advance(10_000)
    await again
    expect(calls() - before).toBe(20)
  })
})

describe('expiry', () => {
  it('unpins what has expired, once, by the closest member', async () => {
    const cluster = await runningCluster(3, { stateSyncInterval: 60_000 })
    for (let number = 1; number <= 5; number++) await cluster.at(0).peer.pin(testCid(number), { expireAt: cluster.clock.now() + 30_000 })
    await cluster.at(0).peer.pin(testCid(6), { expireAt: cluster.clock.now() + 10_000_000 })
    await cluster.until(async () => { for (const { peer } of cluster.members) expect(peer.pinCount()).toBe(1) }, 200_000)
    await expect(cluster.at(1).peer.pinGet(testCid(6))).resolves.toBeDefined()
  })

  it('is not the work of a member that is not the closest', async () => {
    const cluster = new TestCluster()
    cluster.create({ stateSyncInterval: 60_000 })
    cluster.create({ stateSyncInterval: 1_000_000_000 })
    await cluster.start()
    const ids = cluster.members.map(({ id }) => id)
    const closestTo = (number: number, index: number): boolean => isClosest(testCid(number), cluster.at(index).id, ids.filter((id) => !id.equals(cluster.at(index).id)))
    const numbers = Array.from({ length: 20 }, (_, index) => index + 1)
    for (const number of numbers) await cluster.at(0).peer.pin(testCid(number), { expireAt: cluster.clock.now() + 10_000 })
    await cluster.clock.advance(150_000)
    await cluster.until(async () => {
      const left = (await collect(cluster.at(0).peer.pins())).map(({ cid }) => cid.toString()).toSorted()
      expect(left).toEqual(numbers.filter((number) => closestTo(number, 1)).map((number) => testCid(number).toString()).toSorted())
    })
    expect(numbers.some((number) => closestTo(number, 0)) && numbers.some((number) => closestTo(number, 1))).toBe(true)
  })
})

describe('a follower', () => {
  it('holds what the cluster wants and changes nothing', async () => {
    const cluster = new TestCluster()
    cluster.create({ disableRepinning: false })
    const follower = cluster.create({ followerMode: true, disableRepinning: false, stateSyncInterval: 1_000 })
    await cluster.start()
    const refused = 'this peer is configured to be in follower mode. Write operations are disabled'
    await expect(follower.peer.pin(testCid(1))).rejects.toThrow(refused)
    await expect(follower.peer.unpin(testCid(1))).rejects.toThrow(refused)
    await expect(collect(follower.peer.add((async function * () {})(), { pin: { replicationFactorMin: -1, replicationFactorMax: -1, name: '', mode: 'recursive', shardSize: 0, userAllocations: [], metadata: {}, origins: [] } }))).rejects.toThrow(refused)
    await cluster.at(0).peer.pin(testCid(1), { expireAt: cluster.clock.now() + 5_000 })
    await cluster.until(async () => {
      const info = await follower.peer.status(testCid(1))
      expect([...info.peerMap].map(([id, { status }]) => `${id} ${status}`)).toEqual([`${follower.id.toString()} pinned`])
    })
    expect((await collect(follower.peer.statusAll(0))).map(({ peerMap }) => peerMap.size)).toEqual([1])
    await cluster.clock.advance(20_000)
    await expect(follower.peer.pinGet(testCid(1))).resolves.toBeDefined()
    await cluster.at(0).peer.stop()
    await cluster.clock.advance(120_000)
    expect(follower.peer.alerts()).toEqual([])
  })
})

describe('trust', () => {
  it('decides whose pins count', async () => {
    const cluster = new TestCluster()
    const [trusting, trusted, stranger] = [cluster.create({ crdt: { trustedPeers: [] } }), cluster.create(), cluster.create()]
    trusting.peer.consensus.trust.trust(trusted.id)
    await cluster.start()
    await stranger.peer.pin(testCid(1))
    await cluster.until(() => { expect(trusted.peer.pinCount()).toBe(1) })
    expect(trusting.peer.pinCount()).toBe(0)
    await trusted.peer.pin(testCid(2))
    // A trusted head brings all that it stands on.
    await cluster.until(() => { expect(trusting.peer.pinCount()).toBe(2) })
  })

  it('decides who is given pins, when so configured', async () => {
    for (const [option, index] of [['pinOnlyOnTrustedPeers', 0], ['pinOnlyOnUntrustedPeers', 1]] as const) {
      const cluster = new TestCluster()
      const first = cluster.create({ crdt: { trustedPeers: [] }, replicationFactorMin: 1, replicationFactorMax: 2, [option]: true })
      cluster.create()
      await cluster.start()
      expect(texts((await first.peer.pin(testCid(1))).allocations)).toEqual([cluster.at(index).id.toString()])
    }
  })
})
