/** What every BlockStorage does, wherever it keeps the blocks. */
import type { BlockStorage } from '../../src/ipfs/block-storage.ts'
import type { Block } from '../../src/ipfs/ipfs.ts'
import { collect } from './values.ts'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { describe, expect, it, onTestFinished } from 'vitest'

/** A block of this many bytes; each number makes another one. */
export async function numberedBlock (number: number, size = 100): Promise<Block> {
  const bytes = new Uint8Array(size).map((_, index) => (number * 31 + index * (number + 7)) % 251)
  if (size >= 4) new DataView(bytes.buffer).setUint32(0, number)
  return { cid: CID.createV1(raw.code, await sha256.digest(bytes)), bytes }
}

const numberedBlocks = async (count: number, size?: number): Promise<Block[]> => await Promise.all(Array.from({ length: count }, (_, number) => numberedBlock(number, size)))
const names = async (storage: BlockStorage): Promise<string[]> => (await collect(storage.all())).map(String).sort()

/** `create` makes an empty one, with room for at least 1 GB where no limit is asked for. */
export function blockStorageContract (name: string, create: (storageMax?: bigint) => Promise<BlockStorage>): void {
  const open = async (storageMax?: bigint): Promise<BlockStorage> => {
    const storage = await create(storageMax)
    onTestFinished(() => storage.close())
    return storage
  }

  describe(`block storage: ${name}`, () => {
    it('returns what was put, and undefined for what was not', async () => {
      const storage = await open()
      const [one, two, empty] = [await numberedBlock(1), await numberedBlock(2, 1_048_576), await numberedBlock(3, 0)]
      for (const block of [one, two, empty]) await storage.put(block)
      for (const { cid, bytes } of [one, two, empty]) expect(await storage.get(cid)).toEqual(bytes)
      const { cid } = await numberedBlock(4)
      expect(await storage.get(cid)).toBeUndefined()
      expect([await storage.has(one.cid), await storage.has(empty.cid), await storage.has(cid)]).toEqual([true, true, false])
      expect(await storage.size()).toBe(1_048_676n)
      expect(storage.storageMax).toBeGreaterThanOrEqual(1_000_000_000n)
    })

    it('finds a block by its multihash, whatever the CID', async () => {
      const storage = await open()
      const { cid, bytes } = await numberedBlock(1)
      await storage.put({ cid: CID.createV0(cid.multihash as Parameters<typeof CID.createV0>[0]), bytes })
      expect(await storage.get(CID.createV1(0x70, cid.multihash))).toEqual(bytes)
      expect(await names(storage)).toEqual([cid.toString()])
    })

    it('keeps only the bytes of a view', async () => {
      const storage = await open()
      const { cid, bytes } = await numberedBlock(1)
      const wide = new Uint8Array(10_000)
      wide.set(bytes, 500)
      await storage.put({ cid, bytes: wide.subarray(500, 600) })
      expect(await storage.get(cid)).toEqual(bytes)
      expect(await storage.size()).toBe(100n)
    })

    it('counts a block once, however often it comes', async () => {
      const storage = await open()
      const block = await numberedBlock(1)
      await Promise.all(Array.from({ length: 10 }, () => storage.put(block)))
      await storage.put(block)
      expect(await storage.size()).toBe(100n)
      expect(await names(storage)).toEqual([block.cid.toString()])
    })

    it('deletes, once', async () => {
      const storage = await open()
      const [one, two] = [await numberedBlock(1), await numberedBlock(2)]
      await storage.put(one)
      await storage.put(two)
      expect([await storage.delete(one.cid), await storage.delete(one.cid)]).toEqual([true, false])
      expect([await storage.get(one.cid), await storage.has(one.cid), await storage.size()]).toEqual([undefined, false, 100n])
      expect(await names(storage)).toEqual([two.cid.toString()])
      await storage.put(one)
      expect(await storage.get(one.cid)).toEqual(one.bytes)
    })

    it('takes no byte more than it may, also from many at once', async () => {
      const storage = await open(1000n)
      expect(storage.storageMax).toBe(1000n)
      const outcomes = await Promise.allSettled((await numberedBlocks(25)).map((block) => storage.put(block)))
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
      for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ name: 'StorageFullError', message: expect.stringContaining('StorageMax 1000') as string })
      expect(await storage.size()).toBe(1000n)
      const [first] = await collect(storage.all())
      if (first === undefined) throw new Error('nothing is stored')
      const bytes = await storage.get(first) ?? new Uint8Array()
      await storage.put({ cid: first, bytes }) // costs nothing
      await storage.delete(first)
      await expect(numberedBlock(100, 101).then((block) => storage.put(block))).rejects.toMatchObject({ name: 'StorageFullError' })
      await storage.put(await numberedBlock(101))
      expect(await storage.size()).toBe(1000n)
    })

    it('lists many, each once, also while they go', async () => {
      const storage = await open()
      const blocks = await numberedBlocks(2300, 20)
      await Promise.all(blocks.map((block) => storage.put(block)))
      expect(await names(storage)).toEqual(blocks.map(({ cid }) => cid.toString()).sort())
      const gone: string[] = []
      for await (const cid of storage.all()) {
        gone.push(cid.toString())
        await storage.delete(cid)
      }
      expect(gone.sort()).toEqual(blocks.map(({ cid }) => cid.toString()).sort())
      expect([await storage.size(), await names(storage)]).toEqual([0n, []])
    })

    it('equals a map, whatever the operations', async () => {
      const storage = await open(2000n)
      const blocks = await Promise.all(Array.from({ length: 12 }, (_, number) => numberedBlock(number, 50 * number)))
      const step = fc.record({ put: fc.boolean(), number: fc.nat(11) })
      await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const model = new Map<string, Block>()
        for await (const cid of storage.all()) await storage.delete(cid)
        const used = (): number => [...model.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
        for (const { put, number } of steps) {
          const block = blocks[number]
          if (block === undefined) continue
          const key = block.cid.toString()
          if (put) {
            const fits = model.has(key) || used() + block.bytes.length <= 2000
            expect(await storage.put(block).then(() => true, () => false)).toBe(fits)
            if (fits) model.set(key, block)
          } else expect(await storage.delete(block.cid)).toBe(model.delete(key))
        }
        expect(await storage.size()).toBe(BigInt(used()))
        expect(await names(storage)).toEqual([...model.keys()].sort())
        for (const { cid, bytes } of model.values()) expect(await storage.get(cid)).toEqual(bytes)
      }), { numRuns: 30 })
    })

    it('is closed twice', async () => {
      const storage = await open()
      await storage.put(await numberedBlock(1))
      await storage.close()
      await storage.close()
    })
  })
}
