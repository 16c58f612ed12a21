/** What a peer is made of, and what its user chooses. */
import type { AbortOptions, Clock, ComponentLogger, Logger, Startable } from '../component.ts'
import type { Adder } from '../adder/adder.ts'
import type { Allocator } from '../allocator/allocator.ts'
import type { Consensus, PinsetHooks } from '../consensus/consensus.ts'
import type { InformerFactory } from '../informer/index.ts'
import type { IpfsConnector } from '../ipfs/ipfs.ts'
import type { PingValue } from '../monitor/metric.ts'
import type { Monitor } from '../monitor/monitor.ts'
import type { PubsubMonitorOptions } from '../monitor/pubsub-monitor.ts'
import type { Measures } from '../observations/measures.ts'
import type { Pin, PinOptions } from '../pin/pin.ts'
import type { RpcClient } from '../rpc/rpc.ts'
import type { PinTracker } from '../tracker/tracker.ts'
import type { StatelessTrackerOptions } from '../tracker/stateless.ts'
import type { AddressBook, Transport } from '../transport/transport.ts'
import type { StorageState } from './types.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

/** What the peer hands to its consensus: where changes go, and who is alive. */
export interface ConsensusParts {
  readonly hooks: PinsetHooks
  readonly monitor: Monitor
}

/** What the peer hands to its adder. */
export interface AdderParts {
  readonly self: PeerId
  readonly rpc: RpcClient
  readonly connector: IpfsConnector
  /** Where the blocks go: the allocations, or every peer that is alive (wire.md §6.6). */
  readonly allocate: (options: PinOptions) => readonly PeerId[]
  /** Commits a pin whose allocations are set. */
  readonly pin: (pin: Pin, options?: AbortOptions) => Promise<Pin>
  readonly logger: ComponentLogger
  readonly clock: Clock
}

/** Connects to known members, at the start and whenever there are too few. */
export interface Bootstrapping extends Startable {
  /** The members reached. */
  bootstrap: (options?: AbortOptions) => Promise<readonly PeerId[]>
  /** Keeps these addresses for good. */
  add: (addresses: readonly Multiaddr[], options?: AbortOptions) => Promise<void>
}

export interface PeerComponents {
  readonly transport: Transport
  readonly connector: IpfsConnector
  /** What keeps the content, and whether the browser promised to keep it. @default helia */
  readonly contentStore?: { readonly kind: StorageState['kind'], readonly persisted?: (() => Promise<boolean>) | undefined } | undefined
  /** Made by the peer, because its hooks end in the peer's tracker. */
  readonly consensus: (parts: ConsensusParts) => Consensus
  readonly informers: readonly InformerFactory[]
  /** @default balanced by `tag:group` and `freespace` */
  readonly allocator?: Allocator | undefined
  /** Finds the way to members that are known from before. @default nobody is looked for */
  readonly bootstrap?: Bootstrapping | undefined
  /** Where a light peer keeps what members tell it of others. @default it does not ask */
  readonly addressBook?: Pick<AddressBook, 'remember'> | undefined
  readonly adder: (parts: AdderParts) => Adder
  /** Started after the transport and stopped before it: block exchanges, for instance. */
  readonly services?: readonly Startable[] | undefined
  /** What this peer counts of its work; what its connector and consensus count is theirs to be given. @default nobody reads them */
  readonly measures?: Measures | undefined
  readonly clock?: Clock | undefined
  readonly logger?: ComponentLogger | undefined
  /** In [0, 1). @default Math.random */
  readonly random?: (() => number) | undefined
}

/** Options of a peer; the names are those of the `cluster` section (config.md §3). Times in ms. */
export interface PeerOptions {
  readonly peername: string
  /** @default -1 */
  readonly replicationFactorMin?: number | undefined
  /** @default -1 */
  readonly replicationFactorMax?: number | undefined
  /** @default 300_000 */
  readonly stateSyncInterval?: number | undefined
  /** @default 720_000 */
  readonly pinRecoverInterval?: number | undefined
  /** @default 15_000 */
  readonly monitorPingInterval?: number | undefined
  /** @default false */
  readonly pinOnlyOnTrustedPeers?: boolean | undefined
  /** @default false */
  readonly pinOnlyOnUntrustedPeers?: boolean | undefined
  /** @default true */
  readonly disableRepinning?: boolean | undefined
  /** Pins may be allocated to light peers (browser tabs), and count there. @default false */
  readonly allowLightPeers?: boolean | undefined
  /** @default false */
  readonly followerMode?: boolean | undefined
  /** After this the IPFS is connected to those of the members; 0 = never. @default 30_000 */
  readonly connectSwarmsDelay?: number | undefined
  /** Publish the informers' metrics after every so many pins, unpins and blocks put; 0 = only by time. @default 0 */
  readonly informerTriggerInterval?: number | undefined
  /** Least time to live of what this peer publishes of itself, in ms; asked each time: a page whose timers are slowed down needs more. @default () => 0 */
  readonly leastMetricTtl?: (() => number) | undefined
  /** This peer is light (a browser tab): nobody counts on it, and of what is pinned everywhere it keeps as much as it can, or nothing. @default it is not */
  readonly lightPeer?: { readonly keepEverywhere: boolean } | undefined
  readonly tracker?: Omit<StatelessTrackerOptions, 'light'> | undefined
  readonly monitor?: PubsubMonitorOptions | undefined
}

export const defaultPeerOptions = {
  replicationFactorMin: -1,
  replicationFactorMax: -1,
  stateSyncInterval: 300_000,
  pinRecoverInterval: 720_000,
  monitorPingInterval: 15_000,
  pinOnlyOnTrustedPeers: false,
  pinOnlyOnUntrustedPeers: false,
  disableRepinning: true,
  allowLightPeers: false,
  followerMode: false,
  connectSwarmsDelay: 30_000,
  informerTriggerInterval: 0,
  leastMetricTtl: (): number => 0
} as const satisfies Omit<PeerOptions, 'peername' | 'tracker' | 'monitor' | 'lightPeer'>

export type ResolvedPeerOptions = Pick<PeerOptions, 'lightPeer'> & { readonly [Key in Exclude<keyof PeerOptions, 'lightPeer'>]-?: Exclude<PeerOptions[Key], undefined> }

/** Options with every default filled in; undefined counts as absent. */
export function resolveOptions (options: PeerOptions): ResolvedPeerOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<ResolvedPeerOptions>
  return { tracker: {}, monitor: {}, ...defaultPeerOptions, peername: options.peername, ...given }
}

/** The parts of a running peer, as the files of this room share them. */
export interface PeerContext {
  readonly self: PeerId
  readonly options: ResolvedPeerOptions
  readonly transport: Transport
  readonly connector: IpfsConnector
  readonly consensus: Consensus
  readonly monitor: Monitor
  readonly tracker: PinTracker
  readonly allocator: Allocator
  readonly rpc: RpcClient
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
  /** What this peer tells of itself in its pings. */
  readonly identity: () => PingValue
}
