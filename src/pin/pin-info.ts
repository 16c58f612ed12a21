/** What peers report of a pin (wire.md §5.3, rest-api.md §3.2). Times are unix ms. */
import type { CID } from 'multiformats/cid'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { PeerId } from '@libp2p/interface'
import type { TrackerStatus } from './status.ts'

/** One peer's view of a pin, without the pin's own fields. */
export interface PinInfoShort {
  readonly peerName: string
  readonly ipfsId?: PeerId | undefined
  readonly ipfsAddresses: readonly Multiaddr[]
  readonly status: TrackerStatus
  readonly timestamp: number
  /** Empty when there is none. */
  readonly error: string
  readonly attemptCount: number
  readonly priorityPin: boolean
}

/** Fields of the pin that every answer about it repeats. */
export interface PinSummary {
  readonly cid: CID
  readonly name: string
  readonly allocations: readonly PeerId[]
  readonly origins: readonly Multiaddr[]
  readonly created: number
  readonly metadata: Readonly<Record<string, string>>
}

export interface PinInfo extends PinSummary, PinInfoShort {
  readonly peer: PeerId
}

export interface GlobalPinInfo extends PinSummary {
  /** Keyed by text peer ID, so that it maps one to one to JSON. */
  readonly peerMap: ReadonlyMap<string, PinInfoShort>
}
