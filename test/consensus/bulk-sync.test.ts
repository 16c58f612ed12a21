import type { CrdtCluster, CrdtClusterOptions, CrdtMember } from './crdt-peers.ts'
import type { DeltaBlock } from '../../src/crdt/block.ts'
import type { SyncAnswer } from '../../src/consensus/crdt/sync-frames.ts'
import type { ByteStream } from '../../src/transport/transport.ts'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { silentLogger, stopAll } from '../../src/component.ts'
import { Replica } from '../../src/consensus/crdt/replica.ts'
import { encodeSyncAnswer, syncProtocol } from '../../src/consensus/crdt/sync-frames.ts'
import { encodeBlock } from '../../src/crdt/block.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { seededRandom } from '../../src/transport/random.ts'
import { linesOf, testPin } from '../contract/consensus.ts'
import { testCid, testPeer } from '../contract/values.ts'
import { Model } from '../crdt/model.ts'
import { below, honestHistory, keyOf, valueOf } from '../crdt/random-dag.ts'
import { openCrdtCluster } from './crdt-peers.ts'

const waitFor = async (check: () => void): Promise<void> => { await vi.waitFor(check, { timeout: 15_000 }) }

/** A chain of deltas of one author, each pinning its own number. */
function chain (length: number): DeltaBlock[] {
  const author = new Model()
  return Array.from({ length }, (_, index) => author.commit([[keyOf(index), valueOf(index, `n${index}`)]]) as DeltaBlock)
}

/** A store that has these blocks. */
async function storeOf (blocks: readonly DeltaBlock[]): Promise<MemoryStore> {
  const store = new MemoryStore()
  const replica = new Replica({ store, logger: silentLogger.forComponent('crdt') })
  await replica.open()
  await replica.merge(blocks)
  return store
}

/** Members with these blocks each, started but not connected. */
async function openMembers (contents: ReadonlyArray<readonly DeltaBlock[]>, options: CrdtClusterOptions = {}): Promise<CrdtCluster> {
  const stores = await Promise.all(contents.map(storeOf))
  const cluster = await openCrdtCluster(contents.length, { bulk: true, idle: true, store: () => stores.shift() ?? new MemoryStore(), ...options })
  onTestFinished(() => stopAll(cluster.members.flatMap(({ transport, consensus }) => [transport, consensus])))
  for (const { transport, consensus } of cluster.members) {
    await transport.start()
    await consensus.start()
  }
  return cluster
}

const counted = (member: CrdtMember): { opened: number } => {
  const streams = { opened: 0 }
  const open = member.transport.openStream.bind(member.transport)
  member.transport.openStream = async (peer, protocol, options) => {
    if (protocol === syncProtocol) streams.opened++
    return await open(peer, protocol, options)
  }
  return streams
}
const state = async ({ consensus }: CrdtMember): Promise<unknown> => ({ lines: await linesOf(consensus), heads: consensus.stats().heads.map(({ cid }) => cid.toString()), merged: consensus.stats().merged, dirty: consensus.stats().dirty })

describe('bulk sync', () => {
  it('brings a newcomer everything in one stream, and says how much comes', async () => {
    const blocks = chain(3000)
    const { members: [full, fresh], network } = await openMembers([blocks, []], { consensus: { bulk: { groupBlocks: 500 } } }) as { members: readonly [CrdtMember, CrdtMember], network: CrdtCluster['network'] } & CrdtCluster
    const streams = counted(fresh)
    const seen: Array<{ synced: number, known: number }> = []
    fresh.consensus.onProgress(() => { seen.push(fresh.consensus.progress()) })
    await network.connectAll()
    await waitFor(() => { expect(fresh.consensus.stats()).toMatchObject({ merged: 3000, missing: 0, dirty: false }) })
    expect(await state(fresh)).toEqual(await state(full))
    expect(streams.opened).toBe(1)
    const [atHead, ...rest] = seen
    expect(atHead).toMatchObject({ synced: 1 })
    expect(rest.slice(0, -1).every(({ known }) => known >= 3000 && known <= 3001)).toBe(true)
    expect(rest.length).toBeGreaterThan(4)
    expect(seen.map(({ synced }) => synced)).toEqual(seen.map(({ synced }) => synced).toSorted((one, other) => one - other))
    // The newest first, so that own writes build on it; then from below.
    expect(fresh.told.slice(0, 3).map((line) => line.split(' ')[2])).toEqual(['n2999', 'n0', 'n1'])
    await fresh.consensus.log.put(testPin(9000))
    expect(fresh.consensus.stats()).toMatchObject({ height: 3001 })
  }, 30_000)

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('comes to one pinset with histories that differ, and streams that are cut, seed %i', async (seed) => {
    const random = seededRandom(seed)
    const blocks = honestHistory(random, { authors: 4, steps: 500, keys: 60 })
    const shared = blocks.slice(0, below(random, 200))
    const cluster = await openMembers([blocks, shared], { network: { random, chunkSize: [50, 2000], latency: [0, 1] }, consensus: { bulk: { groupBlocks: 20, answerTimeout: 2000, refusalTime: 50 } } })
    const [full, behind] = cluster.members as readonly [CrdtMember, CrdtMember]
    for (let cut = 0; cut < 6; cut++) {
      await cluster.network.connectAll()
      await new Promise((resolve) => setTimeout(resolve, below(random, 30)))
      cluster.network.disconnect(full.peerId, behind.peerId)
      if (random() < 0.3) await behind.restart()
    }
    await cluster.network.connectAll()
    await full.consensus.log.put(testPin(9999)) // what tells everybody of the heads
    await waitFor(() => { expect(behind.consensus.stats()).toMatchObject({ merged: full.consensus.stats().merged, missing: 0, dirty: false }) })
    expect(await state(behind)).toEqual(await state(full))
  }, 30_000)

  it('goes on after a cut and a restart with what is still missing', async () => {
    const blocks = chain(2000)
    const cluster = await openMembers([blocks, []], { network: { window: 20_000 }, consensus: { bulk: { groupBlocks: 100 } } })
    const [full, fresh] = cluster.members as readonly [CrdtMember, CrdtMember]
    const cut = fresh.consensus.onProgress(() => { if (fresh.consensus.stats().merged > 700) cluster.network.disconnect(full.peerId, fresh.peerId) })
    await cluster.network.connectAll()
    await waitFor(() => { expect(fresh.transport.connectedPeers()).toEqual([]) })
    cut()
    await fresh.restart()
    const before = fresh.consensus.stats()
    expect(before.merged).toBeGreaterThan(700)
    expect(before.merged).toBeLessThan(2000)
    expect(before.dirty).toBe(true)
    const planned: number[] = []
    fresh.consensus.onProgress(() => { planned.push(fresh.consensus.progress().known) })
    await cluster.network.connectAll()
    await waitFor(() => { expect(fresh.consensus.stats()).toMatchObject({ merged: 2000, missing: 0, dirty: false }) })
    expect(await state(fresh)).toEqual(await state(full))
    expect(planned[0]).toBeLessThanOrEqual(2000 + 100) // little is sent twice
  }, 30_000)

  it('leaves small gaps to the exchange of blocks', async () => {
    const blocks = chain(20)
    const cluster = await openMembers([blocks, blocks.slice(0, 5)])
    const [full, behind] = cluster.members as readonly [CrdtMember, CrdtMember]
    const streams = counted(behind)
    await cluster.network.connectAll()
    await full.consensus.log.put(testPin(500))
    await waitFor(() => { expect(behind.consensus.stats()).toMatchObject({ merged: 21, missing: 0 }) })
    expect(streams.opened).toBe(0)
  })

  it('asks in bulk when an announced head is far', async () => {
    const blocks = chain(400)
    const cluster = await openMembers([blocks, blocks.slice(0, 5)])
    const [full, behind] = cluster.members as readonly [CrdtMember, CrdtMember]
    const streams = counted(behind)
    await cluster.network.connectAll()
    await full.consensus.log.put(testPin(500))
    await waitFor(() => { expect(behind.consensus.stats()).toMatchObject({ merged: 401, missing: 0, dirty: false }) })
    expect(streams.opened).toBe(1)
  })

  it('takes nothing in bulk from members that are not trusted', async () => {
    const cluster = await openMembers([chain(200), []], { consensus: { trustedPeers: [testPeer(7)] } })
    const [, fresh] = cluster.members as readonly [CrdtMember, CrdtMember]
    const streams = counted(fresh)
    await cluster.network.connectAll()
    await fresh.consensus.log.put(testPin(1))
    expect([streams.opened, fresh.consensus.stats().merged]).toEqual([0, 1])
    fresh.consensus.trust.trust(testPeer(1))
    cluster.network.disconnect(testPeer(1), testPeer(2))
    await fresh.restart()
    expect(streams.opened).toBe(0)
  })

  it('is not served by a member that lacks blocks itself', async () => {
    const blocks = chain(300)
    const cluster = await openMembers([blocks.slice(100), [], blocks])
    const [part, fresh, full] = cluster.members as readonly [CrdtMember, CrdtMember, CrdtMember]
    cluster.network.partition([part.peerId, fresh.peerId], [full.peerId])
    const streams = counted(fresh)
    await cluster.network.connectAll()
    await waitFor(() => { expect(streams.opened).toBe(1) })
    expect(fresh.consensus.stats().merged).toBe(0)
    cluster.network.heal()
    await cluster.network.connectAll()
    await waitFor(() => { expect(fresh.consensus.stats()).toMatchObject({ merged: 300, missing: 0 }) })
  })
})

describe('a member that sends what it should not', () => {
  const far = chain(6000)
  /** Blocks that belong to nothing, as many as one likes. */
  const stray = (number: number): DeltaBlock => encodeBlock({ elements: [{ key: keyOf(100_000 + number), value: valueOf(100_000 + number, 'stray') }], tombstones: [], priority: 1 }, [])
  const frames = (...answers: readonly SyncAnswer[]) => async (stream: ByteStream): Promise<void> => { for (const answer of answers) await stream.write(encodeSyncAnswer(answer)) }
  const head = far[299] as DeltaBlock
  const bytesOf = (blocks: readonly DeltaBlock[]): Uint8Array[] => blocks.map(({ bytes }) => bytes)
  const evil: ReadonlyArray<readonly [what: string, answer: (stream: ByteStream) => Promise<void>]> = [
    ['no frames', async (stream) => { await stream.write(new Uint8Array(1000).fill(255)) }],
    ['other bytes in frames', async (stream) => { await stream.write(Uint8Array.of(0, 0, 0, 3, 9, 9, 9)) }],
    ['nothing', async () => {}],
    ['blocks that are none', frames({ kind: 'plan', blocks: 5 }, { kind: 'blocks', blocks: [Uint8Array.of(1, 2, 3)] })],
    ['blocks without a plan', frames({ kind: 'blocks', blocks: bytesOf(far.slice(0, 3)) })],
    ['more than planned', frames({ kind: 'plan', blocks: 1 }, { kind: 'blocks', blocks: bytesOf(far) })],
    ['blocks out of order', frames({ kind: 'plan', blocks: 3 }, { kind: 'blocks', blocks: bytesOf(far.slice(0, 3).toReversed()) })],
    ['heads and nothing below them', frames({ kind: 'plan', blocks: 3 }, { kind: 'heads', blocks: [head.bytes] }, { kind: 'end' })],
    ['an end at once', frames({ kind: 'end' })],
    ['blocks that link to nowhere', frames({ kind: 'plan', blocks: 300 }, { kind: 'blocks', blocks: bytesOf(Array.from({ length: 300 }).reduce<DeltaBlock[]>((blocks, _, index) => {
      const nowhere = stray(50_000 + index).cid
      const last = blocks.at(-1)
      return [...blocks, encodeBlock({ elements: [{ key: keyOf(200_000 + index), value: valueOf(200_000 + index, 'stray') }], tombstones: [], priority: index + 1 }, last === undefined ? [nowhere] : [nowhere, last.cid])]
    }, [])) }, { kind: 'end' })],
    ['a head with too many links', frames({ kind: 'plan', blocks: 1 }, { kind: 'heads', blocks: bytesOf([0, 1].map((number) => encodeBlock({ elements: [], tombstones: [], priority: 9 }, Array.from({ length: 5000 }, (_, index) => testCid(number * 5000 + index))))) })],
    ['strays without end', async (stream) => {
      await stream.write(encodeSyncAnswer({ kind: 'plan', blocks: 0xffff_ffff }))
      for (let number = 0; !stream.closed.aborted; number += 100) await stream.write(encodeSyncAnswer({ kind: 'blocks', blocks: Array.from({ length: 100 }, (_, index) => stray(number + index).bytes) }))
    }]
  ]

  it.each(evil)('%s: is dropped, and another one asked', async (_what, answer) => {
    const honest = far.slice(0, 300)
    const cluster = await openMembers([[], [], honest], { consensus: { bulk: { groupBlocks: 200, answerTimeout: 200, refusalTime: 60_000 } } })
    const [liar, fresh, full] = cluster.members as readonly [CrdtMember, CrdtMember, CrdtMember]
    await liar.consensus.stop()
    const closed: AbortSignal[] = []
    await liar.transport.handle(syncProtocol, (stream) => {
      closed.push(stream.closed)
      void answer(stream).catch(() => {})
    })
    const streams = counted(fresh)
    cluster.network.partition([liar.peerId, fresh.peerId], [full.peerId])
    await cluster.network.connectAll()
    await waitFor(() => { expect(closed.map(({ aborted }) => aborted)).toEqual([true]) })
    cluster.network.heal()
    await cluster.network.connectAll()
    await waitFor(() => { expect(fresh.consensus.stats()).toMatchObject({ merged: expect.toSatisfy((merged: number) => merged >= 300), missing: 0 }) })
    for (const block of honest) expect(await fresh.consensus.blocks.get(block.cid)).toBeDefined()
    expect(fresh.told.filter((line) => line.endsWith('stray'))).toEqual([])
    expect(closed).toHaveLength(1) // it is left alone
    expect(streams.opened).toBeLessThanOrEqual(3)
  }, 30_000)
})
