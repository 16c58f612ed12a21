import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openLevelStore } from '../../node/store/level-store.ts'
import type { Store } from '../../src/store/store.ts'
import { storeContract } from '../contract/store.ts'
import { mountSmall } from '../small-file-system.ts'

async function newFolder (): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-level-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

storeContract('level', async () => await openLevelStore(await newFolder()))

it('finds everything when it is opened again', async () => {
  const folder = await newFolder()
  const first = await openLevelStore(folder, { sync: true })
  await first.batch([{ type: 'put', key: '/kept', value: Uint8Array.of(1, 2, 3) }])
  await first.close()
  const second = await openLevelStore(folder)
  onTestFinished(() => second.close())
  expect([...await second.get('/kept') ?? []]).toEqual([1, 2, 3])
})

it('says when the folder is in use', async () => {
  const folder = await newFolder()
  const first = await openLevelStore(folder)
  onTestFinished(() => first.close())
  await expect(openLevelStore(folder)).rejects.toMatchObject({ name: 'StoreError', reason: 'locked', message: expect.stringContaining(folder) as unknown })
})

it('says when the folder is damaged', async () => {
  const folder = await newFolder()
  const first = await openLevelStore(folder)
  await first.batch([{ type: 'put', key: '/a', value: Uint8Array.of(1) }])
  await first.close()
  for (const file of await readdir(folder)) if (file.startsWith('MANIFEST')) await truncate(join(folder, file), 7)
  await expect(openLevelStore(folder)).rejects.toMatchObject({ name: 'StoreError', reason: 'damaged', message: expect.stringContaining('is damaged') as unknown })
})

it('says when the folder cannot be made', async () => {
  const file = join(await newFolder(), 'file')
  await writeFile(file, 'not a folder')
  await expect(openLevelStore(join(file, 'data'))).rejects.toMatchObject({ name: 'StoreError', reason: 'unavailable' })
})

it('never begins a new store on top of what is left of one', async () => {
  const folder = await newFolder()
  const first = await openLevelStore(folder)
  await first.batch([{ type: 'put', key: '/a', value: Uint8Array.of(1) }])
  await first.close()
  await rm(join(folder, 'CURRENT'))
  const before = await readdir(folder)
  await expect(openLevelStore(folder)).rejects.toMatchObject({ name: 'StoreError', reason: 'damaged', message: expect.stringContaining('CURRENT is missing') as unknown })
  expect(await readdir(folder)).toEqual(before)
})

/** A folder on a file system of this size in MiB; undefined where this user may not mount one. */
async function smallDisk (size: number): Promise<string | undefined> {
  const folder = await newFolder()
  if (!mountSmall(folder, size)) return undefined
  onTestFinished(() => { spawnSync('umount', ['--lazy', folder]) })
  return folder
}

describe('a full disk', () => {
  const value = (): Uint8Array => crypto.getRandomValues(new Uint8Array(40_000))
  const put = async (store: Store, key: string, sync: boolean): Promise<unknown> => await store.batch([{ type: 'put', key, value: value() }], { sync }).then(() => undefined, (error: unknown) => error)

  it('refuses what does not fit, serves what is there, goes on when there is room, and loses nothing', async (context) => {
    for (const sync of [true, false]) {
      const disk = await smallDisk(8)
      if (disk === undefined) context.skip('this user may not mount a small file system')
      const folder = join(disk ?? '', 'data')
      const store = await openLevelStore(folder)
      const acknowledged: string[] = []
      let refusals = 0
      for (let number = 0; refusals < 5; number++) {
        const error = await put(store, `/before/${number}`, sync)
        if (error === undefined) acknowledged.push(`/before/${number}`)
        else {
          refusals++
          expect(error).toMatchObject({ name: 'StoreError', reason: 'full', message: expect.stringMatching(/^no room left on the disk of .*what was acknowledged is kept/) as unknown })
        }
      }
      expect((await store.hasMany(acknowledged)).every(Boolean)).toBe(true)
      expect((await store.get(acknowledged[0] ?? ''))?.length).toBe(40_000)
      spawnSync('mount', ['-o', 'remount,size=64m', disk ?? ''])
      const listing = store.keys({ gte: '/before/', lt: '/before0' })
      for (let number = 0; number < 20; number++) {
        expect(await put(store, `/after/${number}`, sync)).toBeUndefined()
        acknowledged.push(`/after/${number}`)
      }
      let listed = 0
      for await (const keys of listing) listed += keys.length
      expect(listed).toBeGreaterThanOrEqual(acknowledged.length - 20)
      // As after a kill: what is on the disk now is all that the next process finds.
      const copy = await newFolder()
      spawnSync('cp', ['-r', `${folder}/.`, copy])
      await store.close()
      for (const place of [copy, folder]) {
        const again = await openLevelStore(place)
        expect((await again.hasMany(acknowledged)).every(Boolean)).toBe(true)
        await again.close()
      }
    }
  })

  it('is told when the store is opened', async (context) => {
    const disk = await smallDisk(1)
    if (disk === undefined) context.skip('this user may not mount a small file system')
    await writeFile(join(disk ?? '', 'rest'), new Uint8Array(2 ** 20)).catch(() => {})
    await expect(openLevelStore(join(disk ?? '', 'data'))).rejects.toMatchObject({ name: 'StoreError', reason: expect.stringMatching(/full|unavailable/) as unknown, message: expect.stringMatching(/space|room/) as unknown })
  })
})
