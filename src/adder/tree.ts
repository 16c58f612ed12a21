/** The directories of what is added, kept until everything below them is known. */
import { InvalidValueError } from '../errors.ts'
import { putDirectory } from './directory.ts'
import type { Linked, PutBlock } from './directory.ts'

type Folder = Map<string, Linked | Folder>

/** A finished directory. */
export interface PutFolder extends Linked { readonly path: string }

const maxDepth = 512

/** The names in a path; empty ones and `.` mean nothing, `..` and NUL are refused. */
export function segmentsOf (path: string): readonly string[] {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.')
  if (segments.includes('..') || path.includes('\0')) throw new InvalidValueError('path', `${JSON.stringify(path)} is not a path below the root`)
  if (segments.length > maxDepth) throw new InvalidValueError('path', `more than ${maxDepth} folders deep`)
  return segments
}

export class DirectoryTree {
  readonly #root: Folder = new Map()

  #folder (segments: readonly string[]): Folder {
    let folder = this.#root
    for (const segment of segments) {
      const found = folder.get(segment)
      if (found !== undefined && !(found instanceof Map)) throw new InvalidValueError('path', `${segments.join('/')} is a file and a folder`)
      const next: Folder = found ?? new Map()
      if (found === undefined) folder.set(segment, next)
      folder = next
    }
    return folder
  }

  addFolder (segments: readonly string[]): void { this.#folder(segments) }

  /** One that comes again replaces the first. */
  addFile (segments: readonly string[], linked: Linked): void {
    const name = segments.at(-1)
    if (name === undefined) throw new InvalidValueError('path', 'a file needs a name')
    const folder = this.#folder(segments.slice(0, -1))
    if (folder.get(name) instanceof Map) throw new InvalidValueError('path', `${segments.join('/')} is a file and a folder`)
    folder.set(name, { cid: linked.cid, size: linked.size })
  }

  /** Stores all directories, those below first, by name; the root itself, with an empty path, only where it is wanted. */
  async * put (put: PutBlock, cidVersion: 0 | 1, withRoot: boolean): AsyncGenerator<PutFolder> {
    if (withRoot) yield * putFolder(this.#root, '', put, cidVersion)
    else for (const [name, entry] of this.#root) if (entry instanceof Map) yield * putFolder(entry, name, put, cidVersion)
  }
}

/** The last one is the folder itself. */
async function * putFolder (folder: Folder, path: string, put: PutBlock, cidVersion: 0 | 1): AsyncGenerator<PutFolder> {
  const entries = new Map<string, Linked>()
  for (const name of [...folder.keys()].sort()) {
    const entry = folder.get(name)
    if (entry === undefined) continue
    let linked: Linked | undefined = entry instanceof Map ? undefined : entry
    if (entry instanceof Map) {
      for await (const below of putFolder(entry, path === '' ? name : `${path}/${name}`, put, cidVersion)) {
        yield below
        linked = below
      }
    }
    if (linked !== undefined) entries.set(name, linked)
  }
  yield { path, ...await putDirectory(entries, put, cidVersion) }
}
