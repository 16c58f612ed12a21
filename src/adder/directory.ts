/** UnixFS directories as Go builds them: flat, or a HAMT once names and CIDs take more than 256 KiB. */
import * as dagPb from '@ipld/dag-pb'
import { murmur3128 } from '@multiformats/murmur3'
import { Bucket, createHAMT } from 'hamt-sharding'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import type { Block } from '../ipfs/ipfs.ts'
import type { PBLink } from '@ipld/dag-pb'

/** What a directory links to; `size` is cumulative, in bytes. */
export interface Linked { readonly cid: CID, readonly size: number }
export type PutBlock = (block: Block) => Promise<void>

const shardingSize = 256 * 1024
const fanoutBits = 8
const murmur3Code = 0x22n
const utf8 = new TextEncoder()

async function putNode (put: PutBlock, unixfs: UnixFS, links: readonly PBLink[], cidVersion: 0 | 1): Promise<Linked> {
  const bytes = dagPb.encode(dagPb.prepare({ Data: unixfs.marshal(), Links: [...links] }))
  const digest = await sha256.digest(bytes)
  const cid = cidVersion === 0 ? CID.createV0(digest) : CID.createV1(dagPb.code, digest)
  await put({ cid, bytes })
  return { cid, size: links.reduce((size, { Tsize }) => size + (Tsize ?? 0), bytes.length) }
}

/** Stores the directory's blocks and returns its root. */
export async function putDirectory (entries: ReadonlyMap<string, Linked>, put: PutBlock, cidVersion: 0 | 1): Promise<Linked> {
  let estimate = 0
  for (const [name, { cid }] of entries) estimate += utf8.encode(name).length + cid.bytes.length
  if (estimate > shardingSize) return await putSharded(entries, put, cidVersion)
  const links = [...entries].map(([Name, { cid, size }]) => ({ Name, Tsize: size, Hash: cid }))
  return await putNode(put, new UnixFS({ type: 'directory' }), links, cidVersion)
}

/** Go uses the first 64 of 128 bits, reversed. */
const hashName = async (name: Uint8Array): Promise<Uint8Array> => (await murmur3128.encode(name)).slice(0, 8).reverse()

async function putSharded (entries: ReadonlyMap<string, Linked>, put: PutBlock, cidVersion: 0 | 1): Promise<Linked> {
  const root = createHAMT<Linked>({ hashFn: hashName, bits: fanoutBits })
  for (const [name, linked] of entries) await root.put(name, linked)
  return await putShard(root, put, cidVersion)
}

async function putShard (bucket: Bucket<Linked>, put: PutBlock, cidVersion: 0 | 1): Promise<Linked> {
  const digits = (bucket.tableSize() - 1).toString(16).length
  const links: PBLink[] = []
  for (let index = 0; index < bucket.tableSize(); index++) {
    const child = bucket._children.get(index)
    if (child == null) continue
    const prefix = index.toString(16).toUpperCase().padStart(digits, '0')
    const { cid, size } = child instanceof Bucket ? await putShard(child, put, cidVersion) : child.value
    links.push({ Name: child instanceof Bucket ? prefix : prefix + child.key, Tsize: size, Hash: cid })
  }
  const unixfs = new UnixFS({ type: 'hamt-sharded-directory', data: Uint8Array.from(bucket._children.bitField().reverse()), fanout: BigInt(bucket.tableSize()), hashType: murmur3Code })
  return await putNode(put, unixfs, links, cidVersion)
}
