/** Go's JSON of each type, from our values: what the golden vectors compare with. */
import { formatGoTime } from '../../src/pin/go-time.ts'
import { nilList } from '../../src/pin/nil.ts'
import { metadataToJson } from '../../src/pin/pin-json.ts'
import type { IpfsId, PeerInfo, RepoGc } from '../../src/cluster/types.ts'
import type { Metric } from '../../src/monitor/metric.ts'
import type { GlobalPinInfo, PinInfo, PinInfoShort } from '../../src/pin/pin-info.ts'

type Printable = { toString: () => string }
export const texts = (list: readonly Printable[]): readonly string[] | null => list === nilList ? null : list.map(String)

export const shortJson = (info: PinInfoShort): object => ({
  peername: info.peerName, ...(info.ipfsId === undefined ? {} : { ipfs_peer_id: info.ipfsId.toString() }), ...(info.ipfsAddresses.length === 0 ? {} : { ipfs_peer_addresses: texts(info.ipfsAddresses) }),
  status: info.status, timestamp: formatGoTime(info.timestamp), error: info.error, attempt_count: info.attemptCount, priority_pin: info.priorityPin
})

export const pinInfoJson = (info: PinInfo): object => ({
  cid: info.cid.toString(), name: info.name, peer: info.peer.toString(), allocations: texts(info.allocations), origins: texts(info.origins), created: formatGoTime(info.created), metadata: metadataToJson(info.metadata), ...shortJson(info)
})

export const globalPinInfoJson = (info: GlobalPinInfo): object => ({
  cid: info.cid.toString(), name: info.name, allocations: texts(info.allocations), origins: texts(info.origins), created: formatGoTime(info.created), metadata: metadataToJson(info.metadata),
  peer_map: Object.fromEntries([...info.peerMap].map(([peer, short]) => [peer, shortJson(short)]))
})

export const ipfsIdJson = ({ id, addresses, error }: IpfsId): object => ({ ...(id === undefined ? {} : { id: id.toString() }), addresses: texts(addresses), error })

export const peerInfoJson = (info: PeerInfo): object => ({
  id: info.id.toString(), addresses: texts(info.addresses), cluster_peers: texts(info.clusterPeers), cluster_peers_addresses: texts(info.clusterPeersAddresses), version: info.version, commit: info.commit,
  rpc_protocol_version: info.rpcProtocolVersion, error: info.error, ipfs: ipfsIdJson(info.ipfs ?? { addresses: nilList, error: '' }), peername: info.peerName
})

export const metricJson = (metric: Metric): object => ({
  name: metric.name, peer: metric.peer.toString(), value: metric.value, expire: Number(metric.expire), valid: metric.valid, weight: Number(metric.weight), partitionable: metric.partitionable, received_at: Number(metric.receivedAt)
})

export const repoGcJson = ({ peer, peerName, keys, error }: RepoGc): object => ({
  peer: peer.toString(), peername: peerName, keys: keys.map((key) => ({ key: key.key?.toString() ?? null, ...(key.error === '' ? {} : { error: key.error }) })), ...(error === '' ? {} : { error })
})

export const mapJson = <T>(map: ReadonlyMap<string, T>, json: (value: T) => unknown): object => Object.fromEntries([...map].map(([key, value]) => [key, json(value)]))
