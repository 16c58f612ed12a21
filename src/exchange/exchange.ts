/** Fetching blocks from other members. Two of them exist side by side and never share a store: CRDT blocks (bitswap, also with Go) and user content (our own protocol). */
import type { AbortOptions, Startable } from '../component.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

/** Blocks that this peer can serve; reads never touch the network. */
export interface LocalBlocks {
  get: (cid: CID, options?: AbortOptions) => Promise<Uint8Array | undefined>
}

export interface FetchOptions extends AbortOptions {
  /** Members to ask first. */
  from?: readonly PeerId[] | undefined
  /** Reject with a BlockNotFoundError as soon as every connected member has said that it lacks the block. @default wait until one has it */
  onlyNow?: boolean | undefined
}

export interface BlockExchange extends Startable {
  /** Bytes that hash to `cid`, from any connected member; rejects when the signal fires. */
  fetch: (cid: CID, options?: FetchOptions) => Promise<Uint8Array>
  /** The block is in the store now: members that asked for it earlier get it at once instead of when they ask again. */
  offer?: (cid: CID) => void
}
