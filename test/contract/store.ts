/** What every Store does, whatever keeps it. */
import type { Store, StoreOperation, StoreRange } from '../../src/store/store.ts'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { prefixRange } from '../../src/store/store.ts'

const text = (bytes: Uint8Array | undefined): string | undefined => bytes === undefined ? undefined : new TextDecoder().decode(bytes)
const put = (key: string, value: string): StoreOperation => ({ type: 'put', key, value: new TextEncoder().encode(value) })
const del = (key: string): StoreOperation => ({ type: 'del', key })

async function collect<T> (chunks: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = []
  for await (const chunk of chunks) all.push(...chunk)
  return all
}

const read = async (store: Store, range: StoreRange): Promise<string[]> => (await collect(store.entries(range))).map(([key, value]) => `${key}=${text(value) ?? ''}`)

export function storeContract (name: string, create: () => Promise<Store>): void {
  const open = async (...operations: StoreOperation[]): Promise<Store> => {
    const store = await create()
    onTestFinished(() => store.close())
    if (operations.length > 0) await store.batch(operations)
    return store
  }

  describe(`store: ${name}`, () => {
    it('returns what was put, and undefined for what was not', async () => {
      const store = await open(put('/a', 'one'), put('/b', ''))
      expect(text(await store.get('/a'))).toBe('one')
      expect(text(await store.get('/b'))).toBe('')
      expect(await store.get('/c')).toBeUndefined()
      expect([await store.has('/a'), await store.has('/b'), await store.has('/c')]).toEqual([true, true, false])
      expect((await store.getMany(['/c', '/a', '/a'])).map(text)).toEqual([undefined, 'one', 'one'])
      expect(await store.getMany([])).toEqual([])
      expect(await store.hasMany(['/c', '/a', '/b'])).toEqual([false, true, true])
      expect(await store.hasMany([])).toEqual([])
    })

    it('applies a batch in order, and keeps its own copy of the bytes', async () => {
      const store = await open(put('/a', 'old'), put('/gone', 'x'))
      const value = new TextEncoder().encode('mine')
      await store.batch([put('/a', 'new'), del('/gone'), del('/never'), put('/b', '1'), del('/b'), del('/c'), put('/c', '2'), { type: 'put', key: '/own', value }])
      value.fill(0)
      expect(await read(store, {})).toEqual(['/a=new', '/c=2', '/own=mine'])
      await store.batch([])
      await store.batch([put('/d', 'durable')], { sync: true })
      expect(text(await store.get('/d'))).toBe('durable')
    })

    it('reads ranges by their bounds, backwards and limited', async () => {
      const store = await open(...['/a', '/a/1', '/a/2', '/b', '/b/1', '/c'].map((key) => put(key, key.slice(1))))
      const keys = async (range: StoreRange): Promise<string[]> => await collect(store.keys(range))
      expect(await keys({})).toEqual(['/a', '/a/1', '/a/2', '/b', '/b/1', '/c'])
      expect(await keys(prefixRange('/a/'))).toEqual(['/a/1', '/a/2'])
      expect(await keys({ gt: '/a', lt: '/b' })).toEqual(['/a/1', '/a/2'])
      expect(await keys({ gte: '/b' })).toEqual(['/b', '/b/1', '/c'])
      expect(await keys({ lt: '/a/2', reverse: true })).toEqual(['/a/1', '/a'])
      expect(await keys({ limit: 2 })).toEqual(['/a', '/a/1'])
      expect(await keys({ limit: 2, reverse: true })).toEqual(['/c', '/b/1'])
      expect(await keys({ limit: 0 })).toEqual([])
      expect(await keys({ gte: '/x' })).toEqual([])
      expect((await collect(store.values(prefixRange('/b')))).map(text)).toEqual(['b', 'b/1'])
    })

    it('hands out large ranges in chunks, over the snapshot of the first read', async () => {
      const key = (index: number): string => `/k/${String(index).padStart(5, '0')}`
      const store = await open(...Array.from({ length: 2500 }, (_, index) => put(key(index), String(index))))
      const chunks = store.entries(prefixRange('/k/'))[Symbol.asyncIterator]()
      const first = await chunks.next()
      expect(first.done).toBe(false)
      const size = first.done === true ? 0 : first.value.length
      expect(size).toBeGreaterThan(1)
      expect(size).toBeLessThanOrEqual(1000)
      await store.batch([del(key(2400)), put(key(2499), 'changed'), put('/k/zzz', 'later')])
      const rest: string[] = []
      for (let chunk = await chunks.next(); chunk.done !== true; chunk = await chunks.next()) rest.push(...chunk.value.map(([at, value]) => `${at}=${text(value) ?? ''}`))
      expect(rest.length).toBe(2500 - size)
      expect(rest).toContain(`${key(2400)}=2400`)
      expect(rest.at(-1)).toBe(`${key(2499)}=2499`)
      expect((await collect(store.keys(prefixRange('/k/')))).length).toBe(2500)
    })

    it('lets a reader leave early', async () => {
      const store = await open(...Array.from({ length: 3000 }, (_, index) => put(`/k/${index}`, '')))
      for await (const chunk of store.keys({})) {
        expect(chunk.length).toBeGreaterThan(0)
        break
      }
      await store.batch([put('/still', 'usable')])
      expect(await store.has('/still')).toBe(true)
    })

    it('ends work when the signal fires', async () => {
      const store = await open(...Array.from({ length: 3000 }, (_, index) => put(`/k/${index}`, '')))
      const reason = new Error('enough')
      await expect(store.get('/k/1', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      await expect(store.getMany(['/k/1'], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      await expect(store.batch([put('/no', '')], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      expect(await store.has('/no')).toBe(false)
      const abort = new AbortController()
      const reading = async (): Promise<void> => { for await (const _chunk of store.keys({ signal: abort.signal })) abort.abort(reason) }
      await expect(reading()).rejects.toBe(reason)
    })

    it('is closed once and then refuses', async () => {
      const store = await open(put('/a', '1'))
      await store.close()
      await store.close()
      await expect(store.get('/a')).rejects.toMatchObject({ name: 'StoreError', reason: 'closed' })
      await expect(store.batch([put('/b', '')])).rejects.toMatchObject({ name: 'StoreError', reason: 'closed' })
      await expect(collect(store.keys({}))).rejects.toMatchObject({ name: 'StoreError', reason: 'closed' })
    })

    it('equals a sorted map, whatever the operations', async () => {
      const store = await open()
      const keys = fc.string({ unit: fc.constantFrom('/', 'A', 'b', '2', '-'), minLength: 1, maxLength: 4 })
      const operations = fc.array(fc.oneof({ weight: 3, arbitrary: fc.tuple(keys, fc.string({ maxLength: 3 })).map(([key, value]) => put(key, value)) }, { weight: 1, arbitrary: keys.map(del) }), { maxLength: 30 })
      await fc.assert(fc.asyncProperty(fc.array(operations, { maxLength: 3 }), keys, keys, fc.boolean(), async (batches, from, to, reverse) => {
        const model = new Map<string, string>()
        await store.batch((await collect(store.keys({}))).map(del))
        for (const batch of batches) {
          await store.batch(batch)
          for (const operation of batch) {
            if (operation.type === 'put') model.set(operation.key, text(operation.value) ?? '')
            else model.delete(operation.key)
          }
        }
        const expected = [...model].filter(([key]) => key >= from && key < to).sort(([one], [other]) => one < other ? -1 : 1).map(([key, value]) => `${key}=${value}`)
        expect(await read(store, { gte: from, lt: to, reverse })).toEqual(reverse ? expected.reverse() : expected)
      }), { numRuns: 50 })
    })
  })
}
