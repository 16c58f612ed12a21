/** Members that are lost, slow or lie while a newcomer walks the DAG, block by block over the real exchange. */
import type { Clock } from '../../src/component.ts'
import type { CrdtConsensus, CrdtConsensusOptions } from '../../src/consensus/crdt/crdt-consensus.ts'
import type { DeltaBlock } from '../../src/crdt/block.ts'
import type { BitswapMessage } from '../../src/exchange/bitswap-message.ts'
import type { MemoryNetwork } from '../../src/transport/memory.ts'
import type { Transport } from '../../src/transport/transport.ts'
import type { CID } from 'multiformats/cid'
import * as dagPb from '@ipld/dag-pb'
import { CID as Cid } from 'multiformats/cid'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { silentLogger, systemClock } from '../../src/component.ts'
import { createCrdtConsensus } from '../../src/consensus/crdt/crdt-consensus.ts'
import { Replica } from '../../src/consensus/crdt/replica.ts'
import { encodeSyncAnswer, syncProtocol } from '../../src/consensus/crdt/sync-frames.ts'
import { encodeBlock } from '../../src/crdt/block.ts'
import { encodeBroadcast } from '../../src/crdt/broadcast.ts'
import { frameMessage, readMessages } from '../../src/exchange/bitswap-frames.ts'
import { bitswapProtocols, decodeMessage, emptyMessage, encodeMessage } from '../../src/exchange/bitswap-message.ts'
import { bitswapExchange } from '../../src/exchange/bitswap.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { createMemoryNetwork } from '../../src/transport/memory.ts'
import { seededRandom } from '../../src/transport/random.ts'
import { linesOf, testPin } from '../contract/consensus.ts'
import { testCid, testPeer } from '../contract/values.ts'
import { Model } from '../crdt/model.ts'
import { below, honestHistory, keyOf, pick, valueOf } from '../crdt/random-dag.ts'
import { openLonePeer } from './lone-peer.ts'

const waitFor = async (check: () => void | Promise<void>): Promise<void> => { await vi.waitFor(check, { timeout: 25_000, interval: 20 }) }

function chain (length: number, first = 1): readonly [DeltaBlock, ...DeltaBlock[]] {
  const author = new Model()
  return Array.from({ length }, (_, index) => author.commit([[keyOf(first + index), valueOf(first + index, `n${first + index}`)]])) as [DeltaBlock, ...DeltaBlock[]]
}
const lastOf = (blocks: readonly DeltaBlock[]): CID => (blocks.at(-1) as DeltaBlock).cid
const nowhere = (number: number): CID => Cid.createV1(dagPb.code, testCid(number).multihash)

/** Time that passes ten times as fast. */
const fastClock: Clock = { now: () => Date.now() * 10, sleep: async (ms, options) => { await systemClock.sleep(ms / 10, options) } }

interface Member { readonly transport: Transport, readonly consensus: CrdtConsensus }

/** A member that has these blocks; started, not connected. */
async function openMember (network: MemoryNetwork, number: number, blocks: readonly DeltaBlock[], options: CrdtConsensusOptions & { readonly clock?: Clock, readonly bulk?: boolean, readonly store?: MemoryStore } = {}): Promise<Member> {
  const { clock = systemClock, bulk = false, store = new MemoryStore(), ...chosen } = options
  const transport = network.join(testPeer(number))
  const filling = new Replica({ store, logger: silentLogger.forComponent('crdt') })
  await filling.open()
  await filling.merge(blocks)
  const exchange = bitswapExchange({ transport, clock, logger: silentLogger, blocks: { get: async (cid) => await consensus.blocks.get(cid) } }, { patience: 100, retryInterval: 500 })
  const consensus: CrdtConsensus = createCrdtConsensus({
    store, exchange, pubsub: transport.pubsub, monitor: { latestValid: () => [] }, peerId: transport.peerId, hooks: { pinned: () => {}, unpinned: () => {} }, clock, logger: silentLogger,
    onConnect: (listener) => transport.onConnect(listener), streams: bulk ? transport : undefined
  }, { rebroadcastInterval: 400, ...chosen })
  for (const part of [transport, exchange, consensus]) {
    await part.start()
    onTestFinished(() => part.stop())
  }
  return { transport, consensus }
}

/** A member that speaks bitswap as it likes. Counts the blocks that it is asked for. */
async function openNuisance (network: MemoryNetwork, number: number, answer: (message: BitswapMessage) => Partial<BitswapMessage> | undefined): Promise<{ readonly transport: Transport, readonly asked: Set<string> }> {
  const transport = network.join(testPeer(number))
  const asked = new Set<string>()
  await transport.start()
  onTestFinished(() => transport.stop())
  await transport.handle(bitswapProtocols[0], (stream) => {
    void (async () => {
      for await (const bytes of readMessages(stream.source, 1e7)) {
        const message = decodeMessage(bytes)
        for (const { cid, want } of message.wants) if (want === 'block') asked.add(cid.toString())
        const said = answer(message)
        if (said === undefined) continue
        const back = await transport.openStream(stream.remotePeer, bitswapProtocols[0])
        await back.write(frameMessage(encodeMessage({ ...emptyMessage, ...said })))
        await back.closeWrite()
      }
    })().catch(() => {})
  })
  return { transport, asked }
}

const silent = (): undefined => undefined
const hasAll = ({ wants }: BitswapMessage): Partial<BitswapMessage> | undefined => {
  const haves = wants.filter(({ want }) => want !== 'cancel').map(({ cid }) => cid)
  return haves.length === 0 ? undefined : { haves }
}

describe('a newcomer walks a chain', () => {
  it.each([['answers nothing', silent], ['says that it has everything', hasAll]] as const)('past a member that announces the head and %s', async (_what, answer) => {
    const network = createMemoryNetwork()
    const blocks = chain(300)
    const honest = await openMember(network, 1, blocks)
    const fresh = await openMember(network, 2, [])
    const nuisance = await openNuisance(network, 3, answer)
    await network.connectAll()
    await nuisance.transport.pubsub.publish(fresh.consensus.topic, encodeBroadcast([lastOf(blocks)]))
    await waitFor(() => { expect(fresh.consensus.stats()).toMatchObject({ merged: 300, missing: 0, dirty: false }) })
    expect(await linesOf(fresh.consensus)).toEqual(await linesOf(honest.consensus))
    expect(nuisance.asked.size).toBeLessThan(60)
  }, 30_000)

  it('on from where it stood when the only other member leaves and comes back', async () => {
    const network = createMemoryNetwork({ latency: 1 })
    const blocks = chain(300)
    const full = await openMember(network, 1, blocks)
    const fresh = await openMember(network, 2, [], { fetching: { maxWaitingBlocks: 40 } })
    await network.connectAll()
    for (const share of [60, 160]) {
      await waitFor(() => { expect(fresh.consensus.stats().merged).toBeGreaterThan(share) })
      network.disconnect(full.transport.peerId, fresh.transport.peerId)
      const { merged } = fresh.consensus.stats()
      expect(merged).toBeLessThan(300)
      await network.connectAll()
      expect(fresh.consensus.stats().merged).toBeGreaterThanOrEqual(merged)
    }
    await waitFor(() => { expect(fresh.consensus.stats()).toMatchObject({ merged: 300, missing: 0, dirty: false }) })
  }, 30_000)

  it('without fetching again after a restart what it had', async () => {
    const store = new MemoryStore()
    const blocks = chain(2000)
    const options = { store, fetching: { maxWaitingBlocks: 200 } }
    const first = await openLonePeer(options)
    first.has(...blocks.slice(800))
    first.hear([lastOf(blocks)])
    await waitFor(() => { expect(first.fetched).toContain(blocks[799]?.cid.toString()) })
    await first.consensus.stop()
    const again = await openLonePeer(options)
    expect(again.consensus.progress()).toMatchObject({ dirty: true, known: 2000 })
    again.has(...blocks)
    await again.clock.advance(60_000)
    await waitFor(() => { expect(again.consensus.stats()).toMatchObject({ merged: 2000, missing: 0, dirty: false }) })
    expect(first.fetched.length + again.fetched.length).toBeLessThanOrEqual(2000 + 2 * 200 + 2)
  }, 30_000)

  it('and asks again at once when a member comes, however long it has waited', async () => {
    const peer = await openLonePeer()
    const blocks = chain(10)
    peer.has(...blocks.slice(5))
    peer.hear([lastOf(blocks)])
    await peer.clock.advance(3_600_000)
    expect(peer.consensus.stats()).toMatchObject({ merged: 5, missing: 1 })
    while (peer.fetching.now > 0) await peer.clock.advance(500)
    peer.has(...blocks)
    peer.meet()
    // Not a moment of the clock passes.
    await waitFor(() => { expect(peer.consensus.stats()).toMatchObject({ merged: 10, missing: 0 }) })
  }, 30_000)
})

describe('one who announces nonsense', () => {
  const wide = (first: number, links: number): DeltaBlock => encodeBlock({ elements: [], tombstones: [], priority: 2 }, Array.from({ length: links }, (_, index) => nowhere(first + index)))

  it('does not hold up what others announce, although nobody says that the blocks are nowhere', async () => {
    const peer = await openLonePeer()
    const blocks = chain(200)
    const bad = wide(10_000, 5000)
    peer.has(bad, ...blocks)
    peer.hear([bad.cid, ...Array.from({ length: 100 }, (_, index) => nowhere(50_000 + index))], testPeer(66))
    await waitFor(() => { expect(peer.fetching.now).toBe(50) })
    peer.hear([lastOf(blocks)], testPeer(2))
    // Not a moment of the clock passes.
    await waitFor(() => { expect(peer.consensus.log.pinset.count()).toBe(200) })
    expect(peer.fetching.most).toBeLessThanOrEqual(100)
  }, 30_000)

  it('cannot hide the head of another one behind its own', async () => {
    const peer = await openLonePeer()
    const [block] = chain(1)
    peer.has(block)
    for (let first = 0; first < 1000; first += 100) peer.hear(Array.from({ length: 100 }, (_, index) => nowhere(first + index)), testPeer(66))
    peer.hear([block.cid], testPeer(66))
    peer.hear([block.cid], testPeer(2))
    await waitFor(() => { expect(peer.consensus.log.pinset.count()).toBe(1) })
  }, 30_000)

  it('is told apart at once where members say that they have none of it', async () => {
    const network = createMemoryNetwork()
    const blocks = chain(50)
    await openMember(network, 1, blocks)
    const fresh = await openMember(network, 2, [])
    await network.connectAll()
    const bad = wide(20_000, 400)
    const liar = await openMember(network, 3, [bad])
    await network.connectAll()
    await waitFor(() => { expect(fresh.consensus.stats()).toMatchObject({ merged: 51, height: 50, dirty: true }) })
    await liar.consensus.log.put(testPin(777))
    await waitFor(async () => { expect(await fresh.consensus.log.pinset.has(testCid(777))).toBe(true) })
  }, 30_000)
})

describe('a member that sends in bulk', () => {
  it.each([['bit by bit', 40], ['nothing at all', undefined]] as const)('%s: the walk goes on beside it, and others are asked', async (_what, pause) => {
    const network = createMemoryNetwork()
    const blocks = chain(400)
    const fresh = await openMember(network, 1, [], { bulk: true, clock: fastClock })
    const slow = network.join(testPeer(2))
    await slow.start()
    onTestFinished(() => slow.stop())
    let asked = 0
    let sent = 0
    await slow.handle(syncProtocol, (stream) => {
      asked++
      void (async () => {
        if (pause === undefined) return
        await stream.write(encodeSyncAnswer({ kind: 'plan', blocks: 1_000_000 }))
        for (const { bytes } of blocks) {
          await systemClock.sleep(pause, { signal: stream.closed })
          await stream.write(encodeSyncAnswer({ kind: 'blocks', blocks: [bytes] }))
          sent++
        }
      })().catch(() => {})
    })
    await network.connectAll()
    await waitFor(() => { expect(asked).toBe(1) })
    // It speaks no bulk sync itself: all of it must come block by block, while the slow one still sends.
    await openMember(network, 3, blocks)
    await network.connectAll()
    await waitFor(() => { expect(fresh.consensus.stats().merged).toBe(400) })
    expect(sent).toBeLessThan(400)
  }, 30_000)

  it('is asked a few times a minute only by the same member', async () => {
    const network = createMemoryNetwork()
    const full = await openMember(network, 1, chain(5), { bulk: true })
    const asker = network.join(testPeer(2))
    await asker.start()
    onTestFinished(() => asker.stop())
    await network.connectAll()
    const kinds: Array<number | undefined> = []
    for (let time = 0; time < 15; time++) {
      const stream = await asker.openStream(full.transport.peerId, syncProtocol)
      await stream.write(Uint8Array.of(0, 0, 0, 1, 1))
      await stream.closeWrite()
      let first: number | undefined
      for await (const bytes of stream.source) first ??= bytes[4]
      kinds.push(first)
    }
    expect(kinds).toEqual([...Array.from({ length: 12 }, () => 0), 4, 4, 4])
  }, 30_000)
})

describe('a newcomer among members that come and go', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('has what they have in the end, seed %i', async (seed) => {
    const random = seededRandom(seed)
    const network = createMemoryNetwork({ latency: [0, 3], loss: 0.3, duplicate: 0.1, random })
    const history = honestHistory(random, { authors: 3, steps: 150, keys: 40 })
    const whole = await openMember(network, 1, history)
    const part = await openMember(network, 2, history.slice(0, below(random, history.length)), { bulk: random() < 0.5 })
    const fresh = await openMember(network, 3, [], { bulk: random() < 0.5, fetching: { maxWaitingBlocks: 1 + below(random, 30), retryPause: 100 } })
    const nuisance = await openNuisance(network, 4, pick(random, [silent, hasAll]))
    const members = [whole.transport, part.transport, fresh.transport, nuisance.transport]
    await network.connectAll()
    await nuisance.transport.pubsub.publish(fresh.consensus.topic, encodeBroadcast([lastOf(history), nowhere(seed)]))
    for (let cut = 0; cut < 12; cut++) {
      await systemClock.sleep(below(random, 40))
      network.disconnect(pick(random, members).peerId, fresh.transport.peerId)
      if (random() < 0.7) await network.connectAll()
    }
    await network.connectAll()
    await waitFor(async () => {
      for (const { consensus } of [fresh, part]) {
        expect(consensus.stats(), `seed ${seed}`).toMatchObject({ merged: history.length, dirty: false })
        expect(await linesOf(consensus), `seed ${seed}`).toEqual(await linesOf(whole.consensus))
      }
    })
  }, 40_000)
})
