/** What each method's arguments and replies look like on the wire, and how large they may be. Complete over RpcMethods. */
import { DecodeError } from '../errors.ts'
import { cid, empty, encode, int, list, peerId, type Schema } from './msgpack.ts'
import { nodeWithMeta, peerInfo, pin, pinInfo, repoGc, repoStat, serviceId, version } from './types.ts'
import type { RpcMethodName, RpcMethods, RpcStreamName, RpcUnaryName } from './methods.ts'

/** One method on the wire. */
export interface MethodSchema<M extends RpcMethodName> {
  readonly kind: RpcMethods[M]['kind']
  readonly argument: Schema<RpcMethods[M]['argument']>
  readonly reply: Schema<RpcMethods[M]['reply']>
  /** Most bytes of one argument. */
  readonly maxArgument: number
  /** Most bytes of one reply. */
  readonly maxReply: number
}

const kib = 1024
const mib = 1024 * kib
/** A stream call without arguments. */
const none: Schema<never> = { isZero: () => true, write: () => {}, read: () => { throw new DecodeError('the method takes no arguments') } }

interface Sizes { readonly maxArgument?: number, readonly maxReply?: number }
/** Arguments are short but for pins and blocks. A pin may carry much metadata and many allocations, an ID many addresses; most are far below 2 KiB. */
const method = <const Kind extends 'unary' | 'stream', Argument, Reply>(kind: Kind, argument: Schema<Argument>, reply: Schema<Reply>, { maxArgument = 4 * kib, maxReply = 4 * mib }: Sizes = {}): { kind: Kind, argument: Schema<Argument>, reply: Schema<Reply>, maxArgument: number, maxReply: number } => ({ kind, argument, reply, maxArgument, maxReply })

/** The table. A method without an entry does not compile. */
export const methodSchemas: { readonly [M in RpcMethodName]: MethodSchema<M> } = {
  'Cluster.ID': method('unary', empty, peerInfo),
  'Cluster.IDStream': method('stream', none, peerInfo),
  'Cluster.Version': method('unary', empty, version),
  'Cluster.PeerAdd': method('unary', peerId, peerInfo),
  'Cluster.PeerRemove': method('unary', peerId, empty),
  'Cluster.Peers': method('stream', none, peerInfo),
  'Cluster.RecoverAllLocal': method('stream', none, pinInfo),
  'Cluster.RecoverLocal': method('unary', cid, pinInfo),
  // Lists every key that was freed.
  'Cluster.RepoGCLocal': method('unary', empty, repoGc, { maxReply: 64 * mib }),
  'PinTracker.Status': method('unary', cid, pinInfo),
  'PinTracker.StatusAll': method('stream', int, pinInfo),
  'PinTracker.Recover': method('unary', cid, pinInfo),
  // IPFS blocks have at most 2 MiB, unless somebody insisted.
  'IPFSConnector.BlockStream': method('stream', nodeWithMeta, empty, { maxArgument: 8 * mib }),
  'IPFSConnector.RepoStat': method('unary', empty, repoStat),
  'IPFSConnector.SwarmPeers': method('unary', empty, list(peerId)),
  'Consensus.LogPin': method('unary', pin, empty, { maxArgument: 2 * mib }),
  'Consensus.LogUnpin': method('unary', pin, empty, { maxArgument: 2 * mib }),
  'Consensus.AddPeer': method('unary', peerId, empty),
  'Consensus.RmPeer': method('unary', peerId, empty)
}

const names = Object.keys(methodSchemas) as RpcMethodName[]
/** ServiceID of each method, encoded once. */
const headers = new Map(names.map((name) => {
  const [service = '', called = ''] = name.split('.')
  return [name, encode(serviceId, { name: service, method: called })]
}))

/** The bytes a call of this method begins with. */
export const callHeader = (name: RpcMethodName): Uint8Array => headers.get(name) ?? new Uint8Array(0)

export const isRpcMethod = (name: string): name is RpcMethodName => Object.hasOwn(methodSchemas, name)
export const isUnary = (name: RpcMethodName): name is RpcUnaryName => methodSchemas[name].kind === 'unary'
export const isStream = (name: RpcMethodName): name is RpcStreamName => methodSchemas[name].kind === 'stream'
