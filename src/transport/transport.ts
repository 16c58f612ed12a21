/** The private network as the core sees it: streams between authenticated members, and broadcast. */
import type { AbortOptions, Startable } from '../component.ts'
import type { Bandwidth } from '../cluster/types.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

/** One bidirectional stream; each direction ends on its own. */
export interface ByteStream {
  readonly remotePeer: PeerId
  /** Ends when the remote closed its side; throws when it reset. Read it once. */
  readonly source: AsyncIterable<Uint8Array>
  /** Waits while the remote does not read (backpressure). */
  write: (bytes: Uint8Array, options?: AbortOptions) => Promise<void>
  closeWrite: (options?: AbortOptions) => Promise<void>
  /** Ends both directions at once; the remote sees a reset. */
  abort: (reason: Error) => void
  /** Fires when the stream is gone for good (reset by either side or both sides closed). */
  readonly closed: AbortSignal
}

export interface PubSubMessage {
  /** The signer, not who forwarded it. */
  readonly from: PeerId
  readonly topic: string
  readonly data: Uint8Array
}

export interface PubSub {
  /** Signed and sent to the topic's peers; nobody listening is not an error. Own messages do not come back. */
  publish: (topic: string, data: Uint8Array) => Promise<void>
  /** `validate` false: neither delivered nor forwarded. Returns the way to unsubscribe. */
  subscribe: (topic: string, handler: (message: PubSubMessage) => void, validate?: (message: PubSubMessage) => boolean) => () => void
}

export interface StreamHandlerOptions {
  /** On one connection. @default 1024 */
  maxInboundStreams?: number | undefined
}

export interface Transport extends Startable {
  readonly peerId: PeerId
  readonly pubsub: PubSub
  /** Our announced addresses, each ending in /p2p/<id>. */
  addresses: () => readonly Multiaddr[]
  /** Known addresses of these peers, each ending in /p2p/<id>. */
  addressesOf: (peers: readonly PeerId[]) => Promise<readonly Multiaddr[]>
  connect: (target: PeerId | Multiaddr, options?: AbortOptions) => Promise<PeerId>
  /** Peers with a direct connection, or a relayed one where nothing better was found. */
  connectedPeers: () => readonly PeerId[]
  onConnect: (listener: (peer: PeerId) => void) => () => void
  onDisconnect: (listener: (peer: PeerId) => void) => () => void
  /** Dials when there is no connection. Limited (relayed) connections carry streams only where there is no direct way (wire.md §9 item 11). */
  openStream: (peer: PeerId, protocol: string, options?: AbortOptions) => Promise<ByteStream>
  handle: (protocol: string, handler: (stream: ByteStream) => void, options?: StreamHandlerOptions) => Promise<void>
  unhandle: (protocol: string) => Promise<void>
  /** Keep the connection to this peer and its addresses (trusted peers). */
  protect: (peer: PeerId) => void
  /** The peer did what no honest one does; 100 points within a short time, and it is disconnected and refused for a while (misconduct.ts). */
  penalize: (peer: PeerId, offence: string, points: number) => void
  /** Bytes by protocol, where the transport counts them. */
  bandwidth: () => ReadonlyMap<string, Bandwidth>
}

/** A known peer and where it may be reached; the addresses end in its /p2p/<id>. */
export interface KnownPeer {
  readonly peer: PeerId
  readonly addresses: readonly Multiaddr[]
}

/** Where peers may be reached, whether connected or not. */
export interface AddressBook {
  /** Addresses that name no peer are left out. */
  remember: (addresses: readonly Multiaddr[]) => Promise<void>
  /** Everybody but this peer. */
  known: () => Promise<readonly KnownPeer[]>
}
