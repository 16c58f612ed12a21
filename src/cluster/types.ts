/** Values a peer tells about itself and its cluster (wire.md §5.3, rest-api.md §3.4 and §3.5). */
import type { CID } from 'multiformats/cid'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { PeerId } from '@libp2p/interface'

/** Identity of the IPFS behind a peer. `error` is empty when it answered. */
export interface IpfsId {
  readonly id?: PeerId | undefined
  readonly addresses: readonly Multiaddr[]
  readonly error: string
}

/** A peer as `id` and `peers ls` show it. A peer that did not answer has only `id` and `error`. */
export interface PeerInfo {
  readonly id: PeerId
  readonly addresses: readonly Multiaddr[]
  /** Its peerset, itself included. */
  readonly clusterPeers: readonly PeerId[]
  readonly clusterPeersAddresses: readonly Multiaddr[]
  readonly version: string
  readonly commit: string
  readonly rpcProtocolVersion: string
  readonly error: string
  readonly ipfs?: IpfsId | undefined
  readonly peerName: string
  /** A browser tab, which may vanish at any moment: its copies are not durable. @default false */
  readonly light?: boolean | undefined
}

export interface ConnectGraph {
  readonly clusterId: PeerId
  readonly idToPeerName: ReadonlyMap<string, string>
  /** IPFS id to the IPFS ids it is connected to. */
  readonly ipfsLinks: ReadonlyMap<string, readonly PeerId[]>
  /** Cluster id to the members it sees; every id inside is also a key (rest-api.md §3.5). */
  readonly clusterLinks: ReadonlyMap<string, readonly PeerId[]>
  readonly clusterTrustLinks: ReadonlyMap<string, boolean>
  readonly clusterToIpfs: ReadonlyMap<string, PeerId>
}

export interface RepoStat {
  /** Bytes. */
  readonly repoSize: bigint
  /** Bytes. */
  readonly storageMax: bigint
}

export interface RepoGcKey { readonly key?: CID | undefined, readonly error: string }
export interface RepoGc {
  readonly peer: PeerId
  readonly peerName: string
  readonly keys: readonly RepoGcKey[]
  readonly error: string
}

export interface Bandwidth { readonly totalIn: bigint, readonly totalOut: bigint, readonly rateIn: number, readonly rateOut: number }

/** How far the pinset here has come, and what is still to do. Counts. */
export interface SyncState {
  /** Heads of the DAG here. */
  readonly heads: number
  /** Priority of the highest head. */
  readonly height: number
  /** Blocks of the DAG that are merged here. */
  readonly synced: number
  /** Blocks known to exist: merged ones and those still to fetch. `synced === known` where nothing is missing. */
  readonly known: number
  /** Blocks that are fetched now, or next. */
  readonly queue: number
  /** Blocks missing below merged ones. */
  readonly wanted: number
  /** Blocks are missing, or the store was marked to be looked through. */
  readonly dirty: boolean
  readonly pins: number
  readonly pinQueued: number
  readonly pinning: number
  readonly pinError: number
}

/** Where the content of this peer lies and what room it has. */
export interface StorageState extends RepoStat {
  /** `helia`: the embedded store, `kubo`: a kubo of this peer, `tab`: the browser's storage. */
  readonly kind: 'helia' | 'kubo' | 'tab'
  /** The browser promised not to evict it; undefined where nothing evicts. */
  readonly persisted?: boolean | undefined
}

export const rpcProtocol = '/ipfscluster/1.0/rpc'
