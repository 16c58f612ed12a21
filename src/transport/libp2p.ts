/** The private network over libp2p 3: TCP, WebSocket and relays as the platform passes them in. */
import type { AddressBook, ByteStream, KnownPeer, PubSub, StreamHandlerOptions, Transport } from './transport.ts'
import type { Libp2pParts, Libp2pTransportOptions } from './libp2p-node.ts'
import type { AbortOptions, Clock, ComponentLogger, Logger } from '../component.ts'
import type { GossipSub } from '@libp2p/gossipsub'
import type { PeerId, PeerInfo } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import { KEEP_ALIVE } from '@libp2p/interface'
import { errorText, systemClock } from '../component.ts'
import { InvalidConfigError } from '../errors.ts'
import { peerOf, withPeer } from './addresses.ts'
import { BandwidthCounter } from './bandwidth.ts'
import { Connections } from './connections.ts'
import { Dialler } from './dialler.ts'
import { createNode } from './libp2p-node.ts'
import { Misconduct } from './misconduct.ts'
import { GossipPubSub } from './libp2p-pubsub.ts'
import { Libp2pByteStream } from './libp2p-stream.ts'
import { Seeker } from './seeker.ts'
import { SecretWatch } from './secret-watch.ts'
import { StreamWatch } from './stream-watch.ts'

export type { Libp2pParts, Libp2pTransportOptions } from './libp2p-node.ts'

/** A Transport that also keeps an address book. */
export interface Libp2pTransport extends Transport, AddressBook {
  /** For components that are themselves parts of libp2p. */
  readonly node: Libp2p
  /** The network may be another one: members that could not be reached may be tried again at once. */
  forgetPauses: () => void
}

export interface Libp2pTransportComponents extends Libp2pParts {
  readonly logger: ComponentLogger
  /** @default systemClock */
  readonly clock?: Clock | undefined
}

/** Throws InvalidConfigError for a malformed secret. */
export async function createLibp2pTransport (components: Libp2pTransportComponents, options: Libp2pTransportOptions): Promise<Libp2pTransport> {
  const log = components.logger.forComponent('cluster')
  const clock = components.clock ?? systemClock
  const watch = new SecretWatch(clock, log)
  let discovered: (peer: PeerInfo) => void = () => {}
  const peerDiscovery = components.peerDiscovery?.map((create) => (parts: Parameters<typeof create>[0]) => {
    const discovery = create(parts)
    discovery.addEventListener('peer', ({ detail }) => { discovered(detail) })
    return discovery
  })
  let refused: (peer: PeerId) => void = () => {}
  const misconduct = new Misconduct({ log, onRefused: (peer) => { refused(peer) } })
  const node = await createNode({ ...components, peerDiscovery }, options, { watch, misconduct })
  const transport = new NodeTransport(node, options, { watch, misconduct, log, clock })
  refused = (peer) => { transport.hangUp(peer) }
  discovered = (peer) => { transport.meet(peer) }
  if (options.secret === '') log.warn('cluster.secret is empty: anybody who reaches this peer can connect to it')
  return transport
}

interface NodeTransportParts { readonly watch: SecretWatch, readonly misconduct: Misconduct, readonly log: Logger, readonly clock: Clock }

/** Addresses of one peer that are remembered at a time. */
const maxAddresses = 32

class NodeTransport implements Libp2pTransport {
  readonly node: Libp2p
  readonly #pubsub: GossipPubSub
  readonly #connections: Connections
  readonly #counters: BandwidthCounter
  readonly #watch: SecretWatch
  readonly #misconduct: Misconduct
  readonly #streams: StreamWatch
  readonly #log: Logger
  readonly #dialler: Dialler
  readonly #seeker: Seeker
  readonly #background = new Set<Promise<void>>()

  constructor (node: Libp2p<{ pubsub: GossipSub }>, options: Libp2pTransportOptions, { watch, misconduct, log, clock }: NodeTransportParts) {
    this.node = node
    this.#log = log
    this.#watch = watch
    this.#misconduct = misconduct
    const penalize = (peer: PeerId, offence: string, points: number): void => { misconduct.report(peer, offence, points) }
    this.#pubsub = new GossipPubSub(node.services.pubsub, log, { clock, penalize, isRefused: (peer) => misconduct.isRefused(peer), onBytes: () => { this.#streams.touch() }, heard: (peer) => { this.#seeker.heard(peer) } })
    this.#streams = new StreamWatch({ connections: () => node.getConnections(), penalize }, options.streamLimits)
    node.addEventListener('connection:open', () => { this.#streams.touch() })
    this.#counters = new BandwidthCounter(clock.now)
    this.#connections = new Connections(node, { high: options.highWater ?? 400, low: options.lowWater ?? 100, grace: options.gracePeriod ?? 120_000 }, clock)
    this.#dialler = new Dialler({ node, connections: this.#connections, watch, clock, log }, options.dialTimeout ?? 3000)
    this.#seeker = new Seeker({ self: node.peerId, connectedPeers: () => this.#connections.peers(), connect: async (peer, abort) => await this.#dialler.dial(peer, abort), clock, log }, options.seek ?? 0)
    this.#connections.listen('connect', (peer) => {
      const connection = this.#connections.to(peer)
      if (connection !== undefined) this.#watch.forget(connection.remoteAddr)
      if (this.#connections.isProtected(peer)) this.#run(this.#tag(peer))
    })
  }

  get peerId (): PeerId { return this.node.peerId }

  get pubsub (): PubSub { return this.#pubsub }

  async start (): Promise<void> {
    try {
      await this.node.start()
    } catch (error) {
      throw listenFailure(error)
    }
    this.#pubsub.start()
  }

  async stop (): Promise<void> {
    this.#pubsub.stop()
    await Promise.all([this.#seeker.stop(), this.#dialler.stop()])
    await this.node.stop()
    await Promise.all(this.#background)
  }

  addresses (): readonly Multiaddr[] { return this.node.getMultiaddrs().map((address) => withPeer(address, this.peerId)) }

  async addressesOf (peers: readonly PeerId[]): Promise<readonly Multiaddr[]> {
    const found = await Promise.all(peers.map(async (peer) => await this.#dialler.addressBook(peer)))
    return found.flat()
  }

  async remember (addresses: readonly Multiaddr[]): Promise<void> {
    const byPeer = Map.groupBy(addresses, (address) => peerOf(address)?.toString() ?? '')
    for (const multiaddrs of byPeer.values()) {
      const peer = multiaddrs[0] === undefined ? undefined : peerOf(multiaddrs[0])
      if (peer !== undefined && !peer.equals(this.peerId)) await this.node.peerStore.merge(peer, { multiaddrs: multiaddrs.slice(0, maxAddresses) })
    }
  }

  async known (): Promise<readonly KnownPeer[]> {
    const peers = await this.node.peerStore.all()
    return peers
      .filter(({ id }) => !id.equals(this.peerId))
      .map(({ id, addresses }) => ({ peer: id, addresses: addresses.map(({ multiaddr }) => withPeer(multiaddr, id)) }))
  }

  async connect (target: PeerId | Multiaddr, options?: AbortOptions): Promise<PeerId> {
    const { remotePeer } = await this.#dialler.dial(target, options)
    return remotePeer
  }

  connectedPeers (): readonly PeerId[] { return this.#connections.peers() }

  onConnect (listener: (peer: PeerId) => void): () => void { return this.#connections.listen('connect', listener) }

  onDisconnect (listener: (peer: PeerId) => void): () => void { return this.#connections.listen('disconnect', listener) }

  async openStream (peer: PeerId, protocol: string, { signal }: AbortOptions = {}): Promise<ByteStream> {
    const connection = this.#connections.to(peer) ?? await this.#dialler.dial(peer, { signal })
    // A relayed connection is here only when nothing better was found.
    const stream = await connection.newStream(protocol, { maxOutboundStreams: 4096, runOnLimitedConnection: true, ...signal === undefined ? {} : { signal } })
    return new Libp2pByteStream(stream, peer, this.#counters.counter(protocol))
  }

  async handle (protocol: string, handler: (stream: ByteStream) => void, { maxInboundStreams = 1024 }: StreamHandlerOptions = {}): Promise<void> {
    await this.node.handle(protocol, (stream, { remotePeer }) => {
      handler(new Libp2pByteStream(stream, remotePeer, this.#counters.counter(protocol)))
      stream.addEventListener('message', () => { this.#streams.touch() })
    }, { maxInboundStreams, maxOutboundStreams: 4096, runOnLimitedConnection: true })
  }

  async unhandle (protocol: string): Promise<void> { await this.node.unhandle(protocol) }

  protect (peer: PeerId): void {
    if (this.#connections.isProtected(peer) || peer.equals(this.peerId)) return
    this.#connections.protect(peer)
    this.#run(this.#tag(peer))
  }

  penalize (peer: PeerId, offence: string, points: number): void { this.#misconduct.report(peer, offence, points) }

  /** The peer is refused from now on. */
  hangUp (peer: PeerId): void {
    for (const connection of this.node.getConnections(peer)) connection.abort(new Error('this peer misbehaves'))
  }

  forgetPauses (): void { this.#seeker.forgetPauses() }

  bandwidth (): ReturnType<BandwidthCounter['snapshot']> { return this.#counters.snapshot() }

  /** Dials somebody found in the neighbourhood. */
  meet ({ id, multiaddrs }: PeerInfo): void {
    if (this.node.status !== 'started' || this.#connections.to(id) !== undefined || id.equals(this.peerId)) return
    this.#run(this.remember(multiaddrs.map((address) => withPeer(address, id)))
      .then(async () => { await this.connect(id) })
      .catch((error: unknown) => { this.#log.debug('could not reach discovered %s: %s', id, errorText(error)) }))
  }

  /** The first tag keeps libp2p from closing the connection, the second makes it redial a few times when it breaks. */
  async #tag (peer: PeerId): Promise<void> {
    try {
      await this.node.peerStore.merge(peer, { tags: { 'pinswarm-protected': { value: 100 }, [`${KEEP_ALIVE}-pinswarm`]: { value: 1 } } })
    } catch (error) {
      this.#log.warn('could not protect %s: %s', peer, errorText(error))
    }
  }

  #run (work: Promise<void>): void {
    this.#background.add(work)
    void work.finally(() => this.#background.delete(work))
  }
}

/** Which key of the configuration made listening fail. */
function listenFailure (error: unknown): unknown {
  const text = errorText(error)
  if (!(error instanceof Error) || !error.name.startsWith('UnsupportedListenAddress')) return error
  const lines = text.split('\n').map((line) => line.trim()).filter((line) => line.startsWith('/'))
  return new InvalidConfigError('cluster.listen_multiaddress', `cannot listen on ${lines.join(', ')}${text.includes('EADDRINUSE') ? ' (another program uses the port)' : ''}`, { cause: error })
}
