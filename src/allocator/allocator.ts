/** Picks the peers that hold a pin, from metrics. */
import type { Metric } from '../monitor/metric.ts'
import type { PeerId } from '@libp2p/interface'

export interface AllocationRequest {
  readonly replicationFactorMin: number
  readonly replicationFactorMax: number
  /** Peers that hold it now. */
  readonly current: readonly PeerId[]
  /** Peers the user prefers. */
  readonly priority: readonly PeerId[]
  readonly blacklist: readonly PeerId[]
  /** Latest valid metrics by name, for every name in `metricNames`. */
  readonly metrics: ReadonlyMap<string, readonly Metric[]>
  /** Peers that the trust settings exclude are dropped by this test. */
  readonly eligible: (peer: PeerId) => boolean
}

export interface Allocator {
  /** Metrics a peer must have to be considered, in order of partitioning. */
  readonly metricNames: readonly string[]
  /** Peers to hold the pin, best first; empty = everywhere. Throws InsufficientAllocationsError. */
  allocate: (request: AllocationRequest) => readonly PeerId[]
}
