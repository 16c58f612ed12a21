/** Cumulative size of a block and what it links to, in bytes, as its links tell it. */
import * as dagPb from '@ipld/dag-pb'
import type { Block } from '../ipfs/ipfs.ts'

export function linkedSize ({ cid, bytes }: Block): bigint {
  if (cid.code !== dagPb.code) return BigInt(bytes.length)
  try {
    return dagPb.decode(bytes).Links.reduce((size, { Tsize }) => size + BigInt(Tsize ?? 0), BigInt(bytes.length))
  } catch {
    // Only a hint for the receiver, who decides what to do with a block that does not parse.
    return BigInt(bytes.length)
  }
}
