/** Blocks for programs that run outside the test runner. */
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import type { Block, IpfsConnector } from '../../src/ipfs/ipfs.ts'

export async function writerBlock (index: number): Promise<Block> {
  const bytes = new TextEncoder().encode(`written ${index} `.repeat(1000))
  return { cid: CID.createV1(raw.code, await sha256.digest(bytes)), bytes }
}

export async function putAll (ipfs: IpfsConnector, block: Block): Promise<void> {
  const stored = ipfs.blockPutStream((async function * () { yield block })())
  while ((await stored[Symbol.asyncIterator]().next()).done !== true) { /* until all are stored */ }
}
