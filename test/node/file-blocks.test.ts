import { mkdir, mkdtemp, readdir, rm, writeFile, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileBlocks } from '../../node/ipfs/file-blocks.ts'
import { FileSync } from '../../node/ipfs/file-sync.ts'
import { silentLogger } from '../../src/component.ts'
import { HeliaConnector } from '../../src/ipfs/helia.ts'
import type { ContentNetwork } from '../../src/ipfs/helia.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { blockStorageContract } from '../contract/block-storage.ts'
import { describe, expect, it, onTestFinished } from 'vitest'
import { writerBlock } from './helia-blocks.ts'

blockStorageContract('files', async (storageMax = 10_000_000_000n) => {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-blocks-'))
  onTestFinished(async () => { await rm(folder, { recursive: true, force: true }) })
  return await FileBlocks.open(folder, storageMax, silentLogger.forComponent('test'))
})

it('names blocks that are added, and records a pin, only when the disk itself has them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-blocks-'))
  const storage = await FileBlocks.open(folder, 10_000_000n, silentLogger.forComponent('test'))
  const store = new MemoryStore()
  const steps: string[] = []
  const [sync, batch] = [storage.sync.bind(storage), store.batch.bind(store)]
  storage.sync = async () => { await sync(); steps.push('synced') }
  store.batch = async (operations) => { await batch(operations); steps.push('recorded') }
  const network: ContentNetwork = { id: async () => { throw new Error('none') }, fetch: async () => { throw new Error('nobody has it') }, connect: async () => {}, peers: () => [], stop: async () => {} }
  const ipfs = new HeliaConnector({ storage, store, network, logger: silentLogger })
  onTestFinished(async () => {
    await ipfs.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const block = await writerBlock(1)
  for await (const cid of ipfs.blockPutStream(async function * () { yield block }())) steps.push(String(cid))
  await ipfs.pin(pinWith(block.cid))
  expect(steps).toEqual(['synced', String(block.cid), 'synced', 'recorded'])
})

describe('files that are synced together', () => {
  const write = async (folder: string, names: readonly string[]): Promise<readonly string[]> => await Promise.all(names.map(async (name) => {
    await writeFile(join(folder, name), name)
    return join(folder, name)
  }))

  it('are those that were added before, whoever asks; what was removed needs nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pinswarm-sync-'))
    onTestFinished(async () => { await rm(folder, { recursive: true, force: true }) })
    const files = new FileSync(folder)
    for (const file of await write(folder, ['a', 'b', 'c'])) files.add(folder, file)
    await rm(join(folder, 'b'))
    await Promise.all([files.run(), files.run(), files.run()])
    await files.run()
  })

  it('stay to be synced where that failed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pinswarm-sync-'))
    onTestFinished(async () => { await rm(folder, { recursive: true, force: true }) })
    const files = new FileSync(folder)
    const [file = ''] = await write(folder, ['a'])
    await rm(file)
    await mkdir(file)
    files.add(folder, file)
    for (let tries = 0; tries < 2; tries++) await expect(files.run()).rejects.toMatchObject({ code: 'EISDIR' })
    await rm(file, { recursive: true })
    await files.run()
  })
})

it('a block that a crash left broken at its full size is written anew when it is put', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-blocks-'))
  onTestFinished(async () => { await rm(folder, { recursive: true, force: true }) })
  const block = await writerBlock(1)
  const log = silentLogger.forComponent('test')
  await (await FileBlocks.open(folder, 10_000_000n, log)).put(block)
  const [file = ''] = (await readdir(folder, { recursive: true })).filter((name) => name.includes('/'))
  await writeFile(join(folder, file), new Uint8Array(block.bytes.length))
  await utimes(join(folder, file), 1, 1) // before the next opening, as after a crash
  const again = await FileBlocks.open(folder, 10_000_000n, log)
  onTestFinished(() => again.close())
  await again.put(block)
  expect(await again.get(block.cid)).toEqual(block.bytes)
  expect(await again.size()).toBe(BigInt(block.bytes.length))
})
