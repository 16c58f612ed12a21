/** Small file helpers that several files of this room share. */
import { randomBytes } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { errorText } from '../src/component.ts'
import { InvalidConfigError } from '../src/errors.ts'

/** `ENOENT`, `EACCES`… of a failed system call. */
export const codeOf = (error: unknown): string | undefined => error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** The text of a file; undefined when there is none. */
export async function readIfThere (path: string): Promise<string | undefined> {
  try { return await readFile(path, 'utf8') } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** The text of a file that the configuration names under this key. Throws InvalidConfigError where it cannot be read. */
export async function readNamed (path: string, key: string): Promise<string> {
  try { return await readFile(path, 'utf8') } catch (error) { throw new InvalidConfigError(key, errorText(error), { cause: error }) }
}

/** Replaces a file as a whole: a reader, or a crash, sees the old text or the new one. */
export async function writeWhole (path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx', mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally { await file.close() }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
