/** What a block is in UnixFS terms. Blocks that are no UnixFS are files of their own bytes. */
import { DecodeError } from '../errors.ts'
import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import type { CID } from 'multiformats/cid'

/** A part of a file: `size` bytes of its content below `cid`. */
export interface FilePart { readonly cid: CID, readonly size: bigint }
export interface FolderLink { readonly name: string, readonly cid: CID, readonly size: bigint }

export type UnixFsNode =
  | { readonly kind: 'raw', readonly bytes: Uint8Array }
  | { readonly kind: 'file', readonly size: bigint, readonly bytes: Uint8Array, readonly parts: readonly FilePart[] }
  | { readonly kind: 'directory', readonly links: readonly FolderLink[] }
  /** Names begin with `prefixLength` digits; a name of only those is a further shard. */
  | { readonly kind: 'shard', readonly prefixLength: number, readonly links: readonly FolderLink[] }
  | { readonly kind: 'symlink', readonly target: string }

const linksIn = (node: dagPb.PBNode): readonly FolderLink[] => node.Links.map(({ Name = '', Tsize = 0, Hash }) => ({ name: Name, cid: Hash, size: BigInt(Tsize) }))

function decodeUnixFs (cid: CID, bytes: Uint8Array): { readonly node: dagPb.PBNode, readonly unixfs: UnixFS } | undefined {
  let node: dagPb.PBNode
  try {
    node = dagPb.decode(bytes)
  } catch (error) {
    throw new DecodeError(`block ${cid} does not parse`, { cause: error })
  }
  if (node.Data === undefined) return undefined
  try {
    return { node, unixfs: UnixFS.unmarshal(node.Data) }
  } catch {
    return undefined
  }
}

/** DecodeError at what claims to be UnixFS and is not. */
export function unixFsNode (cid: CID, bytes: Uint8Array): UnixFsNode {
  const decoded = cid.code === dagPb.code ? decodeUnixFs(cid, bytes) : undefined
  if (decoded === undefined) return { kind: 'raw', bytes }
  const { node, unixfs } = decoded
  switch (unixfs.type) {
    case 'directory': return { kind: 'directory', links: linksIn(node) }
    case 'hamt-sharded-directory': return { kind: 'shard', prefixLength: ((unixfs.fanout ?? 256n) - 1n).toString(16).length, links: linksIn(node) }
    case 'symlink': return { kind: 'symlink', target: new TextDecoder().decode(unixfs.data) }
    case 'metadata': return { kind: 'raw', bytes }
    default: return file(cid, node, unixfs)
  }
}

function file (cid: CID, node: dagPb.PBNode, unixfs: UnixFS): UnixFsNode {
  if (node.Links.length !== unixfs.blockSizes.length) throw new DecodeError(`block ${cid}: sizes and links do not agree`)
  const parts = node.Links.map(({ Hash }, index) => ({ cid: Hash, size: unixfs.blockSizes[index] ?? 0n }))
  const bytes = unixfs.data ?? new Uint8Array()
  return { kind: 'file', bytes, parts, size: parts.reduce((size, part) => size + part.size, BigInt(bytes.length)) }
}
