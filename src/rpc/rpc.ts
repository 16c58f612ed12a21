/** Calls between peers over `/ipfscluster/1.0/rpc` (wire.md §5). */
import type { AbortOptions } from '../component.ts'
import type { RpcMethods, RpcMethodName, RpcStreamName, RpcUnaryName } from './methods.ts'
import type { PeerId } from '@libp2p/interface'

/** Calls other peers. A call addressed to this peer never touches the network. Errors: RpcError, or the transport's. */
export interface RpcClient {
  call: <M extends RpcUnaryName>(peer: PeerId, method: M, argument: RpcMethods[M]['argument'], options?: AbortOptions) => Promise<RpcMethods[M]['reply']>
  /** Arguments are sent as they come; replies are yielded as they come. Leaving the loop early resets the stream. */
  stream: <M extends RpcStreamName>(peer: PeerId, method: M, args: Iterable<RpcMethods[M]['argument']> | AsyncIterable<RpcMethods[M]['argument']>, options?: AbortOptions) => AsyncIterable<RpcMethods[M]['reply']>
  /** The same, as many replies at a time as came together: for listings of millions. */
  chunks: <M extends RpcStreamName>(peer: PeerId, method: M, args: Iterable<RpcMethods[M]['argument']> | AsyncIterable<RpcMethods[M]['argument']>, options?: AbortOptions) => AsyncIterable<ReadonlyArray<RpcMethods[M]['reply']>>
}

export interface CallContext {
  readonly caller: PeerId
  /** Fires when the caller is gone. */
  readonly signal: AbortSignal
}

export type UnaryHandler<M extends RpcUnaryName> = (argument: RpcMethods[M]['argument'], context: CallContext) => Promise<RpcMethods[M]['reply']>
export type StreamHandler<M extends RpcStreamName> = (args: AsyncIterable<RpcMethods[M]['argument']>, context: CallContext) => AsyncIterable<RpcMethods[M]['reply']>

/** What a peer serves: every open and trusted method. Closed methods are refused by the table before any handler is looked for. */
export type RpcHandlers = { readonly [M in RpcUnaryName]?: UnaryHandler<M> } & { readonly [M in RpcStreamName]?: StreamHandler<M> }

export type { RpcMethodName }
