/** The store on a real IndexedDB. */
import type { StoreError } from '../../src/store/errors.ts'
import type { Store, StoreOperation } from '../../src/store/store.ts'
import type { DatabaseOptions } from '../../web/store/database.ts'
import { deleteDatabase } from '../../web/store/database.ts'
import { openIdbStore } from '../../web/store/idb-store.ts'
import { storeContract } from '../contract/store.ts'
import fc from 'fast-check'
import { openDB } from 'idb'
import { expect, it, onTestFinished, vi } from 'vitest'

let serial = 0
const newName = (): string => `test-store-${Date.now()}-${serial++}`

async function open (name = newName(), options: DatabaseOptions = {}): Promise<Store> {
  const store = await openIdbStore(name, options)
  onTestFinished(() => store.close())
  return store
}

const put = (key: string, value = new Uint8Array([1])): StoreOperation => ({ type: 'put', key, value })

storeContract('IndexedDB', async () => await openIdbStore(newName()))

it('finds again what it acknowledged, not being closed', async () => {
  const name = newName()
  const before = await open(name)
  await before.batch([put('/a', new Uint8Array(300_000).fill(7))])
  expect(await (await open(name)).get('/a')).toEqual(new Uint8Array(300_000).fill(7))
})

it('reads one moment, whatever is written between the chunks', async () => {
  const key = (number: number): string => `/k/${String(number).padStart(5, '0')}`
  const change = fc.record({ number: fc.nat(3500), value: fc.option(fc.nat(255)), size: fc.constantFrom(1, 1, 1, 70_000) })
  await fc.assert(fc.asyncProperty(fc.boolean(), fc.array(fc.array(change, { maxLength: 20 }), { minLength: 3, maxLength: 3 }), async (reverse, writes) => {
    const store = await openIdbStore(newName())
    await store.batch(Array.from({ length: 3000 }, (_, number) => put(key(number))))
    const seen = new Map<string, number>()
    const pending: Array<Promise<void>> = []
    for await (const chunk of store.entries({ gte: key(100), lt: key(3200), reverse })) {
      for (const [at, value] of chunk) {
        expect(seen.has(at)).toBe(false)
        seen.set(at, value[0] ?? -1)
      }
      // One is awaited and one still runs when the next chunk is read.
      const operations = (writes.shift() ?? []).map(({ number, value, size }): StoreOperation => value === null ? { type: 'del', key: key(number) } : put(key(number), new Uint8Array(size).fill(value)))
      await store.batch(operations.slice(0, 10))
      pending.push(store.batch(operations.slice(10)))
    }
    await Promise.all(pending)
    const keys = [...seen.keys()]
    expect(keys).toEqual(Array.from({ length: 2900 }, (_, number) => key(reverse ? 2999 - number : 100 + number)))
    expect([...seen.values()].every((value) => value === 1)).toBe(true)
    await store.close()
  }), { numRuns: 15 })
}, 60_000)

it('fails one batch that cannot be written, and none that came with it', async () => {
  const store = await open()
  const original = Reflect.get(IDBObjectStore.prototype, 'put') as (this: IDBObjectStore, value: unknown, key?: IDBValidKey) => IDBRequest<IDBValidKey>
  const spy = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, value: unknown, key?: IDBValidKey) {
    if (key === '/bad') throw new DOMException('no room', 'QuotaExceededError')
    return original.call(this, value, key)
  })
  onTestFinished(() => { spy.mockRestore() })
  const outcomes = await Promise.allSettled([store.batch([put('/one')]), store.batch([put('/with'), put('/bad')]), store.batch([put('/two')])])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(outcomes[1]).toMatchObject({ reason: { name: 'StoreError', reason: 'full' } })
  expect(await store.hasMany(['/one', '/with', '/bad', '/two'])).toEqual([true, false, false, true])
})

it('fails clearly, and says it once, when its database is deleted', async () => {
  const name = newName()
  const lost: StoreError[] = []
  const store = await open(name, { onClosed: (error) => { lost.push(error) } })
  await store.batch([put('/a')])
  await deleteDatabase(name)
  await expect(store.get('/a')).rejects.toMatchObject({ name: 'StoreError', reason: 'unavailable' })
  await expect(store.batch([put('/b')])).rejects.toMatchObject({ name: 'StoreError', reason: 'unavailable' })
  await expect((async () => { for await (const _keys of store.keys({})) { /* none */ } })()).rejects.toMatchObject({ name: 'StoreError', reason: 'unavailable' })
  expect(lost.map(({ reason }) => reason)).toEqual(['unavailable'])
  expect(await (await open(name)).has('/a')).toBe(false)
})

it('refuses a database that is not one of its own, or newer', async () => {
  const [other, newer] = [newName(), newName()]
  ;(await openDB(other, 1, { upgrade: (database) => { database.createObjectStore('something') } })).close()
  await expect(openIdbStore(other)).rejects.toMatchObject({ name: 'StoreError', reason: 'damaged' })
  ;(await openDB(newer, 9)).close()
  await expect(openIdbStore(newer)).rejects.toMatchObject({ name: 'StoreError', reason: 'unavailable', message: expect.stringContaining('newer version') as string })
})
