import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { MemoryConnector } from '../../src/ipfs/memory.ts'
import { cidKey } from '../../src/pin/keys.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { parseStatusFilter } from '../../src/pin/status.ts'
import { statelessTracker } from '../../src/tracker/stateless.ts'
import { TestPinset, trackerContract } from '../contract/tracker.ts'
import { collect, ManualClock, testCid, testPeer } from '../contract/values.ts'
import type { Pin } from '../../src/pin/pin.ts'
import type { CID } from 'multiformats/cid'

const identity = () => ({ peerName: 'one', ipfsId: testPeer(101), ipfsAddresses: [] })

trackerContract('stateless', ({ pinset, connector, clock, maxPinQueueSize, concurrentPins }) =>
  statelessTracker({ peerId: testPeer(1), pinset, connector, clock, identity }, { maxPinQueueSize, concurrentPins }))

// What others count on, a light peer does like any other.
trackerContract('stateless, of a light peer', ({ pinset, connector, clock, maxPinQueueSize, concurrentPins }) =>
  statelessTracker({ peerId: testPeer(1), pinset, connector, clock, identity }, { maxPinQueueSize, concurrentPins, light: { keepEverywhere: true } }),
{ replicationFactorMin: 1, replicationFactorMax: 1, allocations: [testPeer(1)] })

describe('many pins that wait', { timeout: 30_000 }, () => {
  const many = 6000
  /** Of the second thousand and on, only the CID is kept. */
  async function waiting () {
    const [pinset, connector, clock] = [new TestPinset(), new MemoryConnector(), new ManualClock()]
    const tracker = statelessTracker({ peerId: testPeer(1), pinset, connector, clock, identity })
    onTestFinished(() => tracker.stop())
    const pin = (number: number, change: Partial<Pin> = {}): Pin => ({ ...pinWith(testCid(number), { name: `pin ${number}`, replicationFactorMin: -1, replicationFactorMax: -1 }), timestamp: clock.now(), ...change })
    for (let number = 1; number <= many; number++) tracker.track(pinset.put(pin(number)))
    expect(tracker.counts()).toEqual({ pinQueued: many, pinning: 0, pinError: 0 })
    return { pinset, connector, tracker, pin }
  }
  const pinned = ({ calls }: MemoryConnector): number => calls.filter((call) => call.startsWith('pin ')).length

  it('have their status, are listed with what waits to go, and are pinned as the pinset has them then', async () => {
    const { pinset, connector, tracker, pin } = await waiting()
    for (const number of [2, 4000, many + 1]) tracker.untrack(testCid(number))
    for (const number of [2, 4000]) pinset.delete(testCid(number))
    tracker.track(pinset.put(pin(5000, { name: 'another', maxDepth: 0, mode: 'direct' })))
    expect(await tracker.status(testCid(5000))).toMatchObject({ status: 'pin_queued', name: 'another', priorityPin: true })
    const listed = await collect(tracker.statusAll(parseStatusFilter('queued')))
    const expected = Array.from({ length: many + 1 }, (_, index) => testCid(index + 1)).map((cid) => [cidKey(cid), cid.equals(testCid(2)) || cid.equals(testCid(4000)) || cid.equals(testCid(many + 1)) ? 'unpin_queued' : 'pin_queued'])
    expect(listed.map(({ cid, status }) => [cidKey(cid), status])).toEqual(expected)
    expect(listed.find(({ cid }) => cid.equals(testCid(3000)))?.name).toBe('pin 3000')
    expect((await collect(tracker.statusTexts(parseStatusFilter('queued')))).flat().map(({ key }) => key)).toEqual(expected.map(([key]) => key))
    expect((await collect(tracker.statusTexts(parseStatusFilter('unpin_queued')))).flat()).toHaveLength(3)
    await tracker.start()
    await vi.waitFor(() => { expect(tracker.counts()).toEqual({ pinQueued: 0, pinning: 0, pinError: 0 }) }, 20_000)
    const held = new Map((await collect(connector.pins())).map(({ cid, status }) => [cid.toString(), status]))
    expect([held.size, held.get(testCid(5000).toString()), held.get(testCid(4999).toString())]).toEqual([many - 2, 'direct', 'recursive'])
  })

  it('are left alone when they have left the pinset, or are for others, before their turn', async () => {
    const { pinset, connector, tracker, pin } = await waiting()
    pinset.delete(testCid(5000))
    pinset.put(pin(5001, { replicationFactorMin: 1, replicationFactorMax: 1, allocations: [testPeer(2)] }))
    await tracker.start()
    await vi.waitFor(() => { expect(tracker.counts()).toEqual({ pinQueued: 0, pinning: 0, pinError: 0 }) }, 20_000)
    const statusOf = async (cid: CID): Promise<string> => (await tracker.status(cid)).status
    expect([pinned(connector), await statusOf(testCid(5000)), await statusOf(testCid(5001))]).toEqual([many - 2, 'unpinned', 'remote'])
  })

  it('fail when the pinset cannot be read', async () => {
    const { pinset, tracker } = await waiting()
    const broken = vi.spyOn(pinset, 'get').mockImplementation(async () => { throw new Error('the store is damaged') })
    await tracker.start()
    await vi.waitFor(() => { expect(tracker.counts()).toEqual({ pinQueued: 0, pinning: 0, pinError: many - 1000 }) }, 20_000)
    broken.mockRestore()
    expect(await tracker.status(testCid(5000))).toMatchObject({ status: 'pin_error', error: 'the store is damaged' })
  })
})

describe('very many pins that others hold', { timeout: 30_000 }, () => {
  const many = 1500
  async function elsewhere () {
    const [pinset, connector, clock] = [new TestPinset(), new MemoryConnector(), new ManualClock()]
    const tracker = statelessTracker({ peerId: testPeer(1), pinset, connector, clock, identity })
    onTestFinished(() => tracker.stop())
    for (const number of [7, many]) await connector.pin(pinWith(testCid(number), number === 7 ? { mode: 'direct' } : {}))
    for (let number = 1; number <= many; number++) tracker.track(pinset.put({ ...pinWith(testCid(number), { replicationFactorMin: 1, replicationFactorMax: 1 }), allocations: [testPeer(2)], timestamp: clock.now() }))
    return { connector, tracker, pinset, unpins: (): readonly string[] => connector.calls.filter((call) => call.startsWith('unpin ')) }
  }

  it('cost one listing of the IPFS and no unpin of what is not there', async () => {
    const { connector, tracker, unpins } = await elsewhere()
    await tracker.start()
    await vi.waitFor(async () => { expect(await collect(connector.pins())).toEqual([]) }, 10_000)
    expect(unpins()).toEqual([`unpin ${testCid(7)}`, `unpin ${testCid(many)}`])
    expect((await tracker.status(testCid(many))).status).toBe('remote')
  })

  it('are given up although they were pinned after that listing', async () => {
    const { connector, tracker, pinset, unpins } = await elsewhere()
    const listed = Promise.withResolvers<void>()
    connector.before('pins', async () => { listed.resolve() })
    const held = Promise.withResolvers<void>()
    connector.before('unpin', () => held.promise)
    await tracker.start()
    await listed.promise
    await vi.waitFor(() => { expect(unpins()).toHaveLength(1) })
    const pin = { ...pinWith(testCid(many + 1), { replicationFactorMin: -1, replicationFactorMax: -1 }), timestamp: 1 }
    tracker.track(pinset.put(pin))
    await vi.waitFor(async () => { expect((await tracker.status(pin.cid)).status).toBe('pinned') })
    tracker.track(pinset.put({ ...pin, replicationFactorMin: 1, replicationFactorMax: 1, allocations: [testPeer(2)] }))
    held.resolve()
    await vi.waitFor(async () => { expect(await collect(connector.pins())).toEqual([]) }, 10_000)
  })

  it('are unpinned one by one where the IPFS cannot be listed', async () => {
    const { connector, tracker, unpins } = await elsewhere()
    connector.fail('pins', new Error('no'))
    await tracker.start()
    await vi.waitFor(() => { expect(unpins()).toHaveLength(many) }, 10_000)
    expect(connector.calls.filter((call) => call === 'pins')).toHaveLength(1)
  })
})
