import type { DeltaBlock } from '../../src/crdt/block.ts'
import * as dagPb from '@ipld/dag-pb'
import { sha256 } from '@noble/hashes/sha2.js'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { describe, expect, it, vi } from 'vitest'
import { encodeBlock } from '../../src/crdt/block.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { namesOf, testPin } from '../contract/consensus.ts'
import { settle, testCid, testPeer } from '../contract/values.ts'
import { Model } from '../crdt/model.ts'
import { keyOf, valueOf } from '../crdt/random-dag.ts'
import { openLonePeer, type LonePeer } from './lone-peer.ts'

/** A chain of deltas of one author, each pinning its own number. */
function chain (length: number, first = 1): readonly [DeltaBlock, ...DeltaBlock[]] {
  const author = new Model()
  return Array.from({ length }, (_, index) => author.commit([[keyOf(first + index), valueOf(first + index, `n${first + index}`)]])) as [DeltaBlock, ...DeltaBlock[]]
}
const last = (blocks: readonly DeltaBlock[]): CID => (blocks.at(-1) as DeltaBlock).cid
const bogus = (number: number): CID => CID.createV1(dagPb.code, testCid(number).multihash)
const synced = async (peer: LonePeer, pins: number): Promise<void> => {
  await vi.waitFor(() => { expect([peer.consensus.log.pinset.count(), peer.consensus.stats().missing]).toEqual([pins, 0]) }, { timeout: 10_000 })
}

describe('bringing in what others announce', () => {
  it('fetches everything below a head, and makes it the head', async () => {
    const peer = await openLonePeer()
    const blocks = chain(10)
    peer.has(...blocks)
    peer.hear([last(blocks)])
    await synced(peer, 10)
    expect(peer.consensus.stats()).toMatchObject({ height: 10, dirty: false, merged: 10, missing: 0 })
    expect(peer.consensus.stats().heads.map(({ cid }) => cid.toString())).toEqual([last(blocks).toString()])
    expect(new Set(peer.fetched).size).toBe(peer.fetched.length)
    peer.hear([last(blocks), blocks[0].cid])
    await settle()
    expect(peer.fetched.length).toBe(10)
  })

  it('does not let a head that nobody has delay another one', async () => {
    const peer = await openLonePeer()
    const [first] = chain(1)
    peer.has(first)
    peer.hear([bogus(1), bogus(2)])
    peer.hear([first.cid])
    await vi.waitFor(() => { expect(peer.consensus.log.pinset.count()).toBe(1) })
    expect(peer.consensus.stats().missing).toBe(2)
    await peer.clock.advance(60_000)
    expect(peer.consensus.stats()).toMatchObject({ missing: 0, dirty: false })
    expect(peer.fetched.filter((cid) => cid === bogus(1).toString())).toHaveLength(3)
    await peer.clock.advance(7_200_000)
    expect(peer.fetched.length).toBe(7) // given up until it is announced again
    peer.hear([bogus(1)])
    await settle()
    expect(peer.fetched.length).toBe(8)
  })

  it('leaves room for others when one peer announces nonsense', async () => {
    const peer = await openLonePeer()
    const blocks = chain(3)
    peer.has(...blocks)
    for (let message = 0; message < 20; message++) peer.hear(Array.from({ length: 100 }, (_, index) => bogus(message * 100 + index)), testPeer(66))
    peer.hear([last(blocks)], testPeer(2))
    await vi.waitFor(() => { expect(peer.consensus.log.pinset.count()).toBe(3) })
    expect(peer.fetching.most).toBeLessThanOrEqual(50)
    expect(peer.consensus.stats().missing).toBeLessThanOrEqual(2048)
  })

  it('follows the newest head of one who announces faster than blocks come', async () => {
    const peer = await openLonePeer()
    const blocks = chain(2500)
    peer.has(...blocks)
    for (const { cid } of blocks) peer.hear([cid])
    await vi.waitFor(() => { expect(peer.consensus.log.pinset.count()).toBe(2500) }, { timeout: 20_000 })
    expect(peer.consensus.stats()).toMatchObject({ missing: 0, height: 2500 })
  }, 30_000)

  it('merges the newest first when much is missing, with bounded memory', async () => {
    const peer = await openLonePeer({ fetching: { maxWaitingBlocks: 50 } })
    const blocks = chain(1200)
    peer.has(...blocks)
    peer.hear([last(blocks)])
    await synced(peer, 1200)
    expect(peer.consensus.stats()).toMatchObject({ height: 1200, merged: 1200, dirty: false })
    expect(peer.consensus.stats().heads).toHaveLength(1)
    expect(peer.told[0]).toBe('pinned n1200') // the head at once, so that own writes build on it
  })

  it('fetches wide histories in parallel, but not too much at once', async () => {
    const peer = await openLonePeer()
    const first = chain(1)[0]
    const wide = Array.from({ length: 300 }, (_, index) => encodeBlock({ elements: [{ key: keyOf(1000 + index), value: valueOf(1000 + index, 'wide') }], tombstones: [], priority: 2 }, [first.cid]))
    const head = encodeBlock({ elements: [], tombstones: [], priority: 3 }, wide.map(({ cid }) => cid))
    peer.has(first, head, ...wide)
    peer.hear([head.cid])
    await synced(peer, 301)
    expect(peer.fetching.most).toBe(50)
    expect(peer.consensus.stats().heads.map(({ cid }) => cid.toString())).toEqual([head.cid.toString()])
  })

  it('takes what it has when something below is missing, and gets the rest later', async () => {
    const peer = await openLonePeer()
    await peer.consensus.log.put(testPin(500))
    const blocks = chain(5)
    peer.has(...blocks.filter((_, index) => index !== 2))
    peer.hear([last(blocks)])
    await vi.waitFor(() => { expect(peer.fetched).toContain(blocks[2]?.cid.toString()) })
    expect(peer.consensus.log.pinset.count()).toBe(1)
    await peer.clock.advance(11_000)
    await vi.waitFor(() => { expect(peer.consensus.log.pinset.count()).toBe(3) })
    expect(peer.consensus.stats()).toMatchObject({ dirty: true, missing: 1 })
    await peer.clock.advance(60_000)
    peer.has(...blocks)
    await peer.clock.advance(600_000)
    await synced(peer, 6)
    expect(peer.consensus.stats()).toMatchObject({ dirty: false, missing: 0 })
    expect(peer.consensus.stats().heads).toHaveLength(2)
  })

  it('goes on after a restart with what was missing, unasked', async () => {
    const store = new MemoryStore()
    const peer = await openLonePeer({ store })
    const blocks = chain(40)
    peer.has(...blocks.slice(20))
    peer.hear([last(blocks)])
    await vi.waitFor(() => { expect(peer.fetched).toContain(blocks[19]?.cid.toString()) })
    await peer.clock.advance(11_000)
    await vi.waitFor(() => { expect(peer.consensus.log.pinset.count()).toBe(20) })
    await peer.consensus.stop()
    const again = await openLonePeer({ store })
    expect(again.consensus.stats()).toMatchObject({ dirty: true, missing: 1, merged: 20 })
    again.has(...blocks)
    await again.clock.advance(600_000)
    await synced(again, 40)
    expect(again.fetched.length).toBeLessThanOrEqual(21)
  })

  it('ignores messages and blocks that are malformed', async () => {
    const peer = await openLonePeer()
    const bytes = dagPb.encode({ Data: Uint8Array.of(0xff, 0xff), Links: [] })
    const cid = CID.createV1(dagPb.code, createDigest(0x12, sha256(bytes)))
    peer.network.set(cid.toString(), bytes)
    expect(peer.hearBytes(Uint8Array.of(1, 2, 3))).toBe(false)
    peer.hear([cid, testCid(1)])
    await vi.waitFor(() => { expect(peer.fetched).toContain(cid.toString()) })
    await peer.clock.advance(60_000)
    expect(peer.fetched.filter((other) => other === cid.toString())).toHaveLength(1)
    expect(peer.consensus.stats()).toMatchObject({ missing: 0, merged: 0, dirty: false })
  })

  it('listens to trusted signers only', async () => {
    const peer = await openLonePeer({ trustedPeers: [testPeer(2)] })
    const [one] = chain(1)
    const [two] = chain(1, 2)
    peer.has(one, two)
    expect(peer.hear([one.cid], testPeer(3))).toBe(false)
    expect(peer.hear([two.cid], testPeer(2))).toBe(true)
    await synced(peer, 1)
    expect(await namesOf(peer.consensus)).toEqual(['n2'])
    peer.consensus.trust.trust(testPeer(3))
    expect(peer.hear([one.cid], testPeer(3))).toBe(true)
    await synced(peer, 2)
  })

  it('builds on a head that it just heard of when it has none', async () => {
    const peer = await openLonePeer()
    const blocks = chain(5)
    peer.has(...blocks.slice(4))
    peer.hear([last(blocks)])
    await vi.waitFor(() => { expect(peer.consensus.stats().height).toBe(5) })
    await peer.consensus.log.put(testPin(50))
    expect(peer.consensus.stats()).toMatchObject({ height: 6, dirty: true })
    expect(peer.consensus.stats().heads).toHaveLength(1)
  })

  it('looks through the DAG when it is marked dirty', async () => {
    const store = new MemoryStore()
    const peer = await openLonePeer({ store, repairInterval: 1000 })
    const blocks = chain(6)
    peer.has(...blocks)
    peer.hear([last(blocks)])
    await synced(peer, 6)
    const lost = blocks[1] as DeltaBlock
    await store.batch([{ type: 'del', key: `/c/b${lost.id}` }])
    await peer.clock.advance(5000)
    expect([peer.consensus.stats().dirty, peer.fetched.length]).toEqual([false, 6])
    await peer.consensus.setDirty(true)
    expect(peer.consensus.stats().dirty).toBe(true)
    await peer.clock.advance(1001)
    await vi.waitFor(() => { expect(peer.consensus.stats()).toMatchObject({ dirty: false, missing: 0 }) })
    expect(await peer.consensus.blocks.get(lost.cid)).toEqual(lost.bytes)
    expect(peer.consensus.log.pinset.count()).toBe(6)
  })
})

describe('announcing heads again', () => {
  it('sends heads that nobody announced since the last time, with some jitter', async () => {
    let random = 0
    const peer = await openLonePeer({ random: () => random, rebroadcastInterval: 60_000 })
    await peer.consensus.log.put(testPin(1))
    const [head] = peer.sent[0] ?? []
    expect(peer.sent).toEqual([[head]])
    random = 1
    await peer.clock.advance(42_001) // 60 s - 30 %: its own announcement counts as seen
    expect(peer.sent).toHaveLength(1)
    await peer.clock.advance(77_000) // 60 s + 30 %
    expect(peer.sent).toHaveLength(1)
    await peer.clock.advance(1001)
    expect(peer.sent).toEqual([[head], [head]])
    random = 0.5
    peer.hear([CID.parse(head ?? '')])
    await peer.clock.advance(78_001) // somebody else announced it, and so did it
    expect(peer.sent).toHaveLength(2)
    await peer.clock.advance(60_001)
    expect(peer.sent).toHaveLength(3)
  })

  it('sends nothing without heads, and all of several in one message', async () => {
    const store = new MemoryStore()
    const peer = await openLonePeer({ store, rebroadcastInterval: 1000 })
    await peer.clock.advance(10_000)
    expect(peer.sent).toEqual([])
    const [one] = chain(1)
    const [two] = chain(1, 2)
    peer.has(one, two)
    peer.hear([one.cid, two.cid])
    await synced(peer, 2)
    await peer.consensus.stop()
    const again = await openLonePeer({ store, rebroadcastInterval: 1000 })
    await again.clock.advance(1500)
    expect(again.sent.map((heads) => heads.toSorted())).toEqual([[one.cid, two.cid].map(String).toSorted()])
  })

  it('announces its heads again after a burst, and not after single pins', async () => {
    const peer = await openLonePeer({ rebroadcastInterval: 3_600_000 })
    await peer.consensus.log.put(testPin(1))
    await peer.clock.advance(60_000)
    expect(peer.sent).toHaveLength(1)
    for (let number = 2; number < 22; number++) await peer.consensus.log.put(testPin(number))
    expect(peer.sent).toHaveLength(21)
    const head = peer.sent.at(-1)
    for (let i = 0; i < 30; i++) await peer.clock.advance(2000)
    expect(peer.sent.slice(21)).toEqual([head, head, head])
    await peer.consensus.log.put(testPin(22))
    for (let i = 0; i < 30; i++) await peer.clock.advance(2000)
    expect(peer.sent).toHaveLength(25)
  })

  it('greets connections with all heads, once for many, and not after a stop', async () => {
    const peer = await openLonePeer({ rebroadcastInterval: 3_600_000 })
    peer.meet()
    await peer.clock.advance(2000)
    expect(peer.sent).toEqual([])
    await peer.consensus.log.put(testPin(1))
    const [head] = peer.sent[0] ?? []
    for (let i = 0; i < 5; i++) peer.meet()
    await peer.clock.advance(2000)
    expect(peer.sent).toEqual([[head], [head]])
    peer.meet()
    await peer.consensus.stop()
    await peer.clock.advance(2000)
    expect(peer.sent).toHaveLength(2)
  })
})
