import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openLevelStore } from '../../node/store/level-store.ts'
import { storeContract } from '../contract/store.ts'

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
