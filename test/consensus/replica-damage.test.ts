/** What a replica makes of a store that lost some of what it was given, or has other bytes. */
import type { StoreOperation } from '../../src/store/store.ts'
import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../src/component.ts'
import { damagedKeys } from '../../src/consensus/crdt/heal.ts'
import { layoutOf } from '../../src/consensus/crdt/layout.ts'
import { decodeRecord } from '../../src/consensus/crdt/record.ts'
import { Replica } from '../../src/consensus/crdt/replica.ts'
import type { PinOperation } from '../../src/consensus/crdt/pin-operations.ts'
import { cidKey } from '../../src/pin/keys.ts'
import { asStored } from '../../src/pin/pin-json.ts'
import { encodePin } from '../../src/pin/pin-proto.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { prefixRange } from '../../src/store/store.ts'
import { seededRandom } from '../../src/transport/random.ts'
import { testPin } from '../contract/consensus.ts'
import { collect, testCid } from '../contract/values.ts'
import { hex } from '../crdt/model.ts'
import { below, honestHistory, keyOf, pick } from '../crdt/random-dag.ts'

const logger = silentLogger.forComponent('crdt')
const layout = layoutOf('/c')
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

async function openReplica (store: MemoryStore): Promise<Replica> {
  const replica = new Replica({ store, logger })
  await replica.open()
  return replica
}

/** Remembers each batch, and fails with the one that it is told to, which is then lost or written all the same. */
class FaultyStore extends MemoryStore {
  mayHaveGaps = false
  readonly batches: Array<readonly StoreOperation[]> = []
  /** Batches until one fails. */
  failsIn = Infinity
  isWritten = false

  override async batch (operations: readonly StoreOperation[]): Promise<void> {
    const fails = this.failsIn-- === 0
    if (!fails || this.isWritten) {
      this.batches.push(operations)
      await super.batch(operations)
    }
    if (fails) throw new Error('disk full')
  }
}

const putOf = (number: number, name: string): PinOperation => {
  const pin = testPin(number, { name })
  return { kind: 'put', key: cidKey(pin.cid), value: encodePin(pin), pin: asStored(pin) }
}

/**
 * All that counts, whatever the order of the merges was: of equal elements either one may have won, and tombstones for blocks that
 * never had their element are kept or not.
 */
async function contents (store: MemoryStore, replica: Replica): Promise<unknown> {
  const under = async (prefix: string): Promise<ReadonlyArray<readonly [string, Uint8Array]>> => (await collect(store.entries(prefixRange(prefix)))).flat().map(([key, value]) => [key.slice(prefix.length - 1), value] as const)
  const set = []
  for (const [key, bytes] of await under(layout.records)) {
    const { winner, others, listed } = decodeRecord(bytes)
    const losers = (await under(layout.elements(key))).map(([id]) => id)
    expect(losers.length).toBe(others)
    set.push([key, winner.priority, hex(winner.value), new TextDecoder().decode(listed?.line), [winner.id, ...losers].sort()])
  }
  const names = await Promise.all([layout.blocks, layout.indexes, layout.wanted, layout.aside].map(async (prefix) => (await under(prefix)).map(([key]) => key)))
  return { set, names, places: (await collect(replica.order())).flat().map(hex), heads: [...replica.heads.keys()].sort(), pins: replica.pinset.count(), blocks: replica.blocks }
}

/** A store with the history in it, merged in groups. */
async function filled (random: () => number): Promise<{ readonly store: FaultyStore, readonly replica: Replica, readonly blocks: ReturnType<typeof honestHistory> }> {
  const blocks = honestHistory(random)
  const store = new FaultyStore()
  const replica = await openReplica(store)
  for (let at = 0; at < blocks.length;) await replica.merge(blocks.slice(at, at += 1 + below(random, 4)))
  return { store, replica, blocks }
}

const seeds = Array.from({ length: 40 }, (_, index) => index + 1)

describe('a damaged store', () => {
  it('comes back from its blocks when the records of the replica are lost or damaged', async () => {
    for (const seed of seeds) {
      const random = seededRandom(seed)
      const { store, replica } = await filled(random)
      const before = await contents(store, replica)
      const key = pick(random, [layout.state, layout.format])
      const value = pick(random, [undefined, bytesOf('{"heads":[["bafy",1]],"pins":0,"early":0,"blocks":0}'), bytesOf('{"store":1'), Uint8Array.of(0, 255)])
      await store.batch([value === undefined ? { type: 'del', key } : { type: 'put', key, value }])
      expect(await contents(store, await openReplica(store)), `seed ${seed}`).toEqual(before)
    }
  })

  it('misses a lost batch, and is whole again with the blocks that were in it', async () => {
    for (const seed of seeds) {
      const random = seededRandom(seed)
      const { store, replica, blocks } = await filled(random)
      const before = await contents(store, replica)
      const after = new FaultyStore()
      const lost = 1 + below(random, store.batches.length - 1)
      for (const [at, operations] of store.batches.entries()) if (at !== lost) await after.batch(operations)
      after.mayHaveGaps = true
      const again = await openReplica(after)
      const here = (await collect(again.order())).flat().length
      expect(here, `seed ${seed}`).toBe(again.blocks)
      expect(here, `seed ${seed}`).toBeLessThan(blocks.length)
      expect([...await damagedKeys(after, layout)], `seed ${seed}`).toEqual([])
      await again.merge(blocks)
      expect(await contents(after, again), `seed ${seed}`).toEqual(before)
    }
  })

  it('is made anew as often as that is cut off, and once to the end', async () => {
    for (const seed of seeds.slice(0, 15)) {
      const random = seededRandom(seed)
      const { store, replica } = await filled(random)
      const before = await contents(store, replica)
      await store.batch([{ type: 'del', key: layout.state }])
      for (let steps = 0; ; steps++) {
        store.failsIn = steps
        store.isWritten = random() < 0.5
        try { await openReplica(store); break } catch (error) { expect(String(error), `seed ${seed}`).toMatch('disk full') }
      }
      store.failsIn = Infinity
      expect(await contents(store, await openReplica(store)), `seed ${seed}`).toEqual(before)
    }
  })

  it('goes on from a batch that failed, whether it was written or not', async () => {
    for (const isWritten of [true, false]) {
      const store = new FaultyStore()
      const replica = await openReplica(store)
      await replica.commit(() => [putOf(1, 'one')])
      Object.assign(store, { failsIn: 0, isWritten })
      await expect(replica.commit(() => [putOf(2, 'two')])).rejects.toThrow('disk full')
      const { block } = await replica.commit(() => [putOf(3, 'three')])
      expect([block?.delta.priority, replica.blocks, replica.pinset.count(), replica.heads.size]).toEqual(isWritten ? [3, 3, 3, 1] : [2, 2, 2, 1])
      const again = await openReplica(store)
      expect([again.blocks, again.pinset.count(), await again.pinset.has(testCid(2))]).toEqual(isWritten ? [3, 3, true] : [2, 2, false])
    }
  })
})

describe('damaged records', () => {
  const damage = (random: () => number, bytes: Uint8Array): Uint8Array => random() < 0.5 ? bytes.slice(0, below(random, bytes.length)) : bytes.map((byte, at) => at === 2 || at === 5 || at >= bytes.length - 1 ? byte ^ 0x55 : byte)

  it('are left out of listings and made anew', async () => {
    for (const seed of seeds) {
      const random = seededRandom(seed)
      const { store, replica } = await filled(random)
      const before = await contents(store, replica)
      expect([...await damagedKeys(store, layout)], `seed ${seed}`).toEqual([])
      const records = (await collect(store.entries({ gte: '/c/v/', lt: '/c/v0' }))).flat()
      if (records.length === 0) continue
      const [key, bytes] = pick(random, records)
      await store.batch([{ type: 'put', key, value: damage(random, bytes).subarray(0, 5) }])
      expect((await collect(replica.pinset.lines())).flat().length, `seed ${seed}`).toBeLessThanOrEqual(records.length)
      await collect(replica.pinset.pins())
      await replica.settled()
      expect(await contents(store, replica), `seed ${seed}`).toEqual(before)
    }
  })

  it('do not stop a merge or a commit', async () => {
    const store = new FaultyStore()
    const replica = await openReplica(store)
    await replica.commit(() => [putOf(1, 'one'), putOf(2, 'two')])
    await store.batch([1, 2].map((number) => ({ type: 'put', key: layout.record(keyOf(number)), value: Uint8Array.of(1, 2, 3) })))
    await expect(replica.pinset.get(testCid(2))).rejects.toMatchObject({ name: 'DecodeError' })
    await replica.commit(() => [putOf(1, 'uno'), { kind: 'delete', key: keyOf(2) }])
    await replica.settled()
    expect((await collect(replica.pinset.pins())).map(({ name }) => name)).toEqual(['uno'])
    expect([replica.pinset.count(), replica.dirty]).toEqual([1, false])
  })

  it('of blocks are fetched again, and nothing else changes', async () => {
    for (const seed of seeds.slice(0, 20)) {
      const random = seededRandom(seed)
      const { store, replica, blocks } = await filled(random)
      const before = await contents(store, replica)
      const block = pick(random, blocks)
      await store.batch([{ type: 'put', key: layout.block(block.id), value: Uint8Array.of(1) }])
      await replica.findMissing()
      expect([[...replica.wanted.keys()], await replica.isMerged(block.cid)], `seed ${seed}`).toEqual([[block.id], false])
      await replica.merge([block])
      expect(await contents(store, replica), `seed ${seed}`).toEqual(before)
    }
  })
})
