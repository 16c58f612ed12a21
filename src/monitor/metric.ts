/** A named value with weight and expiry that a peer publishes (wire.md §4). */
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

export interface Metric {
  readonly name: string
  readonly peer: PeerId
  readonly value: string
  /** Unix nanoseconds. */
  readonly expire: bigint
  readonly valid: boolean
  /** Allocator weight, higher is better. */
  readonly weight: bigint
  /** Equal values form one partition. */
  readonly partitionable: boolean
  /** Unix nanoseconds, set by the receiver on store. */
  readonly receivedAt: bigint
}

/** A metric that expired without a new value. */
export interface Alert extends Metric {
  /** Unix ms. */
  readonly triggeredAt: number
}

/** What a `ping` carries as JSON in its value; absent fields are unknown. */
export interface PingValue {
  readonly peerName: string
  readonly ipfsId?: PeerId | undefined
  readonly ipfsAddresses: readonly Multiaddr[]
  /** A browser tab: it may vanish at any moment. Ours; Go neither writes nor reads it. @default false */
  readonly light?: boolean | undefined
}
