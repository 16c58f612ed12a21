/** The roots of the DAG: merged blocks that no merged block links to (wire.md §3.6). Pure. */
import type { DeltaBlock } from './block.ts'
import type { CID } from 'multiformats/cid'
import { compareBytes } from '../bytes.ts'

export interface Head {
  readonly cid: CID
  /** Its block's priority. */
  readonly height: number
}

/** By block id. */
export type Heads = ReadonlyMap<string, Head>

/** Heads after these blocks are merged, given by id; `isWanted` tells the blocks that a merged block already links to. */
export function advanceHeads (heads: Heads, blocks: readonly DeltaBlock[], idOf: (cid: CID) => string, isWanted: (id: string) => boolean): Heads {
  const next = new Map(heads)
  for (const block of blocks) if (!isWanted(block.id)) next.set(block.id, { cid: block.cid, height: block.delta.priority })
  for (const block of blocks) for (const link of block.links) next.delete(idOf(link))
  return next
}

/** Priority of a new block on top of these heads: one more than the highest. */
export const nextPriority = (heads: Heads): number => 1 + [...heads.values()].reduce((most, { height }) => Math.max(most, height), 0)

/** In the order that blocks link them and broadcasts list them. */
export const sortedHeads = (heads: Heads): readonly Head[] => [...heads.values()].sort((one, other) => compareBytes(one.cid.bytes, other.cid.bytes))
