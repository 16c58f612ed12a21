/** Block storage on a real IndexedDB: what it survives, and what it refuses. */
import type { StoreError } from '../../src/store/errors.ts'
import type { StorageRoom } from '../../web/store/quota.ts'
import { blockKey } from '../../src/ipfs/block-storage.ts'
import { deleteDatabase } from '../../web/store/database.ts'
import { openIdbBlocks } from '../../web/store/idb-blocks.ts'
import { blockStorageContract, numberedBlock } from '../contract/block-storage.ts'
import { collect } from '../contract/values.ts'
import { openDB } from 'idb'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { BlockStorage } from '../../src/ipfs/block-storage.ts'
import type { IdbBlocksOptions } from '../../web/store/idb-blocks.ts'
import type { CID } from 'multiformats/cid'

let serial = 0
const newName = (): string => `test-blocks-${Date.now()}-${serial++}`

async function open (name = newName(), options: IdbBlocksOptions = {}): Promise<BlockStorage> {
  const storage = await openIdbBlocks(name, options)
  onTestFinished(() => storage.close())
  return storage
}

/** Gives every value to be stored to `change` first, until the test ends or `restore` is called. */
function changeValues (change: (value: Uint8Array) => Uint8Array): { readonly restore: () => void } {
  const put = Reflect.get(IDBObjectStore.prototype, 'put') as (this: IDBObjectStore, value: unknown, key?: IDBValidKey) => IDBRequest<IDBValidKey>
  const spy = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, value: unknown, key?: IDBValidKey) {
    return put.call(this, value instanceof Uint8Array ? change(value) : value, key)
  })
  const restore = (): void => { spy.mockRestore() }
  onTestFinished(restore)
  return { restore }
}

/** Changes the database behind the storage's back. */
async function meddle (name: string, change: (key: string, value: Uint8Array) => Uint8Array | undefined, cid: CID): Promise<void> {
  const database = await openDB(name)
  const keys = await database.getAllKeys('blocks') as string[]
  const key = keys.find((one) => one.startsWith(`${blockKey(cid)}.`)) ?? ''
  const changed = change(key, await database.get('blocks', key) as Uint8Array)
  if (changed === undefined) await database.delete('blocks', key)
  else await database.put('blocks', changed, key)
  database.close()
}

blockStorageContract('IndexedDB', async (storageMax) => await openIdbBlocks(newName(), { storageMax }))

it('finds blocks and their size again', async () => {
  const name = newName()
  const blocks = await Promise.all(Array.from({ length: 50 }, (_, number) => numberedBlock(number, 100 + number)))
  const before = await open(name)
  await Promise.all(blocks.map((block) => before.put(block)))
  const size = await before.size()
  // Not closed: what a tab that crashed leaves.
  const after = await open(name)
  expect(await after.size()).toBe(size)
  for (const { cid, bytes } of blocks) expect(await after.get(cid)).toEqual(bytes)
})

it('keeps two storages apart', async () => {
  const [one, two] = [await open(), await open()]
  const block = await numberedBlock(1)
  await one.put(block)
  expect([await two.get(block.cid), await two.size(), await one.size()]).toEqual([undefined, 0n, 100n])
})

it('does what was asked in the order in which it was asked', async () => {
  const storage = await open()
  const block = await numberedBlock(1)
  expect(await Promise.all([storage.put(block), storage.delete(block.cid), storage.delete(block.cid), storage.put(block), storage.delete(block.cid)])).toEqual([undefined, true, false, undefined, true])
  expect([await storage.has(block.cid), await storage.size()]).toEqual([false, 0n])
})

it('takes a broken block for a missing one, removes it, and takes it anew', async () => {
  const name = newName()
  const storage = await open(name)
  const [broken, intact] = [await numberedBlock(1), await numberedBlock(2)]
  for (const block of [broken, intact]) await storage.put(block)
  await meddle(name, (_key, value) => value.with(50, 255), broken.cid)
  expect(await Promise.all([storage.get(broken.cid), storage.get(intact.cid)])).toEqual([undefined, intact.bytes])
  expect([await storage.has(broken.cid), await storage.size()]).toEqual([false, 100n])
  await storage.put(broken)
  expect([await storage.get(broken.cid), await storage.size()]).toEqual([broken.bytes, 200n])
})

it('replaces a broken block when it is put again, unread', async () => {
  const name = newName()
  const storage = await open(name)
  const block = await numberedBlock(1)
  await storage.put(block)
  await meddle(name, (_key, value) => value.subarray(0, 10), block.cid)
  await storage.put(block)
  expect([await storage.get(block.cid), await storage.size()]).toEqual([block.bytes, 100n])
})

it('says so when what was written does not read back', async () => {
  const storage = await open()
  const block = await numberedBlock(1)
  const { restore } = changeValues((value) => new Uint8Array(value.length))
  await expect(storage.put(block)).rejects.toMatchObject({ name: 'StoreError', reason: 'damaged' })
  restore()
  await storage.put(block)
  expect(await storage.get(block.cid)).toEqual(block.bytes)
})

it('writes again what did not read back once', async () => {
  const storage = await open()
  const [lost, kept] = [await numberedBlock(1), await numberedBlock(2)]
  let lose = 1
  changeValues((value) => lose-- > 0 ? new Uint8Array(value.length) : value)
  await Promise.all([storage.put(lost), storage.put(kept)])
  expect([await storage.get(lost.cid), await storage.get(kept.cid), await storage.size()]).toEqual([lost.bytes, kept.bytes, 200n])
})

const granting = (room: Partial<StorageRoom>): (() => Promise<StorageRoom>) => async () => ({ usage: 0, quota: 1000, persisted: false, ...room })

it('uses half of what the browser grants, and no more than it leaves', async () => {
  expect((await open(newName(), { room: granting({}) })).storageMax).toBe(500n)
  expect((await open(newName(), { room: granting({ usage: 600 }) })).storageMax).toBe(300n) // a tenth stays free
  expect((await open(newName(), { room: granting({ usage: 2000 }) })).storageMax).toBe(0n)
  expect((await open(newName(), { room: granting({}), storageMax: 700n })).storageMax).toBe(700n)
  expect((await open(newName(), { room: granting({ usage: 600 }), storageMax: 700n })).storageMax).toBe(300n)
  expect((await open(newName(), { room: async () => undefined })).storageMax).toBe(1024n ** 3n)
})

it('is full before the browser is, and takes more when the browser grants more', async () => {
  let usage = 600
  const storage = await open(newName(), { room: async () => ({ usage, quota: 1000, persisted: true }) })
  const blocks = await Promise.all([1, 2, 3, 4].map((number) => numberedBlock(number)))
  const outcomes = await Promise.allSettled(blocks.map((block) => storage.put(block)))
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected'])
  expect(await storage.size()).toBe(300n)
  usage = 300
  const last = await numberedBlock(4)
  await vi.waitFor(() => storage.put(last), { timeout: 5000, interval: 100 })
  expect(await storage.size()).toBe(400n)
})

it('refuses as full when the browser itself has no room, and goes on afterwards', async () => {
  const storage = await open()
  const [first, second] = [await numberedBlock(1), await numberedBlock(2)]
  await storage.put(first)
  const { restore } = changeValues(() => { throw new DOMException('no room', 'QuotaExceededError') })
  await expect(storage.put(second)).rejects.toMatchObject({ name: 'StorageFullError' })
  restore()
  expect([await storage.get(first.cid), await storage.size(), await storage.has(second.cid)]).toEqual([first.bytes, 100n, false])
  await vi.waitFor(() => storage.put(second), { timeout: 5000, interval: 100 })
  expect(await storage.size()).toBe(200n)
})

it('fails clearly, and says it once, when its database is deleted', async () => {
  const name = newName()
  const lost: StoreError[] = []
  const storage = await open(name, { onClosed: (error) => { lost.push(error) } })
  const block = await numberedBlock(1)
  await storage.put(block)
  await deleteDatabase(name)
  for (const call of [() => storage.get(block.cid), () => storage.has(block.cid), () => storage.put(block), () => storage.delete(block.cid), () => collect(storage.all())]) {
    await expect(call()).rejects.toMatchObject({ name: 'StoreError', reason: 'unavailable' })
  }
  expect(lost).toHaveLength(1)
  const anew = await open(name)
  expect([await anew.get(block.cid), await anew.size()]).toEqual([undefined, 0n])
})

it('refuses once it is closed, and ends what was begun', async () => {
  const name = newName()
  const storage = await open(name)
  const block = await numberedBlock(1)
  const putting = storage.put(block)
  await storage.close()
  await putting
  await expect(storage.get(block.cid)).rejects.toMatchObject({ name: 'StoreError', reason: 'closed' })
  await expect(storage.put(block)).rejects.toMatchObject({ name: 'StoreError', reason: 'closed' })
  expect(await (await open(name)).get(block.cid)).toEqual(block.bytes)
})
