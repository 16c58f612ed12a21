/** Every RPC method: what it takes, what it answers, and who may call it (wire.md §5.4). */
import type { Block } from '../ipfs/ipfs.ts'
import type { Alert, Metric } from '../monitor/metric.ts'
import type { Bandwidth, ConnectGraph, IpfsId, PeerInfo, RepoGc, RepoStat } from '../cluster/types.ts'
import type { GlobalPinInfo, PinInfo } from '../pin/pin-info.ts'
import type { Pin } from '../pin/pin.ts'
import type { StatusFilter } from '../pin/status.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { CID } from 'multiformats/cid'

/** `struct{}` on the wire. */
export type Empty = Record<string, never>
/** A block on its way to an IPFS; `cumulativeSize` as the adder knows it. */
export interface NodeWithMeta extends Block { readonly cumulativeSize: bigint }

interface Call<Kind extends 'unary' | 'stream', Argument, Reply> { readonly kind: Kind, readonly argument: Argument, readonly reply: Reply }
type Unary<Argument, Reply> = Call<'unary', Argument, Reply>
type Stream<Argument, Reply> = Call<'stream', Argument, Reply>

/** The methods that may be called from another peer (open and trusted). Closed ones are only names: they never cross the network. */
export interface RpcMethods {
  'Cluster.ID': Unary<Empty, PeerInfo>
  'Cluster.IDStream': Stream<never, PeerInfo>
  'Cluster.Version': Unary<Empty, string>
  'Cluster.PeerAdd': Unary<PeerId, PeerInfo>
  'Cluster.PeerRemove': Unary<PeerId, Empty>
  'Cluster.Peers': Stream<never, PeerInfo>
  'Cluster.RecoverAllLocal': Stream<never, PinInfo>
  'Cluster.RecoverLocal': Unary<CID, PinInfo>
  'Cluster.RepoGCLocal': Unary<Empty, RepoGc>
  'PinTracker.Status': Unary<CID, PinInfo>
  'PinTracker.StatusAll': Stream<StatusFilter, PinInfo>
  'PinTracker.Recover': Unary<CID, PinInfo>
  'IPFSConnector.BlockStream': Stream<NodeWithMeta, Empty>
  'IPFSConnector.RepoStat': Unary<Empty, RepoStat>
  'IPFSConnector.SwarmPeers': Unary<Empty, readonly PeerId[]>
  'Consensus.LogPin': Unary<Pin, Empty>
  'Consensus.LogUnpin': Unary<Pin, Empty>
  'Consensus.AddPeer': Unary<PeerId, Empty>
  'Consensus.RmPeer': Unary<PeerId, Empty>
}

export type RpcMethodName = keyof RpcMethods
type OfKind<Kind> = { [M in RpcMethodName]: RpcMethods[M]['kind'] extends Kind ? M : never }[RpcMethodName]
export type RpcUnaryName = OfKind<'unary'>
export type RpcStreamName = OfKind<'stream'>

/** Methods of the Go peer that only the peer itself may call; here they are plain calls and exist as names to refuse. */
export type ClosedMethodName = 'Cluster.Pin' | 'Cluster.Unpin' | 'Cluster.PinPath' | 'Cluster.UnpinPath' | 'Cluster.PinGet' | 'Cluster.Pins' | 'Cluster.PeersWithFilter' | 'Cluster.ConnectGraph' | 'Cluster.Join' | 'Cluster.Status' | 'Cluster.Recover' | 'Cluster.StatusAll' | 'Cluster.StatusAllLocal' | 'Cluster.StatusLocal' | 'Cluster.RecoverAll' | 'Cluster.BlockAllocate' | 'Cluster.RepoGC' | 'Cluster.SendInformerMetrics' | 'Cluster.SendInformersMetrics' | 'Cluster.Alerts' | 'Cluster.BandwidthByProtocol' | 'Cluster.IPFSID' | 'PinTracker.Track' | 'PinTracker.Untrack' | 'PinTracker.RecoverAll' | 'PinTracker.PinQueueSize' | 'IPFSConnector.Pin' | 'IPFSConnector.Unpin' | 'IPFSConnector.PinLsCid' | 'IPFSConnector.PinLs' | 'IPFSConnector.ConfigKey' | 'IPFSConnector.BlockGet' | 'IPFSConnector.Resolve' | 'Consensus.Peers' | 'PeerMonitor.LatestMetrics' | 'PeerMonitor.MetricNames'

export type Access = 'open' | 'trusted' | 'closed'

/** The one table that says who may call what; a method without a rule does not compile, and a name that is not here is refused. */
export const rpcPolicy = {
  'Cluster.ID': 'open', 'Cluster.IDStream': 'open', 'Cluster.Version': 'open', 'Cluster.PeerAdd': 'open',
  'Cluster.PeerRemove': 'trusted', 'Cluster.Peers': 'trusted', 'Cluster.RecoverAllLocal': 'trusted', 'Cluster.RecoverLocal': 'trusted', 'Cluster.RepoGCLocal': 'trusted',
  'PinTracker.Status': 'trusted', 'PinTracker.StatusAll': 'trusted', 'PinTracker.Recover': 'trusted',
  'IPFSConnector.BlockStream': 'trusted', 'IPFSConnector.RepoStat': 'trusted', 'IPFSConnector.SwarmPeers': 'trusted',
  'Consensus.LogPin': 'trusted', 'Consensus.LogUnpin': 'trusted', 'Consensus.AddPeer': 'trusted', 'Consensus.RmPeer': 'trusted',
  'Cluster.Pin': 'closed', 'Cluster.Unpin': 'closed', 'Cluster.PinPath': 'closed', 'Cluster.UnpinPath': 'closed', 'Cluster.PinGet': 'closed', 'Cluster.Pins': 'closed', 'Cluster.PeersWithFilter': 'closed', 'Cluster.ConnectGraph': 'closed', 'Cluster.Join': 'closed', 'Cluster.Status': 'closed', 'Cluster.Recover': 'closed', 'Cluster.StatusAll': 'closed', 'Cluster.StatusAllLocal': 'closed', 'Cluster.StatusLocal': 'closed', 'Cluster.RecoverAll': 'closed', 'Cluster.BlockAllocate': 'closed', 'Cluster.RepoGC': 'closed', 'Cluster.SendInformerMetrics': 'closed', 'Cluster.SendInformersMetrics': 'closed', 'Cluster.Alerts': 'closed', 'Cluster.BandwidthByProtocol': 'closed', 'Cluster.IPFSID': 'closed',
  'PinTracker.Track': 'closed', 'PinTracker.Untrack': 'closed', 'PinTracker.RecoverAll': 'closed', 'PinTracker.PinQueueSize': 'closed',
  'IPFSConnector.Pin': 'closed', 'IPFSConnector.Unpin': 'closed', 'IPFSConnector.PinLsCid': 'closed', 'IPFSConnector.PinLs': 'closed', 'IPFSConnector.ConfigKey': 'closed', 'IPFSConnector.BlockGet': 'closed', 'IPFSConnector.Resolve': 'closed',
  'Consensus.Peers': 'closed', 'PeerMonitor.LatestMetrics': 'closed', 'PeerMonitor.MetricNames': 'closed'
} as const satisfies Record<RpcMethodName | ClosedMethodName, Access>

/** Types that only closed methods carry have codecs too: they are in the golden vectors and later transports use them. */
export interface ClosedTypes { globalPinInfo: GlobalPinInfo, metric: Metric, alert: Alert, connectGraph: ConnectGraph, bandwidth: Bandwidth, ipfsId: IpfsId, multiaddr: Multiaddr }
