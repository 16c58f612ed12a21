/** Names of files on the disk itself. */
import { open } from 'node:fs/promises'
import { codeOf } from './files.ts'

/** Names that files in a folder were given survive power loss only after this; systems that cannot do it are left alone. */
export async function syncFolder (folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r')
    try { await handle.sync() } finally { await handle.close() }
  } catch (error) {
    if (!['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP'].includes(codeOf(error) ?? '')) throw error
  }
}
