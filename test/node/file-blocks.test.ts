import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileBlocks } from '../../node/ipfs/file-blocks.ts'
import { silentLogger } from '../../src/component.ts'
import { blockStorageContract } from '../contract/block-storage.ts'
import { onTestFinished } from 'vitest'

blockStorageContract('files', async (storageMax = 10_000_000_000n) => {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-blocks-'))
  onTestFinished(async () => { await rm(folder, { recursive: true, force: true }) })
  return await FileBlocks.open(folder, storageMax, silentLogger.forComponent('test'))
})
