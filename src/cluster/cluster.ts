/** The peer as its users see it: REST routes, the library doors and RPC handlers all stand on this interface. */
import type { AbortOptions } from '../component.ts'
import type { AddEntry, Added, AddOptions } from '../adder/adder.ts'
import type { PinsFilter } from '../consensus/consensus.ts'
import type { Alert, Metric } from '../monitor/metric.ts'
import type { GlobalPinInfo, PinInfo } from '../pin/pin-info.ts'
import type { Pin, PinOptions } from '../pin/pin.ts'
import type { StatusFilter } from '../pin/status.ts'
import type { PinProgress } from '../tracker/tracker.ts'
import type { Bandwidth, ConnectGraph, PeerInfo, RepoGc, StorageState, SyncState } from './types.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { CID } from 'multiformats/cid'

/** A file, or a directory listing, below a CID that the cluster keeps. */
export type ContentNode =
  | { readonly kind: 'file', readonly cid: CID, readonly name: string, readonly size: bigint, readonly content: (range?: { readonly offset: bigint, readonly length: bigint }) => AsyncIterable<Uint8Array> }
  | { readonly kind: 'directory', readonly cid: CID, readonly name: string, readonly entries: () => AsyncIterable<{ readonly name: string, readonly cid: CID, readonly size: bigint, readonly kind: 'file' | 'directory' | 'symlink' | 'raw' }> }
  | { readonly kind: 'symlink', readonly cid: CID, readonly name: string, readonly target: string }

export interface ClusterEvents {
  'pin:added': CustomEvent<Pin>
  'pin:removed': CustomEvent<CID>
  'status:changed': CustomEvent<PinInfo>
  'pin:progressed': CustomEvent<PinProgress>
  'peer:connected': CustomEvent<PeerId>
  'peer:disconnected': CustomEvent<PeerId>
  'alert:raised': CustomEvent<Alert>
  /** At most a few times a second while something changes. */
  'sync:progressed': CustomEvent<SyncState>
}

/** Scope of a status or recover call. @default false: the whole cluster */
export interface LocalOptions extends AbortOptions { readonly local?: boolean | undefined }

export interface Cluster {
  readonly peerId: PeerId
  /** This peer, with its live IPFS identity. */
  id: (options?: AbortOptions) => Promise<PeerInfo>
  /** `1.1.6+pinswarm.<version>` */
  version: () => string
  /** Every member, as it answers (15 s for all). */
  peers: (options?: AbortOptions) => AsyncIterable<PeerInfo>
  peerAdd: (peer: PeerId, options?: AbortOptions) => Promise<PeerInfo>
  peerRemove: (peer: PeerId, options?: AbortOptions) => Promise<void>
  /** Become a member through a peer that is one (wire.md §6.2). */
  join: (address: Multiaddr, options?: AbortOptions) => Promise<void>

  /** Pin, or update the options of a pin. Returns the pin as built. */
  pin: (cid: CID, options?: Partial<PinOptions>, abort?: AbortOptions) => Promise<Pin>
  /** Pins what an /ipfs/, /ipns/ or /ipld/ path resolves to. */
  pinPath: (path: string, options?: Partial<PinOptions>, abort?: AbortOptions) => Promise<Pin>
  /** Returns the removed pin; PinNotFoundError when there is none. */
  unpin: (cid: CID, options?: AbortOptions) => Promise<Pin>
  unpinPath: (path: string, options?: AbortOptions) => Promise<Pin>
  /** PinNotFoundError when it is not in the pinset. */
  pinGet: (cid: CID, options?: AbortOptions) => Promise<Pin>
  pins: (filter?: PinsFilter) => AsyncIterable<Pin>
  /** Pre-serialised REST lines of the pinset, in chunks. */
  pinLines: (filter?: PinsFilter) => AsyncIterable<readonly Uint8Array[]>
  pinCount: () => number

  status: (cid: CID, options?: LocalOptions) => Promise<GlobalPinInfo>
  statusAll: (filter: StatusFilter, options?: LocalOptions) => AsyncIterable<GlobalPinInfo>
  /** The same as lines of JSON (rest-api.md §3.2), without ends, in chunks: for listings of millions. */
  statusLines: (filter: StatusFilter, options?: LocalOptions) => AsyncIterable<readonly string[]>
  /** With `local` an unknown CID is PinNotFoundError; without, everybody says `unpinned`. */
  recover: (cid: CID, options?: LocalOptions) => Promise<GlobalPinInfo>
  recoverAll: (options?: LocalOptions) => AsyncIterable<GlobalPinInfo>

  add: (entries: AsyncIterable<AddEntry>, options: AddOptions) => AsyncIterable<Added>
  /** Reads content back: /ipfs/<cid>[/path]. */
  content: (path: string, options?: AbortOptions) => Promise<ContentNode>

  graph: (options?: AbortOptions) => Promise<ConnectGraph>
  alerts: () => readonly Alert[]
  sync: () => SyncState
  storage: (options?: AbortOptions) => Promise<StorageState>
  bandwidth: () => ReadonlyMap<string, Bandwidth>
  metricNames: () => readonly string[]
  metrics: (name: string) => readonly Metric[]
  repoGc: (options?: LocalOptions) => Promise<ReadonlyMap<string, RepoGc>>

  addEventListener: <K extends keyof ClusterEvents>(type: K, listener: (event: ClusterEvents[K]) => void) => void
  removeEventListener: <K extends keyof ClusterEvents>(type: K, listener: (event: ClusterEvents[K]) => void) => void
}
