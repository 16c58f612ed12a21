/** Schemas of every type that travels on RPC and the metrics topic (wire.md §5.3). */
import { DecodeError } from '../errors.ts'
import { pinTypeFlag, pinTypes, type Pin, type PinMode, type PinOptions, type PinType } from '../pin/pin.ts'
import { statusFromBits, trackerStatusBits, type TrackerStatus } from '../pin/status.ts'
import { bool, bytes, cid, float64, int, int64, list, map, mapped, metadata, multiaddr, optional, optionalTime, peerId, str, struct, time, uint, uint64, type Fields, type Schema } from './msgpack.ts'
import type { NodeWithMeta } from './methods.ts'
import type { Bandwidth, ConnectGraph, IpfsId, PeerInfo, RepoGc, RepoGcKey, RepoStat } from '../cluster/types.ts'
import type { IpfsPinStatus } from '../ipfs/ipfs.ts'
import type { Alert, Metric } from '../monitor/metric.ts'
import type { GlobalPinInfo, PinInfo, PinInfoShort } from '../pin/pin-info.ts'
import type { CID } from 'multiformats/cid'

/** One bit on the wire; anything unknown reads as `bad-type`. */
const pinType: Schema<PinType> = {
  zero: { value: 'bad-type' },
  isZero: () => false,
  write: (to, value) => { to.uint(pinTypeFlag(value)) },
  read: (from) => {
    const flag = from.nil() ? 0 : from.uint()
    return pinTypes.find((type) => pinTypeFlag(type) === flag) ?? 'bad-type'
  }
}

const pinMode: Schema<PinMode> = mapped(int, (value) => value === 1 ? 'direct' : 'recursive', (mode) => mode === 'direct' ? 1 : 0)

/** A single status bit; unknown bits read as `undefined`. */
export const trackerStatus: Schema<TrackerStatus> = mapped(int, statusFromBits, (status) => trackerStatusBits[status])

const pinOptionsFields: Fields<PinOptions> = {
  replicationFactorMin: ['rn', int], replicationFactorMax: ['rx', int], name: ['n', str], mode: ['o', pinMode], shardSize: ['s', uint],
  userAllocations: ['ua', list(peerId)], expireAt: ['e', optionalTime], metadata: ['m', metadata], pinUpdate: ['pu', optional(cid)], origins: ['g', list(multiaddr)]
}

export const pin: Schema<Pin> = struct<Pin>('Pin', {
  ...pinOptionsFields,
  cid: ['c', cid, 'always'], type: ['t', pinType], allocations: ['a', list(peerId)], maxDepth: ['d', int], reference: ['r', optional(cid)], timestamp: ['i', optionalTime]
})

/** A path to resolve and pin, with the options of the pin. */
export interface PinPath extends PinOptions { readonly path: string }
export const pinPath: Schema<PinPath> = struct<PinPath>('PinPath', { ...pinOptionsFields, path: ['path', str, 'always'] })

const pinInfoShortFields: Fields<PinInfoShort> = {
  peerName: ['pn', str], ipfsId: ['i', optional(peerId)], ipfsAddresses: ['ia', list(multiaddr)], status: ['st', trackerStatus],
  timestamp: ['ts', time], error: ['e', str], attemptCount: ['a', int], priorityPin: ['y', bool]
}
export const pinInfoShort: Schema<PinInfoShort> = struct<PinInfoShort>('PinInfoShort', pinInfoShortFields)

export const pinInfo: Schema<PinInfo> = struct<PinInfo>('PinInfo', {
  cid: ['c', cid, 'always'], name: ['m', str], peer: ['p', peerId], allocations: ['o', list(peerId)], origins: ['g', list(multiaddr)], created: ['t', time], metadata: ['md', metadata],
  ...pinInfoShortFields
})

export const globalPinInfo: Schema<GlobalPinInfo> = struct<GlobalPinInfo>('GlobalPinInfo', {
  cid: ['c', cid, 'always'], name: ['n', str, 'always'], allocations: ['a', list(peerId)], origins: ['g', list(multiaddr)], created: ['t', time], metadata: ['m', metadata], peerMap: ['pm', map(pinInfoShort)]
})

export const ipfsId: Schema<IpfsId> = struct<IpfsId>('IPFSID', { id: ['i', optional(peerId)], addresses: ['a', list(multiaddr)], error: ['e', str] })

/** Whether a peer is light its pings say, not this answer. */
export const peerInfo: Schema<PeerInfo> = struct<Omit<PeerInfo, 'light'>>('ID', {
  id: ['i', peerId], addresses: ['a', list(multiaddr)], clusterPeers: ['cp', list(peerId)], clusterPeersAddresses: ['cpa', list(multiaddr)],
  version: ['v', str], commit: ['c', str], rpcProtocolVersion: ['rv', str], error: ['e', str], ipfs: ['ip', optional(ipfsId)], peerName: ['pn', str]
})

/** `Version`: the bare text in TypeScript. */
export const version: Schema<string> = mapped(struct<{ readonly version: string }>('Version', { version: ['v', str, 'always'] }), (value) => value.version, (text) => ({ version: text }))

const metricFields: Fields<Metric> = {
  name: ['n', str], peer: ['p', peerId], value: ['v', str], expire: ['e', int64], valid: ['d', bool], weight: ['w', int64], partitionable: ['o', bool], receivedAt: ['t', int64]
}
export const metric: Schema<Metric> = struct<Metric>('Metric', metricFields)
export const alert: Schema<Alert> = struct<Alert>('Alert', { ...metricFields, triggeredAt: ['r', time] })

export const repoStat: Schema<RepoStat> = struct<RepoStat>('IPFSRepoStat', { repoSize: ['r', uint64], storageMax: ['s', uint64, 'always'] })

/** IPFSPinStatus by number; 0 (bug) and 1 (error) are no answers. */
const ipfsPinStatuses: ReadonlyArray<IpfsPinStatus | undefined> = [undefined, undefined, 'direct', 'recursive', 'indirect', 'unpinned']
export const ipfsPinStatus: Schema<IpfsPinStatus> = {
  isZero: () => false,
  write: (to, value) => { to.int(ipfsPinStatuses.indexOf(value)) },
  read: (from) => {
    const number = from.int()
    const status = ipfsPinStatuses[number]
    if (status === undefined) throw new DecodeError(`msgpack: ${number} is not an IPFS pin status`)
    return status
  }
}

/** One line of the IPFS's own pin listing. */
export interface IpfsPinInfo { readonly cid: CID, readonly status: IpfsPinStatus }
export const ipfsPinInfo: Schema<IpfsPinInfo> = struct<IpfsPinInfo>('IPFSPinInfo', { cid: ['c', cid, 'always'], status: ['t', ipfsPinStatus, 'always'] })

export const nodeWithMeta: Schema<NodeWithMeta> = struct<NodeWithMeta>('NodeWithMeta', { bytes: ['d', bytes], cid: ['c', cid], cumulativeSize: ['s', uint64] })

const maxGcKeys = 1 << 20
const repoGcKey: Schema<RepoGcKey> = struct<RepoGcKey>('IPFSRepoGC', { key: ['k', optional(cid)], error: ['e', str] })
export const repoGc: Schema<RepoGc> = struct<RepoGc>('RepoGC', { peer: ['p', peerId], peerName: ['pn', str], keys: ['k', list(repoGcKey, maxGcKeys), 'always'], error: ['e', str] })

/** What a collection freed, by text peer ID. */
export interface GlobalRepoGc { readonly peerMap: ReadonlyMap<string, RepoGc> }
export const globalRepoGc: Schema<GlobalRepoGc> = struct<GlobalRepoGc>('GlobalRepoGC', { peerMap: ['pm', map(repoGc)] })

export const connectGraph: Schema<ConnectGraph> = struct<ConnectGraph>('ConnectGraph', {
  clusterId: ['id', peerId, 'always'], idToPeerName: ['ip', map(str)], ipfsLinks: ['il', map(list(peerId))], clusterLinks: ['cl', map(list(peerId))], clusterTrustLinks: ['ctl', map(bool)], clusterToIpfs: ['ci', map(peerId)]
})

/** Bytes by protocol. */
export const bandwidthByProtocol: Schema<ReadonlyMap<string, Bandwidth>> = map(struct<Bandwidth>('Bandwidth', { totalIn: ['i', int64], totalOut: ['o', int64], rateIn: ['ri', float64], rateOut: ['ro', float64] }))

/** Which method is called. */
export interface ServiceId { readonly name: string, readonly method: string }
export const serviceId: Schema<ServiceId> = struct<ServiceId>('ServiceID', { name: ['Name', str, 'always'], method: ['Method', str, 'always'] })

/** Header of every reply. `errorType`: 0 application, 1 server, 2 client, 3 authorization. */
export interface Response { readonly service: ServiceId, readonly error: string, readonly errorType: number }
export const response: Schema<Response> = struct<Response>('Response', { service: ['Service', serviceId], error: ['Error', str], errorType: ['ErrType', int] })
