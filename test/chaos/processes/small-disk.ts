/** A file system of a few MiB for one peer's folder, which can be filled and emptied; where this user may mount one. */
import { spawnSync } from 'node:child_process'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mountSmall } from '../../small-file-system.ts'

export interface SmallDisk {
  readonly folder: string
  /** Not another byte fits. */
  readonly fill: () => Promise<void>
  readonly free: () => Promise<void>
  readonly remove: () => Promise<void>
}

const mebibytes = 64

/** Undefined where this user may not mount. */
export async function mountSmallDisk (): Promise<SmallDisk | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-chaos-disk-'))
  if (!mountSmall(folder, mebibytes)) {
    await rm(folder, { recursive: true, force: true })
    return undefined
  }
  const filler = join(folder, 'filler')
  return {
    folder,
    fill: async () => {
      const file = await open(filler, 'a')
      try {
        for (const size of [1_048_576, 4096]) while (await file.write(Buffer.alloc(size, 1)).then(({ bytesWritten }) => bytesWritten === size, () => false));
      } finally {
        await file.close()
      }
    },
    free: async () => { await rm(filler, { force: true }) },
    remove: async () => {
      spawnSync('umount', ['-l', folder])
      await rm(folder, { recursive: true, force: true })
    }
  }
}
