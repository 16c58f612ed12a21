import { expect, it } from 'vitest'
import { silentLogger } from '../../src/component.ts'
import { layoutOf } from '../../src/consensus/crdt/layout.ts'
import { Replica } from '../../src/consensus/crdt/replica.ts'
import { Sieve } from '../../src/consensus/crdt/sieve.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { seededRandom } from '../../src/transport/random.ts'
import { testCid } from '../contract/values.ts'
import { multihashKey } from '../../src/pin/keys.ts'
import { honestHistory, keyOf, shuffled } from '../crdt/random-dag.ts'

const layout = layoutOf('/c')

it('never denies what is there, and seldom claims what is not', async () => {
  const store = new MemoryStore()
  const names = Array.from({ length: 4000 }, (_, number) => [layout.record(keyOf(number)), layout.block(multihashKey(testCid(number)))]).flat()
  const [there, later, absent] = [names.slice(0, 2000), names.slice(2000, 4000), names.slice(4000)]
  await store.batch(there.filter((key) => key.startsWith(layout.records)).map((key) => ({ type: 'put', key, value: Uint8Array.of(1) })))
  const sieve = await Sieve.of(store, layout, 2000, 2000)
  for (const key of [...there.filter((name) => name.startsWith(layout.blocks)), ...later]) sieve.add(key)
  expect([...there, ...later].filter((key) => !sieve.mayHave(key))).toEqual([])
  expect(absent.filter((key) => sieve.mayHave(key)).length).toBeLessThan(40)
  expect(sieve.mayHave('/c/t/other')).toBe(true)
  const asked: string[][] = []
  const reading = sieve.reading(Object.assign(new MemoryStore(), { hasMany: async (keys: readonly string[]) => { asked.push([...keys]); return keys.map(() => true) } }))
  const [here, away] = [names[0] ?? '', absent.find((key) => !sieve.mayHave(key)) ?? '']
  expect(await reading.hasMany([away, here, away])).toEqual([false, true, false])
  expect(asked).toEqual([[here]])
})

it.each([1, 2, 3, 4])('changes nothing of what merges come to, seed %i', async (seed) => {
  const random = seededRandom(seed)
  const blocks = honestHistory(random, { steps: 2500, keys: 300 })
  const replicas = await Promise.all([0, 1].map(async () => {
    const store = new MemoryStore()
    const replica = new Replica({ store, logger: silentLogger.forComponent('crdt') })
    await replica.open()
    await replica.merge(blocks.slice(0, 100))
    return { store, replica }
  }))
  const [plain, sieved] = replicas as [typeof replicas[0], typeof replicas[0]]
  await sieved.replica.expectMany(blocks.length)
  const rest = shuffled(random, blocks)
  for (let from = 0; from < rest.length; from += 50) for (const { replica } of [plain, sieved]) await replica.merge(rest.slice(from, from + 50))
  sieved.replica.expectFew()
  const content = async (store: MemoryStore): Promise<string[]> => {
    const rows: string[] = []
    for await (const chunk of store.entries({ gte: '/c/', lt: '/c0' })) for (const [key, value] of chunk) rows.push(`${key} ${value.join()}`)
    return rows
  }
  expect(await content(sieved.store)).toEqual(await content(plain.store))
})
