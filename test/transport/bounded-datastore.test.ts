import fc from 'fast-check'
import { Key, type Datastore } from 'interface-datastore'
import { expect, it } from 'vitest'
import { boundDatastore, type DatastoreLimits } from '../../src/transport/bounded-datastore.ts'

function open (limits: DatastoreLimits, needed: readonly string[] = []) {
  const values = new Map<string, Uint8Array>()
  const datastore = {
    put: async (key: Key, value: Uint8Array) => { values.set(key.toString(), value); return key },
    delete: async (key: Key) => { values.delete(key.toString()) }
  } as unknown as Datastore
  boundDatastore(datastore, () => new Set(needed), limits)
  return { values, datastore }
}

it('keeps so much of each kind: what was written longest ago goes, and never what is needed', async () => {
  const { values, datastore } = open({ entries: 3, bytes: 1000, entryBytes: 100 }, ['/peers/a'])
  for (const name of ['a', 'b', 'c', 'b', 'd', 'e']) await datastore.put(new Key(`/peers/${name}`), Uint8Array.of(1))
  await datastore.put(new Key('/dht/record'), Uint8Array.of(1))
  expect([...values.keys()].toSorted()).toEqual(['/dht/record', '/peers/a', '/peers/d', '/peers/e'])
})

it('refuses an entry that is too large and keeps what it had', async () => {
  const { values, datastore } = open({ entries: 3, bytes: 1000, entryBytes: 100 })
  await datastore.put(new Key('/peers/a'), Uint8Array.of(1))
  await expect(datastore.put(new Key('/peers/a'), new Uint8Array(101))).rejects.toThrow('too many')
  expect(values.get('/peers/a')).toEqual(Uint8Array.of(1))
})

it('never holds more than its bounds, and always what was put last', async () => {
  const step = fc.record({ kind: fc.constantFrom('peers', 'dht'), name: fc.nat(30), size: fc.nat(20), remove: fc.boolean() })
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 200 }), async (steps) => {
    const { values, datastore } = open({ entries: 8, bytes: 60, entryBytes: 20 })
    for (const { kind, name, size, remove } of steps) {
      const key = new Key(`/${kind}/${name}`)
      if (remove) await datastore.delete(key)
      else await datastore.put(key, new Uint8Array(size))
      expect(values.has(key.toString())).toBe(!remove)
      for (const each of ['/peers', '/dht']) {
        const sizes = [...values].filter(([held]) => held.startsWith(each)).map(([, value]) => value.byteLength)
        expect(sizes.length).toBeLessThanOrEqual(8)
        expect(sizes.reduce((sum, part) => sum + part, 0)).toBeLessThanOrEqual(60)
      }
    }
  }), { numRuns: 50 })
})
