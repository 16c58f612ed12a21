/** Paths below a CID, resolved block by block: `/ipfs/<cid>/a/b` and `/ipld/<cid>/a/b`. */
import { InvalidValueError } from '../errors.ts'
import { walkPath } from 'ipfs-unixfs-exporter'
import { CID } from 'multiformats/cid'
import type { AbortOptions } from '../component.ts'
import type { ReadableStorage } from 'ipfs-unixfs-exporter'

export type BlockGet = (cid: CID, options: AbortOptions) => Promise<Uint8Array>

/** What the UnixFS exporter reads from. */
export const readableFrom = (blockGet: BlockGet): ReadableStorage => ({
  get: async function * (cid: CID, options: AbortOptions = {}) { yield await blockGet(cid, options) }
})

/** A path that names nothing; the REST API answers 404. */
export class PathNotFoundError extends Error {
  /** The name that UnixFS exporters use too. */
  override name = 'NotFoundError'
  constructor (path: string, options?: ErrorOptions) { super(`${path} was not found`, options) }
}

/** The root and the segments of a path; `/ipfs/`, `/ipld/` or a bare CID in front. */
export function parsePath (path: string): { readonly root: CID, readonly segments: readonly string[] } {
  const [first = '', ...rest] = path.split('/').filter((segment) => segment !== '')
  if (first === 'ipns') throw new InvalidValueError('path', `${path}: only a kubo resolves IPNS names`)
  const [root = '', ...segments] = first === 'ipfs' || first === 'ipld' ? rest : [first, ...rest]
  try {
    return { root: CID.parse(root), segments }
  } catch (error) {
    throw new InvalidValueError('path', `${path} does not begin with a CID`, { cause: error })
  }
}

/** The CID at the end of a path; PathNotFoundError where there is none. */
export async function resolvePath (path: string, blockGet: BlockGet, options: AbortOptions = {}): Promise<CID> {
  const { root, segments } = parsePath(path)
  if (segments.length === 0) return root
  let cid = root
  let remainder: readonly string[] = segments
  try {
    for await (const entry of walkPath(`${root}/${segments.join('/')}`, readableFrom(blockGet), options.signal === undefined ? {} : { signal: options.signal })) {
      cid = entry.cid
      remainder = entry.remainder
    }
  } catch (error) {
    if (error instanceof Error && ['NotFoundError', 'BadPathError', 'NotUnixFSError', 'NoResolverError'].includes(error.name)) throw new PathNotFoundError(path, { cause: error })
    throw error
  }
  // A path that goes on inside a file, or ends inside an object, leaves segments over.
  if (remainder.length > 0) throw new PathNotFoundError(path)
  return cid
}
