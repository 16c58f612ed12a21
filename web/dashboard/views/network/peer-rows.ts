/** What is known of every member: from its own answer, its metrics, and the graph. */
import type { ConnectGraph, PeerInfo } from '../../../../src/cluster/types.ts'
import type { Metric } from '../../../../src/monitor/metric.ts'
import type { Session } from '../../session.ts'

export interface PeerRow {
  readonly id: string
  readonly name: string
  readonly isTab: boolean
  readonly isSelf: boolean
  /** Why it does not answer; empty where it does. */
  readonly error: string
  readonly version: string
  readonly addresses: readonly string[]
  readonly links: readonly string[]
  readonly ipfs: { readonly id: string, readonly error: string } | undefined
  /** Bytes; undefined where it publishes none. */
  readonly free: number | undefined
  /** Pins waiting. */
  readonly queue: number | undefined
  /** Unix ms of its last ping. */
  readonly seen: number | undefined
}

export interface PeersState {
  readonly rows: readonly PeerRow[]
  readonly graph: ConnectGraph
}

const millisecond = 1_000_000n

/** A metric's value as a number; undefined where there is none. */
function numberOf (metrics: ReadonlyMap<string, Metric>, id: string): number | undefined {
  const metric = metrics.get(id)
  const value = metric === undefined || metric.value === '' ? Number.NaN : Number(metric.value)
  return Number.isFinite(value) ? value : undefined
}

/** Joins what was asked of the peer into a row for each member. Pure. */
export function rowsOf (parts: { readonly self: string, readonly infos: readonly PeerInfo[], readonly graph: ConnectGraph, readonly ping: readonly Metric[], readonly freespace: readonly Metric[], readonly pinqueue: readonly Metric[] }): readonly PeerRow[] {
  const byPeer = (metrics: readonly Metric[]): ReadonlyMap<string, Metric> => new Map(metrics.map((metric) => [metric.peer.toString(), metric]))
  const [ping, free, queue] = [byPeer(parts.ping), byPeer(parts.freespace), byPeer(parts.pinqueue)]
  return parts.infos.map((info): PeerRow => {
    const id = info.id.toString()
    const received = ping.get(id)?.receivedAt
    return {
      id, name: info.peerName === '' ? parts.graph.idToPeerName.get(id) ?? '' : info.peerName, isTab: info.light === true, isSelf: id === parts.self, error: info.error, version: info.version,
      addresses: info.addresses.map(String), links: (parts.graph.clusterLinks.get(id) ?? []).map(String).filter((other) => other !== id),
      ipfs: info.ipfs === undefined ? undefined : { id: info.ipfs.id?.toString() ?? '', error: info.ipfs.error },
      free: numberOf(free, id), queue: numberOf(queue, id), seen: received === undefined || received === 0n ? undefined : Number(received / millisecond)
    }
  }).toSorted((one, other) => Number(one.isTab) - Number(other.isTab) || Number(other.isSelf) - Number(one.isSelf) || one.name.localeCompare(other.name) || one.id.localeCompare(other.id))
}

/** Asks the session's peer for everything that the view shows. */
export async function loadPeers ({ client }: Session, signal: AbortSignal): Promise<PeersState> {
  const infos: PeerInfo[] = []
  const listing = (async () => { for await (const info of client.peers({ signal })) infos.push(info) })()
  const [self, graph, ping, freespace, pinqueue] = await Promise.all([client.id({ signal }), client.graph({ signal }), client.metrics('ping', { signal }), client.metrics('freespace', { signal }), client.metrics('pinqueue', { signal }), listing])
  return { graph, rows: rowsOf({ self: self.id.toString(), infos, graph, ping, freespace, pinqueue }) }
}
