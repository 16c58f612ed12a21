import type { DeltaBlock } from '../../src/crdt/block.ts'
import type { Store, StoreOperation } from '../../src/store/store.ts'
import type { CID } from 'multiformats/cid'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../src/component.ts'
import { layoutOf } from '../../src/consensus/crdt/layout.ts'
import { openOfflineCrdtState } from '../../src/consensus/crdt/offline.ts'
import { decodeElement, decodeRecord, encodeElement, encodeRecord, lineOf } from '../../src/consensus/crdt/record.ts'
import { Replica, type ReplicaOptions } from '../../src/consensus/crdt/replica.ts'
import type { PinOperation } from '../../src/consensus/crdt/pin-operations.ts'
import { decodeBlock, encodeBlock } from '../../src/crdt/block.ts'
import { maxDeltaBytes, maxLinks } from '../../src/crdt/limits.ts'
import { cidKey } from '../../src/pin/keys.ts'
import { asStored } from '../../src/pin/pin-json.ts'
import { encodePin } from '../../src/pin/pin-proto.ts'
import { pinTypes, type Pin } from '../../src/pin/pin.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { seededRandom } from '../../src/transport/random.ts'
import { testPin } from '../contract/consensus.ts'
import { collect, testCid } from '../contract/values.ts'
import { Model, hex } from '../crdt/model.ts'
import { below, honestHistory, keyOf, shuffled, valueOf, wildHistory } from '../crdt/random-dag.ts'

const logger = silentLogger.forComponent('crdt')
const layout = layoutOf('/c')

async function openReplica (store: Store = new MemoryStore(), options?: ReplicaOptions): Promise<Replica> {
  const replica = new Replica({ store, logger }, options)
  await replica.open()
  return replica
}

const put = (pin: Pin): PinOperation => ({ kind: 'put', key: cidKey(pin.cid), value: encodePin(pin), pin: asStored(pin) })
const putOf = (number: number, name: string, metadata: Record<string, string> = {}): PinOperation => put(testPin(number, { name, metadata }))
const deleteOf = (number: number): PinOperation => ({ kind: 'delete', key: keyOf(number) })

/** Values with priorities, and every live element, as the store has them. */
async function stored (store: Store): Promise<Record<string, string>> {
  const state: Record<string, string> = {}
  for (const [name, bytes] of (await collect(store.entries({ gte: '/c/v/', lt: '/c/v0' }))).flat()) {
    const key = name.slice('/c/v'.length)
    const { winner, others } = decodeRecord(bytes)
    const losers = (await collect(store.keys({ gte: layout.elements(key), lt: `${layout.elements(key)}~` }))).flat().map((element) => element.slice(layout.elements(key).length - 1))
    expect(losers.length).toBe(others)
    state[key] = `${winner.priority} ${hex(winner.value)} ${[winner.id, ...losers].sort().join(' ')}`
  }
  return state
}

function modelled (model: Model): Record<string, string> {
  return Object.fromEntries([...model.keys].flatMap(([key, { winner }]) => winner === undefined ? [] : [[key, `${winner.priority} ${hex(winner.value)} ${model.live(key).sort().join(' ')}`]]))
}

describe('a replica in its store', () => {
  it.each([['honest', honestHistory], ['wild', wildHistory]] as const)('comes to what the pure core says, for %s authors, whatever the groups', async (_name, history) => {
    for (let seed = 1; seed <= 25; seed++) {
      const random = seededRandom(seed)
      const blocks = shuffled(random, history(random))
      const model = new Model()
      const store = new MemoryStore()
      const told = new Map<string, string>()
      let replica = await openReplica(store, { onChange: (change) => { if (change.kind === 'pinned') told.set(change.pin.cid.toString(), change.pin.name); else told.delete(change.cid.toString()) } })
      for (let at = 0; at < blocks.length;) {
        const group = blocks.slice(at, at += 1 + below(random, 6)).sort((one, other) => one.delta.priority - other.delta.priority)
        model.merge(group)
        await replica.merge([...group, ...blocks.slice(0, at).filter(() => random() < 0.1)])
        expect(await stored(store), `seed ${seed}`).toEqual(modelled(model))
      }
      const names = (await collect(replica.pinset.pins())).map(({ cid, name }) => [cid.toString(), name])
      expect(new Map(names as Array<[string, string]>), `seed ${seed}`).toEqual(told)
      expect(replica.pinset.count(), `seed ${seed}`).toBe(names.length)
      expect([...replica.heads.keys()].sort(), `seed ${seed}`).toEqual([...model.heads.keys()].sort())
      expect([replica.blocks, replica.wanted.size], `seed ${seed}`).toEqual([blocks.length, 0])
      const before = [replica.heads, replica.pinset.count(), replica.blocks]
      replica = await openReplica(store)
      expect([replica.heads, replica.pinset.count(), replica.blocks], `seed ${seed}`).toEqual(before)
    }
  })

  it('remembers what is missing, also over a restart', async () => {
    const author = new Model()
    const blocks = [1, 2, 3].map((number) => author.commit([[keyOf(number), valueOf(number, 'x')]])) as DeltaBlock[]
    const store = new MemoryStore()
    const replica = await openReplica(store)
    await replica.merge(blocks.slice(2))
    expect([[...replica.wanted.keys()], replica.dirty, replica.pinset.count()]).toEqual([[blocks[1]?.id], true, 1])
    const again = await openReplica(store)
    expect([[...again.wanted.values()].map(String), again.dirty]).toEqual([[blocks[1]?.cid.toString()], true])
    await again.merge(blocks.slice(0, 2))
    expect([again.wanted.size, again.dirty, again.pinset.count(), [...again.heads.keys()]]).toEqual([0, false, 3, [blocks[2]?.id]])
  })

  it('finds missing blocks that nobody remembered', async () => {
    const author = new Model()
    const blocks = [1, 2, 3].map((number) => author.commit([[keyOf(number), valueOf(number, 'x')]])) as DeltaBlock[]
    const store = new MemoryStore()
    const replica = await openReplica(store)
    await replica.merge(blocks)
    await store.batch([{ type: 'del', key: layout.block(blocks[0]?.id ?? '') }])
    await replica.findMissing()
    expect([...replica.wanted.keys()]).toEqual([blocks[0]?.id])
  })

  it('changes nothing when the batch fails', async () => {
    const store = new MemoryStore()
    let broken = false
    const batch = store.batch.bind(store)
    store.batch = async (operations) => { if (broken) throw new Error('disk full'); await batch(operations) }
    const changes: unknown[] = []
    const replica = await openReplica(store, { onChange: (change) => { changes.push(change) } })
    await replica.commit(() => [putOf(1, 'one')])
    const { heads } = replica
    broken = true
    await expect(replica.commit(() => [putOf(2, 'two'), deleteOf(1)])).rejects.toThrow('disk full')
    expect([replica.heads, replica.pinset.count(), replica.blocks, changes.length]).toEqual([heads, 1, 1, 1])
    broken = false
    await replica.commit(() => [putOf(2, 'two')])
    expect([replica.pinset.count(), [...replica.heads.values()].map(({ height }) => height)]).toEqual([2, [2]])
  })

  it('has its own commits synced where that is asked for, and merges never', async () => {
    for (const sync of [true, false]) {
      const store = new MemoryStore()
      const replica = await openReplica(store, { sync })
      const synced: unknown[] = []
      const batch = store.batch.bind(store)
      store.batch = async (operations, options) => { synced.push(options?.sync ?? false); await batch(operations) }
      await replica.commit(() => [putOf(1, 'one')])
      await replica.commit(() => [deleteOf(1)])
      await replica.merge([encodeBlock({ elements: [{ key: keyOf(2), value: valueOf(2, 'two') }], tombstones: [], priority: 1 }, [])])
      expect(synced).toEqual([sync, sync, false])
    }
  })

  it('writes one batch per commit, and two entries for a new pin without a name', async () => {
    const store = new MemoryStore()
    const replica = await openReplica(store)
    const batches: number[] = []
    const batch = store.batch.bind(store)
    store.batch = async (operations) => { batches.push(operations.length); await batch(operations) }
    await replica.commit(() => [putOf(1, ''), putOf(2, ''), putOf(3, '')])
    expect(batches).toEqual([3 + 3]) // three records, the block, its place in the order, heads and counters
  })

  it('splits what exceeds 1 MiB into several deltas', async () => {
    const replica = await openReplica()
    const operations = Array.from({ length: 30 }, (_, number) => putOf(number, 'x', { long: 'y'.repeat(100_000) }))
    let commits = 0
    while (operations.length > 0) {
      const { done, block } = await replica.commit(() => operations)
      expect(done).toBeGreaterThan(0)
      expect(block?.bytes.length).toBeLessThan(maxDeltaBytes + 1000)
      operations.splice(0, done)
      commits++
    }
    expect([commits, replica.pinset.count(), replica.heads.size]).toEqual([3, 30, 1])
  })

  it('deletes a key with more elements than fit into one delta', async () => {
    const replica = await openReplica()
    const key = keyOf(1)
    const value = valueOf(1, 'x')
    const blocks = Array.from({ length: 6600 }, (_, index) => encodeBlock({ elements: [{ key, value }], tombstones: [], priority: index + 1 }, []))
    await replica.merge(blocks)
    expect((await replica.liveIds(key)).length).toBe(6600)
    const partly = await replica.commit(() => [deleteOf(1)])
    expect([partly.done, replica.pinset.count()]).toEqual([0, 1])
    expect(partly.block?.bytes.length).toBeLessThan(maxDeltaBytes + 600_000)
    expect(await replica.commit(() => [deleteOf(1)])).toMatchObject({ done: 1 })
    expect([replica.pinset.count(), (await replica.liveIds(key)).length]).toEqual([0, 0])
  }, 30_000)

  it('keeps, but does not list, what is no pin', async () => {
    const replica = await openReplica()
    const bad = encodeBlock({ elements: [{ key: keyOf(1), value: Uint8Array.of(0xff) }, { key: '/ABC', value: valueOf(2, 'no cid') }], tombstones: [], priority: 1 }, [])
    await replica.merge([bad])
    expect([replica.pinset.count(), await collect(replica.pinset.lines()), await replica.pinset.get(testCid(1))]).toEqual([0, [], undefined])
    await replica.commit(() => [putOf(1, 'good')])
    expect([replica.pinset.count(), (await replica.pinset.get(testCid(1)))?.name]).toEqual([1, 'good'])
    await replica.commit(() => [deleteOf(1)])
    expect([replica.pinset.count(), await replica.pinset.has(testCid(1))]).toEqual([0, false])
  })

  it('tells of the survivor when the winner is deleted, and not of an unpin', async () => {
    const told: string[] = []
    const replica = await openReplica(new MemoryStore(), { onChange: (change) => { told.push(change.kind === 'pinned' ? `pinned ${change.pin.name}` : 'unpinned') } })
    const [one, two] = ['one', 'two'].map((name, index) => encodeBlock({ elements: [{ key: keyOf(1), value: valueOf(1, name) }], tombstones: [], priority: index + 1 }, [])) as [DeltaBlock, DeltaBlock]
    await replica.merge([one])
    await replica.merge([two])
    await replica.merge([encodeBlock({ elements: [], tombstones: [{ key: keyOf(1), id: two.id }], priority: 3 }, [two.cid])])
    expect(told).toEqual(['pinned one', 'pinned two', 'pinned one'])
    await replica.merge([encodeBlock({ elements: [{ key: keyOf(2), value: valueOf(2, 'gone at once') }], tombstones: [{ key: keyOf(1), id: one.id }], priority: 4 }, [])])
    expect(told).toEqual(['pinned one', 'pinned two', 'pinned one', 'unpinned', 'pinned gone at once'])
  })

  it('goes on when a hook fails', async () => {
    let told = 0
    const replica = await openReplica(new MemoryStore(), { onChange: () => { told++; throw new Error('hook') } })
    await replica.commit(() => [putOf(1, 'one'), putOf(2, 'two')])
    expect([told, replica.pinset.count()]).toEqual([2, 2])
  })

  it('links no more heads than others accept, and keeps the others', async () => {
    const replica = await openReplica()
    await replica.merge(Array.from({ length: maxLinks + 10 }, (_, index) => encodeBlock({ elements: [], tombstones: [], priority: index + 1 }, [])))
    const { block } = await replica.commit(() => [putOf(1, 'one')])
    expect([block?.links.length, replica.heads.size]).toEqual([maxLinks, 11])
    expect(() => decodeBlock(block?.cid as CID, block?.bytes as Uint8Array)).not.toThrow()
  }, 30_000)

  it('finds pins by name', async () => {
    const replica = await openReplica()
    const long = 'ä/'.repeat(200)
    await replica.commit(() => [putOf(1, 'a'), putOf(2, 'a'), putOf(3, 'ab'), putOf(4, ''), putOf(5, long), putOf(6, `${long}x`)])
    await replica.commit(() => [putOf(2, 'b')])
    const named = async (name: string): Promise<string[]> => (await collect(replica.pinset.named(name))).map(({ cid }) => cid.toString())
    expect(await named('a')).toEqual([testCid(1).toString()])
    expect(await named('b')).toEqual([testCid(2).toString()])
    expect(await named(long)).toEqual([testCid(5).toString()])
    expect(await named('c')).toEqual([])
  })
})

describe('the format of the store', () => {
  const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes)
  const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

  it('rebuilds a view of another version', async () => {
    const store = new MemoryStore()
    const replica = await openReplica(store)
    await replica.commit(() => [putOf(1, 'one'), put({ ...testPin(2, { name: 'two', expireAt: 1_800_000_000_000 }), type: 'meta-pin' })])
    const before = (await collect(store.entries({}))).flat().map(([key, value]) => [key, hex(value)])
    const operations: StoreOperation[] = [{ type: 'put', key: layout.format, value: json({ store: 1, view: 0 }) }, { type: 'put', key: '/c/x/old/entry', value: new Uint8Array(0) }]
    for (const [key, value] of (await collect(store.entries({ gte: '/c/v/', lt: '/c/v0' }))).flat()) operations.push({ type: 'put', key, value: encodeRecord({ ...decodeRecord(value), listed: undefined }) })
    for (const key of (await collect(store.keys({ gte: '/c/x/', lt: '/c/x0' }))).flat()) operations.push({ type: 'del', key })
    await store.batch(operations)
    expect(await collect(replica.pinset.lines())).toEqual([])
    const again = await openReplica(store)
    expect((await collect(store.entries({}))).flat().map(([key, value]) => [key, hex(value)])).toEqual(before)
    expect(again.pinset.count()).toBe(2)
  })

  it('refuses the store of a Go peer, and one of a later format', async () => {
    const refuse = async (key: string, value: Uint8Array): Promise<unknown> => {
      const store = new MemoryStore()
      await store.batch([{ type: 'put', key, value }])
      return await openReplica(store).then(() => 'opened', (error: unknown) => error)
    }
    expect(await refuse('/c/crdt_version', Uint8Array.of(2))).toMatchObject({ name: 'StoreError', message: expect.stringContaining('another IPFS Cluster') as unknown })
    expect(await refuse(layout.format, json({ store: 99, view: 1 }))).toMatchObject({ name: 'StoreError', message: expect.stringContaining('99') as unknown })
  })

  it('ends a clearing that was cut off, and leaves other namespaces alone', async () => {
    const store = new MemoryStore()
    const replica = await openReplica(store)
    await replica.commit(() => [putOf(1, 'one'), putOf(2, 'two')])
    await store.batch([{ type: 'put', key: '/other', value: new Uint8Array(0) }, { type: 'put', key: layout.format, value: json({ store: 1, view: 1, clearing: true }) }, { type: 'del', key: layout.state }])
    const again = await openReplica(store)
    expect([again.pinset.count(), again.heads.size, await collect(again.pinset.lines())]).toEqual([0, 0, []])
    expect((await collect(store.keys({}))).flat()).toEqual([layout.format, '/other'])
    expect(text(await store.get(layout.format))).toBe('{"store":1,"view":1}')
  })

  it('keeps two namespaces apart', async () => {
    const store = new MemoryStore()
    const [one, two] = [await openReplica(store, { namespace: '/one' }), await openReplica(store, { namespace: '/two' })]
    await one.commit(() => [putOf(1, 'one')])
    await two.commit(() => [putOf(2, 'two'), putOf(3, 'three')])
    await one.clear()
    expect([one.pinset.count(), (await collect(two.pinset.pins())).length]).toEqual([0, 2])
  })

  it('reads records and elements back, and never does worse than a DecodeError', () => {
    const bytes = fc.uint8Array({ maxLength: 40 })
    const record = fc.record({
      winner: fc.oneof(fc.record({ id: fc.constant('/CIQA'), priority: fc.nat(), value: bytes }), fc.record({ id: fc.constant('/CIQB'), priority: fc.maxSafeNat(), value: bytes, greatest: bytes })),
      others: fc.nat(100_000),
      listed: fc.option(fc.record({ type: fc.constantFrom(...pinTypes), line: bytes }), { nil: undefined })
    })
    fc.assert(fc.property(record, (value) => {
      const encoded = encodeRecord(value)
      expect(decodeRecord(encoded)).toEqual(value)
      expect(lineOf(encoded, 31)).toEqual(value.listed?.line)
      expect(lineOf(encoded, 0)).toBeUndefined()
    }))
    fc.assert(fc.property(fc.nat(), bytes, (priority, value) => { expect(decodeElement('/A', encodeElement({ id: '/A', priority, value }))).toEqual({ id: '/A', priority, value }) }))
    fc.assert(fc.property(bytes, (damaged) => { try { decodeElement('/A', damaged) } catch (error) { expect(error).toMatchObject({ name: 'DecodeError' }) } }))
    fc.assert(fc.property(bytes, (damaged) => { try { decodeRecord(damaged) } catch (error) { expect(error).toMatchObject({ name: 'DecodeError' }) } }))
  })
})

describe('the state of a peer that does not run', () => {
  async function * pins (count: number): AsyncGenerator<Pin> { for (let number = 0; number < count; number++) yield testPin(number, { name: `n${number}`, metadata: { long: 'x'.repeat(1000) } }) }

  it('takes an import in deltas of about 1 MiB, and exports it as lines', async () => {
    const store = new MemoryStore()
    const offline = await openOfflineCrdtState({ store })
    expect(await offline.importPins(pins(3000))).toBe(3000)
    expect(offline.pinset.count()).toBe(3000)
    const replica = await openReplica(store)
    expect([replica.heads.size, replica.pinset.count(), [...replica.heads.values()][0]?.height]).toEqual([1, 3000, replica.blocks])
    expect(replica.blocks).toBeGreaterThan(2)
    expect(replica.blocks).toBeLessThan(8)
    expect((await collect(offline.pinset.lines())).flat().length).toBe(3000)
    await offline.clear()
    expect([offline.pinset.count(), (await collect(store.keys({}))).flat()]).toEqual([0, [layout.format]])
  })

  it('refuses a pin that fits into no delta, and ends with the signal', async () => {
    const offline = await openOfflineCrdtState({ store: new MemoryStore() })
    async function * huge (): AsyncGenerator<Pin> { yield testPin(1, { metadata: { long: 'x'.repeat(maxDeltaBytes) } }) }
    await expect(offline.importPins(huge())).rejects.toMatchObject({ name: 'PinRefusedError' })
    const reason = new Error('enough')
    await expect(offline.importPins(pins(3), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(offline.pinset.count()).toBe(0)
  })
})
