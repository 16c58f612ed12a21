/** Brings files that were written to the disk itself, many at once: whoever asks while one round is under way shares the next one. */
import { open } from 'node:fs/promises'
import { codeOf } from '../files.ts'
import { syncFolder } from '../sync-folder.ts'

/** The system's threads are few; more at once would only keep others waiting. */
const together = 4

export class FileSync {
  readonly #root: string
  #files = new Map<string, string>()
  #running: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  /** @param root the folder that folders are made in */
  constructor (root: string) { this.#root = root }

  /** Files that were added and are not synced. */
  get size (): number { return this.#files.size }

  /** A file that was written and given its name in `folder`. */
  add (folder: string, file: string): void { this.#files.set(file, folder) }

  /** What was added before is on the disk when it resolves. */
  async run (): Promise<void> {
    this.#next ??= this.#running.catch(() => {}).then(async () => {
      this.#next = undefined
      this.#running = this.#round()
      await this.#running
    })
    await this.#next
  }

  async #round (): Promise<void> {
    const files = this.#files
    if (files.size === 0) return
    this.#files = new Map()
    try {
      await each([...files.keys()], syncFile)
      await each([this.#root, ...new Set(files.values())], syncFolder)
    } catch (error) {
      // They are still to be synced.
      this.#files = new Map([...files, ...this.#files])
      throw error
    }
  }
}

async function each<T> (items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values()
  await Promise.all(Array.from({ length: together }, async () => { for (const item of left) await work(item) }))
}

/** What was removed meanwhile needs nothing. */
async function syncFile (file: string): Promise<void> {
  try {
    const handle = await open(file, 'r+')
    try { await handle.datasync() } finally { await handle.close() }
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}
