import type { DeltaBlock } from '../../src/crdt/block.ts'
import type { Store } from '../../src/store/store.ts'
import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../src/component.ts'
import { placeId, placePriority } from '../../src/consensus/crdt/block-order.ts'
import { Replica } from '../../src/consensus/crdt/replica.ts'
import { difference, summarize } from '../../src/consensus/crdt/sync-summary.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { seededRandom } from '../../src/transport/random.ts'
import { collect } from '../contract/values.ts'
import { Model } from '../crdt/model.ts'
import { below, honestHistory, keyOf, shuffled, valueOf } from '../crdt/random-dag.ts'

async function open (store: Store = new MemoryStore()): Promise<Replica> {
  const replica = new Replica({ store, logger: silentLogger.forComponent('crdt') })
  await replica.open()
  return replica
}
const orderOf = async (replica: Replica): Promise<string[]> => (await collect(replica.order())).flat().map((place) => `${placePriority(place)} ${placeId(place)}`)
const expected = (blocks: readonly DeltaBlock[]): string[] => blocks.toSorted((one, other) => one.delta.priority - other.delta.priority || (one.cid.multihash.digest < other.cid.multihash.digest ? -1 : 0)).map(({ id, delta }) => `${delta.priority} ${id}`)
const chain = (length: number): DeltaBlock[] => {
  const author = new Model()
  return Array.from({ length }, (_, index) => author.commit([[keyOf(index), valueOf(index, `n${index}`)]]) as DeltaBlock)
}

describe('the order of merged blocks', () => {
  it.each([1, 2, 3, 4, 5])('has every block once, by priority, in whatever groups they were merged, seed %i', async (seed) => {
    const random = seededRandom(seed)
    const blocks = honestHistory(random, { steps: 120 })
    const replica = await open()
    const left = shuffled(random, blocks)
    while (left.length > 0) await replica.merge(left.splice(0, 1 + below(random, 20)))
    const order = await orderOf(replica)
    expect(order.toSorted()).toEqual(expected(blocks).toSorted())
    const priorities = order.map((line) => Number(line.split(' ')[0]))
    expect(priorities).toEqual(priorities.toSorted((one, other) => one - other))
    const places = (await collect(replica.order())).flat()
    expect((await replica.blocksAt(places)).map((bytes) => bytes?.length)).toEqual(places.map((place) => blocks.find(({ id }) => id === placeId(place))?.bytes.length))
  })

  it('is made for a store that was written without it, at the next start', async () => {
    const store = new MemoryStore()
    const replica = await open(store)
    await replica.merge(chain(2500))
    const order = await orderOf(replica)
    for await (const keys of store.keys({ gte: '/c/o/', lt: '/c/o0' })) await store.batch(keys.map((key) => ({ type: 'del', key })))
    const state = JSON.parse(new TextDecoder().decode(await store.get('/c/state'))) as Record<string, unknown>
    delete state['ordered']
    await store.batch([{ type: 'put', key: '/c/state', value: new TextEncoder().encode(JSON.stringify(state)) }])
    expect(await orderOf(replica)).toEqual([])
    expect(await orderOf(await open(store))).toEqual(order)
    expect(await orderOf(await open(store))).toEqual(order)
    expect(order).toHaveLength(2500)
  })

  it('is gone after a clearing', async () => {
    const replica = await open()
    await replica.merge(chain(3))
    await replica.clear()
    expect(await orderOf(replica)).toEqual([])
  })
})

describe('a summary', () => {
  const differ = async (ours: Replica, theirs: Replica): Promise<number> => (await difference(ours.order(), await summarize(theirs.order(), theirs.blocks))).blocks

  it('shows what the other one lacks, and little more', async () => {
    const blocks = chain(1500)
    const [full, same, part, none, hole] = [await open(), await open(), await open(), await open(), await open()]
    await full.merge(blocks)
    await same.merge(blocks.toReversed())
    await part.merge(blocks.slice(0, 1000))
    await hole.merge(blocks.filter((_, index) => index !== 734))
    expect([await differ(full, same), await differ(full, none), await differ(full, part), await differ(part, full), await differ(none, full)]).toEqual([0, 1500, 500, expect.any(Number), 0])
    const one = await differ(full, hole)
    expect(one).toBeGreaterThan(0)
    expect(one).toBeLessThanOrEqual(50)
  }, 30_000)
})
