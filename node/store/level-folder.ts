/**
 * What LevelDB does not say of its folder: whether the machine went down while it was open, and what its recovery left out.
 *
 * Batches are not all synced. After a power loss the end of one log may be missing although a later log is there, and of a damaged
 * log LevelDB skips what it cannot read: in both cases batches in the middle can be lost, and whoever reads must look.
 */
import { readdir, rm, stat, statfs } from 'node:fs/promises'
import { uptime } from 'node:os'
import { join } from 'node:path'
import { bootId } from '../boot.ts'
import { codeOf, readIfThere, writeWhole } from '../files.ts'
import { syncFolder } from '../sync-folder.ts'
import { damagedError, fullError } from './level-errors.ts'
import { cutManifest } from './level-manifest.ts'

/** Lies in the folder while it is open; LevelDB does not mind it. */
const markName = 'RUNNING'
/** Text of the mark when batches may be missing; else it names the boot. */
const doubt = 'gaps'
/** Beyond what is to be written: tables have indexes, and the manifest grows. */
const spareBytes = 1 << 20

/** The minute of the boot serves where it has no name. */
const thisBoot = async (): Promise<string> => await bootId().catch(() => String(Math.round((Date.now() / 1000 - uptime()) / 60)))

/** Names in the folder; none where it is missing. */
async function namesIn (folder: string): Promise<readonly string[]> {
  try { return await readdir(folder) } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

/** Throws StoreError where LevelDB would begin a new store on top of what is left of one, or forget a part of it. */
export async function checkFolder (folder: string): Promise<void> {
  const names = await namesIn(folder)
  if (!names.includes('CURRENT') && names.some((name) => /^MANIFEST-|\.(ldb|sst|log)$/.test(name))) throw damagedError(folder, 'the file CURRENT is missing')
  const cut = await cutManifest(folder, names)
  if (cut !== undefined) throw damagedError(folder, cut)
}

/** True: the machine, not only the process, went down while the folder was open, or nobody has looked since batches went missing. */
export async function isInDoubt (folder: string): Promise<boolean> {
  const text = await readIfThere(join(folder, markName))
  return text !== undefined && text !== await thisBoot()
}

/** True: the recovery that just ended has skipped something. */
export async function hasDropped (folder: string): Promise<boolean> { return / dropping \d+ bytes/.test(await readIfThere(join(folder, 'LOG')) ?? '') }

export async function markOpen (folder: string, mayHaveGaps: boolean): Promise<void> {
  await writeWhole(join(folder, markName), mayHaveGaps ? doubt : await thisBoot(), 0o600)
  await syncFolder(folder)
}

export async function markClosed (folder: string): Promise<void> { await rm(join(folder, markName), { force: true }) }

/** Throws StoreError when there is no room for what opening anew writes: the contents of the logs. */
export async function checkRoom (folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  let needed = spareBytes
  for (const name of await namesIn(folder)) if (name.endsWith('.log')) needed += (await stat(join(folder, name))).size
  if (bavail * bsize < needed) throw fullError(folder, `${bavail * bsize} bytes are free, ${needed} are needed`)
}
