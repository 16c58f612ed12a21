/**
 * One process per configuration folder: `cluster.lock` (config.md §1).
 *
 * Node has no file locks, so the file holds who owns it: process ID, and when that process started, so that an ID used again after a
 * crash or a reboot does not count. It appears with its content (link of a finished file), so nobody reads half of it. A file of a Go
 * peer is empty: there `/proc/locks` tells whether it is held. Two processes that find the same stale lock race through a rename, and
 * LevelDB's own lock, which the system drops with its process, stands behind this one for the data.
 */
import { randomBytes } from 'node:crypto'
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bootId } from './boot.ts'
import { codeOf, readIfThere } from './files.ts'

/** The folder is in use by another process. */
export class FolderLockedError extends Error {
  override name = 'FolderLockedError'
  readonly path: string
  constructor (path: string, reason: string, options?: ErrorOptions) {
    super(`lock ${path}: ${reason}. If no other ipfs-cluster-service process is running, remove ${path}, or make sure that the config folder is writable for the user running ipfs-cluster-service.`, options)
    this.path = path
  }
}

export interface FolderLock {
  readonly release: () => Promise<void>
}

interface Owner { readonly pid: number, readonly started: string }

/** What tells a process from a later one with the same ID: its start in clock ticks since boot, and the boot. Empty where the system does not tell. */
async function startOf (pid: number): Promise<string> {
  try {
    const [line, boot] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), bootId()])
    // the command name, in parentheses, may hold spaces: field 22 is the 20th after it
    return `${line.slice(line.lastIndexOf(')') + 2).split(' ')[19] ?? ''}@${boot}`
  } catch { return '' }
}

const isRunning = (pid: number): boolean => {
  try { process.kill(pid, 0); return true } catch (error) { return codeOf(error) === 'EPERM' }
}

function ownerOf (text: string): Owner | undefined {
  try {
    const { pid, started } = JSON.parse(text) as { pid?: unknown, started?: unknown }
    return typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0 && typeof started === 'string' ? { pid, started } : undefined
  } catch { return undefined }
}

/** A lock of the system on the file, as a Go peer holds it. Linux only. */
async function isLockedBySystem (path: string): Promise<boolean> {
  try {
    const [{ ino }, locks] = await Promise.all([stat(path), readFile('/proc/locks', 'utf8')])
    return new RegExp(`:${ino} `).test(locks)
  } catch { return false }
}

async function isHeld (path: string, text: string): Promise<boolean> {
  const owner = ownerOf(text)
  if (owner === undefined) return await isLockedBySystem(path)
  if (owner.pid === process.pid && held.has(path)) return true
  if (!isRunning(owner.pid)) return false
  const started = await startOf(owner.pid)
  return started === '' || owner.started === '' ? owner.pid !== process.pid : started === owner.started
}

/** Locks of this very process. */
const held = new Set<string>()

/** Takes the lock of a folder. Throws FolderLockedError when another process, or this one, has it, or when the folder cannot be written. */
export async function lockFolder (folder: string): Promise<FolderLock> {
  const path = join(folder, 'cluster.lock')
  const mine = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  const content = JSON.stringify({ pid: process.pid, started: await startOf(process.pid) })
  if (held.has(path)) throw new FolderLockedError(path, 'someone else has the lock')
  try {
    await writeFile(mine, content, { flag: 'wx', mode: 0o600 })
    for (let attempt = 0; ; attempt++) {
      try { await link(mine, path); break } catch (error) { if (codeOf(error) !== 'EEXIST' || attempt === 10) throw error }
      const text = await readIfThere(path)
      if (text === undefined) continue
      if (await isHeld(path, text)) throw new FolderLockedError(path, 'someone else has the lock')
      await removeStale(path, text, `${mine}.stale`)
    }
  } catch (error) {
    throw error instanceof FolderLockedError ? error : new FolderLockedError(path, codeOf(error) ?? 'failed', { cause: error })
  } finally {
    await rm(mine, { force: true })
  }
  held.add(path)
  let released = false
  return {
    release: async () => {
      if (released) return
      released = true
      held.delete(path)
      if (await readIfThere(path) === content) await rm(path, { force: true })
    }
  }
}

/** Moves the stale file away; puts it back when it turned out to be another one that came in between. */
async function removeStale (path: string, text: string, aside: string): Promise<void> {
  try { await rename(path, aside) } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  if (await readIfThere(aside) !== text) await link(aside, path).catch(() => {})
  await rm(aside, { force: true })
}
