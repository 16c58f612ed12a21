/** Answers about pins, joined over peers (behaviour.md §11, wire.md §6.4). */
import type { Pin } from '../pin/pin.ts'
import type { GlobalPinInfo, PinInfo, PinInfoShort, PinSummary } from '../pin/pin-info.ts'
import type { TrackerStatus } from '../pin/status.ts'
import type { PingValue } from '../monitor/metric.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

/** Collects what peers say of one CID: the last that is not an error describes the pin. */
export class GlobalInfoBuilder {
  readonly #peers = new Map<string, PinInfoShort>()
  #summary: PinSummary | undefined

  add (info: PinInfo): void {
    const { cid, name, allocations, origins, created, metadata, peer, ...short } = info
    if (this.#summary === undefined || info.status !== 'cluster_error') this.#summary = { cid, name, allocations, origins, created, metadata }
    this.#peers.set(peer.toString(), short)
  }

  build (cid: CID, now: number): GlobalPinInfo {
    return { ...this.#summary ?? emptySummary(cid, now), peerMap: this.#peers }
  }
}

const emptySummary = (cid: CID, now: number): PinSummary => ({ cid, name: '', allocations: [], origins: [], created: now, metadata: {} })

export interface StandIn {
  readonly peer: PeerId
  /** The peer's latest ping; undefined when none was seen. */
  readonly ping: PingValue | undefined
  readonly status: TrackerStatus
  readonly error?: string | undefined
  readonly now: number
}

/** What we say of a peer that was not asked or did not answer. */
export function standInInfo (about: Pin | CID, { peer, ping, status, error = '', now }: StandIn): PinInfo {
  const summary = 'type' in about
    ? { cid: about.cid, name: about.name, allocations: about.allocations, origins: about.origins, created: about.timestamp ?? now, metadata: about.metadata }
    : emptySummary(about, now)
  return { ...summary, ...ping ?? { peerName: '', ipfsAddresses: [] }, peer, status, error, timestamp: now, attemptCount: 0, priorityPin: false }
}

/** One peer's answer as that of the cluster. */
export function globalOf (info: PinInfo): GlobalPinInfo {
  const { cid, name, allocations, origins, created, metadata, peer, ...short } = info
  return { cid, name, allocations, origins, created, metadata, peerMap: new Map([[peer.toString(), short]]) }
}
