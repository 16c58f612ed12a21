/** The pin: one CID the cluster must keep, with its options. Values are readonly; times are unix ms. */
import { nilList } from './nil.ts'
import type { CID } from 'multiformats/cid'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { PeerId } from '@libp2p/interface'

/** REST names. On RPC a bit flag, in protobuf its index: see `pinTypes`. */
export type PinType = 'bad-type' | 'pin' | 'meta-pin' | 'clusterdag-pin' | 'shard-pin'

/** Protobuf index by position; the in-memory/RPC flag is `1 << index` (wire.md §3.4). */
export const pinTypes: readonly PinType[] = ['bad-type', 'pin', 'meta-pin', 'clusterdag-pin', 'shard-pin']
export const pinTypeFlag = (type: PinType): number => 1 << pinTypes.indexOf(type)
/** Every real type: pin, meta-pin, clusterdag-pin, shard-pin. */
export const allPinTypes = 30

export type PinMode = 'recursive' | 'direct'

export interface PinOptions {
  /** Fewest peers that must hold the pin; 0 = the cluster's default, -1 = everywhere. */
  readonly replicationFactorMin: number
  /** Most peers that may hold the pin; 0 = the cluster's default, -1 = everywhere. */
  readonly replicationFactorMax: number
  readonly name: string
  readonly mode: PinMode
  /** Bytes; only meaningful for sharded adds. */
  readonly shardSize: number
  /** Peers the user would like to hold it. Request only: not stored. */
  readonly userAllocations: readonly PeerId[]
  /** Unix ms after which the cluster unpins it; undefined = never. */
  readonly expireAt?: number | undefined
  readonly metadata: Readonly<Record<string, string>>
  /** The pin this one replaces the content of. */
  readonly pinUpdate?: CID | undefined
  /** Where the content may be fetched from; each ends in /p2p/<id>. */
  readonly origins: readonly Multiaddr[]
}

export interface Pin extends PinOptions {
  readonly cid: CID
  readonly type: PinType
  /** Peers that hold it; empty = everywhere. */
  readonly allocations: readonly PeerId[]
  /** -1 recursive, 0 direct, 1 or 2 for shards. */
  readonly maxDepth: number
  readonly reference?: CID | undefined
  /** Unix ms (stored with second precision) when it was submitted. */
  readonly timestamp?: number | undefined
}

export const defaultPinOptions: PinOptions = {
  replicationFactorMin: 0, replicationFactorMax: 0, name: '', mode: 'recursive', shardSize: 0, userAllocations: nilList, metadata: {}, origins: nilList
}

export const depthOf = (mode: PinMode): number => mode === 'direct' ? 0 : -1
/** Mode is derived from depth when a pin comes from the state. */
export const modeOf = (maxDepth: number): PinMode => maxDepth === 0 ? 'direct' : 'recursive'

/** A data pin of `cid` with these options. */
export const pinWith = (cid: CID, options: Partial<PinOptions> = {}): Pin => {
  const merged = { ...defaultPinOptions, ...options }
  return { ...merged, cid, type: 'pin', allocations: [], maxDepth: depthOf(merged.mode) }
}

/** Pinned on every peer: both factors are negative (behaviour.md §3). */
export const isEverywhere = (pin: Pick<Pin, 'replicationFactorMin' | 'replicationFactorMax'>): boolean => pin.replicationFactorMin < 0 && pin.replicationFactorMax < 0

/** True where `peer` is expected to hold the pin (allocated to it, or everywhere). */
export const isAllocatedTo = (pin: Pick<Pin, 'allocations' | 'replicationFactorMin' | 'replicationFactorMax'>, peer: PeerId): boolean => isEverywhere(pin) || pin.allocations.some((allocation) => allocation.equals(peer))
