/** How a peer drives its IPFS: kubo over HTTP, the embedded Helia store, or memory for tests. */
import type { AbortOptions, Startable } from '../component.ts'
import type { IpfsId, RepoGcKey, RepoStat } from '../cluster/types.ts'
import type { Pin } from '../pin/pin.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { CID } from 'multiformats/cid'

/** What the IPFS says of one CID (wire.md §5.3, IPFSPinStatus). */
export type IpfsPinStatus = 'recursive' | 'direct' | 'indirect' | 'unpinned'

export interface Block { readonly cid: CID, readonly bytes: Uint8Array }

export interface PinProgressOptions extends AbortOptions {
  /** Blocks (and bytes, where known) fetched so far; each call counts as progress for the pin timeout. */
  onProgress?: ((blocks: number, bytes?: number) => void) | undefined
}

export interface GcOptions extends AbortOptions {
  /** Leave alone what was put a moment ago, where the IPFS knows: for collections that nobody asked for. @default false */
  keepRecent?: boolean | undefined
}

export interface IpfsConnector extends Startable {
  /** Live identity; rejects when the IPFS does not answer. */
  id: (options?: AbortOptions) => Promise<IpfsId>
  /** Pins to the pin's depth. Rejects after `pin_timeout` without progress. Already pinned in that mode: does nothing. */
  pin: (pin: Pin, options?: PinProgressOptions) => Promise<void>
  /** Pins these, all of whose content is here, recursively in one call. Rejects soon where some is not, whatever was pinned by then. @default each has to be pinned by itself */
  pinLocal?: ((cids: readonly CID[], options?: AbortOptions) => Promise<void>) | undefined
  /** Not pinned counts as success. */
  unpin: (cid: CID, options?: AbortOptions) => Promise<void>
  /** False only where this CID is certainly not pinned here, told at once: millions of pins that others hold then cost nothing. @default nobody knows */
  mayHold?: (cid: CID) => boolean
  /** Status of one pin, asked in the pin's own mode. */
  pinStatus: (pin: Pin, options?: AbortOptions) => Promise<IpfsPinStatus>
  /** All recursive and direct pins. */
  pins: (options?: AbortOptions) => AsyncIterable<{ readonly cid: CID, readonly status: IpfsPinStatus }>
  /** The same in chunks, by the key of the pin (`cidKey`): for millions of them. @default pins, one by one */
  pinnedKeys?: ((options?: AbortOptions) => AsyncIterable<ReadonlyArray<readonly [key: string, status: IpfsPinStatus]>>) | undefined
  repoStat: (options?: AbortOptions) => Promise<RepoStat>
  repoGc: (options?: GcOptions) => AsyncIterable<RepoGcKey>
  swarmConnect: (addresses: readonly Multiaddr[], options?: AbortOptions) => Promise<void>
  swarmPeers: (options?: AbortOptions) => Promise<readonly PeerId[]>
  /** CID at the end of /ipfs/<cid>/… , /ipns/… or /ipld/… */
  resolve: (path: string, options?: AbortOptions) => Promise<CID>
  /** Stores blocks as they come, with backpressure; yields each CID once it is stored. No GC protection. */
  blockPutStream: (blocks: AsyncIterable<Block>, options?: AbortOptions) => AsyncIterable<CID>
  /** The block from the local repository only; undefined when it is not there. */
  blockGetLocal: (cid: CID, options?: AbortOptions) => Promise<Uint8Array | undefined>
  /** The block from wherever it can be had. */
  blockGet: (cid: CID, options?: AbortOptions) => Promise<Uint8Array>
}
