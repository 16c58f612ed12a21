/** Reads back what the cluster keeps: files with ranges, directories (sharded ones too), symbolic links. */
import { fileContent } from './file-content.ts'
import { parsePath, resolvePath } from './resolve.ts'
import { unixFsNode } from './unixfs-node.ts'
import type { FolderLink, UnixFsNode } from './unixfs-node.ts'
import type { BlockGet } from './resolve.ts'
import type { ContentNode } from '../cluster/cluster.ts'
import type { AbortOptions } from '../component.ts'
import * as raw from 'multiformats/codecs/raw'
import type { CID } from 'multiformats/cid'

type Directory = Extract<ContentNode, { readonly kind: 'directory' }>
type DirectoryEntry = Directory extends { readonly entries: () => AsyncIterable<infer Entry> } ? Entry : never

/** Entries whose kind is looked up at the same time. */
const lookAhead = 16

/** What is at `/ipfs/<cid>[/path]`; an error named NotFoundError where there is nothing. */
export async function readContent (path: string, blockGet: BlockGet, options: AbortOptions = {}): Promise<ContentNode> {
  const cid = await resolvePath(path, blockGet, options)
  const name = parsePath(path).segments.at(-1) ?? cid.toString()
  const node = unixFsNode(cid, await blockGet(cid, options))
  switch (node.kind) {
    case 'symlink': return { kind: 'symlink', cid, name, target: node.target }
    case 'directory':
    case 'shard': return { kind: 'directory', cid, name, entries: () => entriesOf(node, blockGet, options) }
    default: {
      const size = node.kind === 'raw' ? BigInt(node.bytes.length) : node.size
      return { kind: 'file', cid, name, size, content: (range) => fileContent({ cid, size }, { start: range?.offset ?? 0n, end: range === undefined ? size : range.offset + range.length }, blockGet, options) }
    }
  }
}

async function * entriesOf (node: Extract<UnixFsNode, { readonly kind: 'directory' | 'shard' }>, blockGet: BlockGet, options: AbortOptions): AsyncGenerator<DirectoryEntry> {
  const waiting: Array<Promise<DirectoryEntry>> = []
  for await (const link of linksOf(node, blockGet, options)) {
    const entry = kindOf(link.cid, blockGet, options).then((kind) => ({ ...link, kind }))
    entry.catch(() => {})
    waiting.push(entry)
    if (waiting.length < lookAhead) continue
    const next = await waiting.shift()
    if (next !== undefined) yield next
  }
  for (const entry of waiting) yield await entry
}

/** Depth first, without recursion: how deep a shard goes is up to who made it. */
async function * linksOf (root: Extract<UnixFsNode, { readonly kind: 'directory' | 'shard' }>, blockGet: BlockGet, options: AbortOptions): AsyncGenerator<FolderLink> {
  if (root.kind === 'directory') {
    yield * root.links
    return
  }
  const stack = root.links.toReversed()
  for (let link = stack.pop(); link !== undefined; link = stack.pop()) {
    if (link.name.length > root.prefixLength) {
      yield { ...link, name: link.name.slice(root.prefixLength) }
      continue
    }
    const shard = unixFsNode(link.cid, await blockGet(link.cid, options))
    if (shard.kind === 'shard') stack.push(...shard.links.toReversed())
  }
}

/** A block that cannot be had or read hides only its own kind. */
async function kindOf (cid: CID, blockGet: BlockGet, options: AbortOptions): Promise<DirectoryEntry['kind']> {
  if (cid.code === raw.code) return 'raw'
  try {
    const { kind } = unixFsNode(cid, await blockGet(cid, options))
    return kind === 'shard' ? 'directory' : kind === 'raw' ? 'file' : kind
  } catch {
    options.signal?.throwIfAborted()
    return 'file'
  }
}
