/** The figures of a peer by their Prometheus names (behaviour.md §12), and how to read them: kept numbers only, nothing is counted for it. */
import type { Bandwidth, SyncState } from '../cluster/types.ts'
import type { Measures } from './measures.ts'

/** All that one scrape looks at. */
export interface Readings {
  readonly measures: Readonly<Measures>
  readonly sync: SyncState
  /** By protocol. */
  readonly bandwidth: ReadonlyMap<string, Bandwidth>
}

export interface ClusterMetric {
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly help: string
  /** One value, or one for each protocol. */
  readonly read: (from: Readings) => number | ReadonlyMap<string, number>
}

const metric = (type: ClusterMetric['type'], name: string, help: string, read: ClusterMetric['read']): ClusterMetric => ({ name: `ipfscluster_${name}`, type, help, read })
const byProtocol = ({ bandwidth }: Readings, of: (bandwidth: Bandwidth) => bigint): ReadonlyMap<string, number> => new Map(Array.from(bandwidth, ([protocol, passed]) => [protocol, Number(of(passed))]))

/** Names, types and texts of Go. */
const goMetrics: readonly ClusterMetric[] = [
  metric('gauge', 'pins', 'Total number of cluster pins', ({ sync }) => sync.pins),
  metric('gauge', 'pins_pin_queued', 'Current number of pins queued for pinning', ({ sync }) => sync.pinQueued),
  metric('gauge', 'pins_pinning', 'Current number of pins currently pinning', ({ sync }) => sync.pinning),
  metric('gauge', 'pins_pin_error', 'Current number of pins in pin_error state', ({ sync }) => sync.pinError),
  metric('gauge', 'pins_ipfs_pins', 'Current number of items pinned on IPFS', ({ measures }) => measures.ipfsPins),
  metric('counter', 'pins_pin_add', 'Total number of IPFS pin requests', ({ measures }) => measures.pinRequests),
  metric('counter', 'pins_pin_add_errors', 'Total number of failed pin requests', ({ measures }) => measures.pinErrors),
  metric('counter', 'blocks_put', 'Total number of blocks/put requests', ({ measures }) => measures.blockPuts),
  metric('counter', 'blocks_added_size', 'Total size of blocks added in bytes', ({ measures }) => measures.bytesAdded),
  metric('counter', 'blocks_added', 'Total number of blocks added', ({ measures }) => measures.blocksAdded),
  metric('counter', 'blocks_put_errors', 'Total number of block/put errors', ({ measures }) => measures.blockPutErrors),
  metric('gauge', 'informer_disk', 'The metric value weight issued by disk informer', ({ measures }) => measures.diskWeight)
]

/** What Go does not tell. */
const ownMetrics: readonly ClusterMetric[] = [
  metric('gauge', 'crdt_heads', 'Heads of the pinset here', ({ sync }) => sync.heads),
  metric('gauge', 'crdt_height', 'Priority of the highest head', ({ sync }) => sync.height),
  metric('gauge', 'crdt_blocks_synced', 'Blocks of the pinset merged here', ({ sync }) => sync.synced),
  metric('gauge', 'crdt_blocks_known', 'Blocks of the pinset known to exist, merged ones included', ({ sync }) => sync.known),
  metric('gauge', 'crdt_blocks_wanted', 'Blocks missing below merged ones', ({ sync }) => sync.wanted),
  metric('gauge', 'crdt_queue', 'Blocks that are fetched now, or next', ({ sync }) => sync.queue),
  metric('gauge', 'crdt_dirty', '1 when blocks are missing, or the store was marked to be looked through', ({ sync }) => sync.dirty ? 1 : 0),
  metric('counter', 'crdt_commits', 'Deltas written by this peer', ({ measures }) => measures.commits),
  metric('counter', 'crdt_committed_changes', 'Pins and unpins in the deltas written by this peer', ({ measures }) => measures.committedChanges),
  metric('counter', 'received_bytes', 'Bytes received from members, by protocol', (from) => byProtocol(from, ({ totalIn }) => totalIn)),
  metric('counter', 'sent_bytes', 'Bytes sent to members, by protocol', (from) => byProtocol(from, ({ totalOut }) => totalOut))
]

export const clusterMetrics: readonly ClusterMetric[] = [...goMetrics, ...ownMetrics]
