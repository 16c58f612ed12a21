import type { CID } from 'multiformats/cid'
import { describe, expect, it, vi } from 'vitest'
import { decodeBlock } from '../../src/crdt/block.ts'
import { maxDeltaBytes } from '../../src/crdt/limits.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { namesOf, testPin } from '../contract/consensus.ts'
import { settle, testCid } from '../contract/values.ts'
import { openLonePeer } from './lone-peer.ts'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

describe('group commit', () => {
  it('puts what comes in together into one delta, without a timer', async () => {
    const peer = await openLonePeer()
    await Promise.all(numbers(100).map((number) => peer.consensus.log.put(testPin(number))))
    expect(peer.consensus.stats()).toMatchObject({ merged: 1, height: 1 })
    expect(peer.sent).toHaveLength(1)
    await peer.consensus.log.put(testPin(100))
    await peer.consensus.log.delete(testCid(100))
    expect(peer.consensus.stats()).toMatchObject({ merged: 3, height: 3 })
    expect(peer.sent).toHaveLength(3)
    await peer.consensus.log.delete(testCid(100)) // nothing to write
    expect(peer.measures).toMatchObject({ commits: 3, committedChanges: 102 })
  })

  it('gathers what comes in while a commit is written into the next one', async () => {
    const store = new MemoryStore()
    const gates: Array<() => void> = []
    const batch = store.batch.bind(store)
    const peer = await openLonePeer({ store })
    store.batch = async (operations) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      gates.push(resolve)
      await promise
      await batch(operations)
    }
    const first = peer.consensus.log.put(testPin(0))
    await vi.waitFor(() => { expect(gates).toHaveLength(1) })
    const others = numbers(50).map((number) => peer.consensus.log.put(testPin(number + 1)))
    gates[0]?.()
    await first
    await vi.waitFor(() => { expect(gates).toHaveLength(2) })
    gates[1]?.()
    await Promise.all(others)
    expect([peer.consensus.stats().merged, peer.consensus.log.pinset.count()]).toEqual([2, 51])
  })

  it('announces only what it can serve, and answers only what is announced', async () => {
    const served: Array<[string, boolean]> = []
    let answered = false
    const { promise: heard, resolve: hear } = Promise.withResolvers<void>()
    const peer = await openLonePeer({
      onPublish: async (heads: readonly CID[]) => {
        for (const cid of heads) served.push([cid.toString(), await peer.consensus.blocks.get(cid) !== undefined])
        await heard
      }
    })
    const put = peer.consensus.log.put(testPin(1, { name: 'one' })).then(() => { answered = true })
    await vi.waitFor(() => { expect(served).toHaveLength(1) })
    await settle()
    expect([answered, served[0]?.[1], await namesOf(peer.consensus)]).toEqual([false, true, ['one']])
    hear()
    await put
    expect(answered).toBe(true)
  })

  it('answers although nobody could be told, and tells them later', async () => {
    let broken = true
    const peer = await openLonePeer({ rebroadcastInterval: 1000, onPublish: async () => { if (broken) throw new Error('no peers') } })
    await peer.consensus.log.put(testPin(1))
    expect(peer.sent).toEqual([])
    broken = false
    await peer.clock.advance(1001)
    expect(peer.sent).toHaveLength(1)
  })

  it('tells every caller of a failed commit, and works again afterwards', async () => {
    const store = new MemoryStore()
    const peer = await openLonePeer({ store })
    const batch = store.batch.bind(store)
    store.batch = async () => { throw new Error('disk full') }
    const results = await Promise.allSettled(numbers(5).map((number) => peer.consensus.log.put(testPin(number))))
    expect(results.map(({ status }) => status)).toEqual(numbers(5).map(() => 'rejected'))
    expect([peer.sent, peer.consensus.log.pinset.count(), peer.told]).toEqual([[], 0, []])
    store.batch = batch
    await peer.consensus.log.put(testPin(1))
    expect(peer.consensus.log.pinset.count()).toBe(1)
  })

  it('refuses a pin that fits into no delta', async () => {
    const peer = await openLonePeer()
    await expect(peer.consensus.log.put(testPin(1, { metadata: { long: 'x'.repeat(maxDeltaBytes) } }))).rejects.toMatchObject({ name: 'PinRefusedError' })
    expect(peer.consensus.log.pinset.count()).toBe(0)
  })

  it('finishes what was accepted before it stops', async () => {
    const peer = await openLonePeer()
    const puts = numbers(20).map((number) => peer.consensus.log.put(testPin(number)))
    await peer.consensus.stop()
    await Promise.all(puts)
    expect(peer.consensus.log.pinset.count()).toBe(20)
  })
})

describe('batching', () => {
  const batching = { maxBatchSize: 10, maxBatchAge: 1000 }

  it('answers when queued, and commits when the batch is full', async () => {
    const peer = await openLonePeer({ batching })
    for (const number of numbers(9)) await peer.consensus.log.put(testPin(number))
    await settle()
    expect([peer.consensus.log.pinset.count(), peer.sent.length, await peer.consensus.log.pinset.has(testCid(0))]).toEqual([0, 0, false])
    await peer.consensus.log.put(testPin(9))
    await vi.waitFor(() => { expect(peer.sent).toHaveLength(1) })
    expect([peer.consensus.log.pinset.count(), peer.consensus.stats().merged]).toEqual([10, 1])
  })

  it('commits by the age of the first item', async () => {
    const peer = await openLonePeer({ batching })
    await peer.consensus.log.put(testPin(0))
    await peer.clock.advance(900)
    await peer.consensus.log.put(testPin(1))
    expect(peer.consensus.log.pinset.count()).toBe(0)
    await peer.clock.advance(101)
    await vi.waitFor(() => { expect(peer.consensus.log.pinset.count()).toBe(2) })
    await peer.consensus.log.put(testPin(2))
    await peer.clock.advance(999)
    expect(peer.consensus.log.pinset.count()).toBe(2)
    await peer.clock.advance(2)
    await vi.waitFor(() => { expect([peer.consensus.log.pinset.count(), peer.sent.length]).toEqual([3, 2]) })
  })

  it('commits the rest at the end, and refuses then', async () => {
    const peer = await openLonePeer({ batching })
    for (const number of numbers(13)) await peer.consensus.log.put(testPin(number))
    await peer.consensus.stop()
    expect(peer.consensus.log.pinset.count()).toBe(13)
    await expect(peer.consensus.log.put(testPin(20))).rejects.toThrow()
  })

  it('drops an element that the same batch removes, and removes what was there when asked', async () => {
    const store = new MemoryStore()
    const peer = await openLonePeer({ batching, store })
    await peer.consensus.log.put(testPin(0, { name: 'kept' }))
    await peer.clock.advance(1001)
    await vi.waitFor(() => { expect(peer.sent).toHaveLength(1) })
    await peer.consensus.log.put(testPin(1))
    await peer.consensus.log.delete(testCid(1))
    await peer.consensus.log.delete(testCid(0))
    await peer.clock.advance(1001)
    await vi.waitFor(() => { expect(peer.sent).toHaveLength(2) })
    const [head] = peer.consensus.stats().heads
    const block = decodeBlock(head?.cid as CID, await peer.consensus.blocks.get(head?.cid as CID) as Uint8Array)
    expect([block.delta.elements.length, block.delta.tombstones.length, peer.consensus.log.pinset.count()]).toEqual([0, 1, 0])
    await peer.consensus.log.put(testPin(2))
    await peer.consensus.log.delete(testCid(2))
    await peer.clock.advance(1001)
    await settle()
    expect(peer.sent).toHaveLength(2) // nothing left to say
  })

  it('lets a concurrent pin win against a deletion that was queued before it came', async () => {
    const peer = await openLonePeer({ batching })
    const other = await openLonePeer()
    await peer.consensus.log.put(testPin(1, { name: 'old' }))
    await peer.clock.advance(1001)
    await vi.waitFor(() => { expect(peer.consensus.log.pinset.count()).toBe(1) })
    await peer.consensus.log.delete(testCid(1))
    await other.consensus.log.put(testPin(1, { name: 'new' }))
    const [head] = other.consensus.stats().heads
    peer.network.set(head?.cid.toString() ?? '', await other.consensus.blocks.get(head?.cid as CID) as Uint8Array)
    peer.hear([head?.cid as CID])
    await vi.waitFor(() => { expect(peer.consensus.stats().merged).toBe(2) })
    await peer.clock.advance(1001)
    await vi.waitFor(() => { expect(peer.consensus.stats().merged).toBe(3) })
    expect(await namesOf(peer.consensus)).toEqual(['new'])
  })

  it('removes what was queued before the deletion and is committed in an earlier batch', async () => {
    const store = new MemoryStore()
    const peer = await openLonePeer({ store, batching: { ...batching, maxBatchSize: 2 } })
    const batch = store.batch.bind(store)
    const { promise: written, resolve: write } = Promise.withResolvers<void>()
    store.batch = async (operations) => {
      await written
      await batch(operations)
    }
    await peer.consensus.log.put(testPin(1, { name: 'removed' }))
    await peer.consensus.log.put(testPin(2, { name: 'kept' }))
    await peer.consensus.log.delete(testCid(1)) // the put of it is being written
    write()
    await vi.waitFor(() => { expect(peer.consensus.log.pinset.count()).toBe(2) })
    await peer.clock.advance(1001)
    await vi.waitFor(async () => { expect(await namesOf(peer.consensus)).toEqual(['kept']) })
  })

  it('refuses when too much is queued', async () => {
    const store = new MemoryStore()
    const peer = await openLonePeer({ store, batching: { ...batching, maxQueueSize: 5 } })
    const batch = store.batch.bind(store)
    let open = (): void => {}
    store.batch = async (operations) => {
      await new Promise<void>((resolve) => { open = resolve })
      await batch(operations)
    }
    for (const number of numbers(15)) await peer.consensus.log.put(testPin(number))
    await expect(peer.consensus.log.put(testPin(15))).rejects.toThrow('batching max_queue_size reached')
    await expect(peer.consensus.log.delete(testCid(1))).rejects.toMatchObject({ name: 'QueueFullError' })
    store.batch = batch
    open()
    await vi.waitFor(() => { expect(peer.consensus.log.pinset.count()).toBe(10) })
    await peer.consensus.log.put(testPin(15))
    await peer.clock.advance(1001)
    await vi.waitFor(() => { expect(peer.consensus.log.pinset.count()).toBe(16) })
  })

  it('keeps the items of a failed commit for the next one', async () => {
    const store = new MemoryStore()
    const peer = await openLonePeer({ store, batching })
    const batch = store.batch.bind(store)
    store.batch = async () => { throw new Error('disk full') }
    for (const number of numbers(10)) await peer.consensus.log.put(testPin(number))
    await settle()
    expect(peer.consensus.log.pinset.count()).toBe(0)
    store.batch = batch
    await peer.clock.advance(1001)
    await vi.waitFor(() => { expect(peer.consensus.log.pinset.count()).toBe(10) })
  })
})
