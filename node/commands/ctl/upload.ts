/** Files and directories of the disk as entries of an upload, read as they are taken. */
import { createReadStream } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { UsageError } from './command.ts'
import type { UploadEntry } from '../../../src/api/multipart/writer.ts'
import type { Stats } from 'node:fs'

export interface WalkOptions {
  readonly recursive: boolean
  /** Also names that begin with a dot, inside directories. */
  readonly hidden: boolean
}

const isUrl = (path: string): boolean => /^https?:\/\//i.test(path)

async function statOf (path: string): Promise<Stats> {
  try { return await lstat(path) } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    throw new UsageError(`error : lstat ${path}: ${code === 'ENOENT' ? 'no such file or directory' : code === 'EACCES' ? 'permission denied' : String(code)}`, { cause })
  }
}

async function * below (path: string, name: string, options: WalkOptions): AsyncGenerator<UploadEntry> {
  const stats = await statOf(path)
  if (stats.isSymbolicLink()) yield { kind: 'symlink', path: name, target: await readlink(path) }
  else if (stats.isFile()) yield { kind: 'file', path: name, content: createReadStream(path, { highWaterMark: 262_144 }) }
  else if (stats.isDirectory()) {
    yield { kind: 'directory', path: name }
    for (const child of (await readdir(path)).toSorted((a, b) => a < b ? -1 : 1)) {
      if (options.hidden || !child.startsWith('.')) yield * below(join(path, child), `${name}/${child}`, options)
    }
  } else throw new UsageError(`error : ${path} is neither a file nor a directory`)
}

async function * bytesOf (stream: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> { if (stream !== null) yield * stream }

async function fromUrl (url: string, signal: AbortSignal): Promise<UploadEntry> {
  const response = await fetch(url, { signal })
  if (!response.ok) throw new UsageError(`error : ${url} answered ${response.status}`)
  return { kind: 'file', path: basename(new URL(url).pathname) || new URL(url).hostname, content: bytesOf(response.body) }
}

/** Refuses before anything is sent what cannot be added. */
export async function checkPaths (paths: readonly string[], options: WalkOptions): Promise<void> {
  for (const path of paths) {
    if (path === '-' || isUrl(path)) continue
    if ((await statOf(path)).isDirectory() && !options.recursive) throw new UsageError(`error : ${path} is a directory, but Recursive option is not set`)
  }
}

/** The entries of all paths; `-` is stdin, under the given name. */
export async function * entriesOf (paths: readonly string[], stdinName: string, options: WalkOptions, signal: AbortSignal): AsyncGenerator<UploadEntry> {
  for (const path of paths) {
    if (path === '-') yield { kind: 'file', path: stdinName, content: process.stdin as AsyncIterable<Uint8Array> }
    else if (isUrl(path)) yield await fromUrl(path, signal)
    else yield * below(path, basename(resolve(path)), options)
  }
}

/** Bytes of all files; undefined when some are not on disk. */
export async function sizeOf (paths: readonly string[], options: WalkOptions): Promise<number | undefined> {
  if (paths.some((path) => path === '-' || isUrl(path))) return undefined
  let size = 0
  const count = async (path: string): Promise<void> => {
    const stats = await statOf(path)
    if (stats.isFile()) size += stats.size
    if (stats.isDirectory()) for (const child of await readdir(path)) if (options.hidden || !child.startsWith('.')) await count(join(path, child))
  }
  for (const path of paths) await count(path)
  return size
}
