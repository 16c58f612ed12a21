/** The libp2p node behind the private network: which parts it has and how they are set (wire.md §1.2, §1.4). */
import type { PubSubOptions } from './libp2p-pubsub.ts'
import type { Misconduct } from './misconduct.ts'
import type { SecretWatch } from './secret-watch.ts'
import type { StreamLimits } from './stream-watch.ts'
import type { GossipSub } from '@libp2p/gossipsub'
import type { PrivateKey } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Datastore } from 'interface-datastore'
import type { Libp2p, Libp2pOptions } from 'libp2p'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { yamux } from '@libp2p/yamux'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { createLibp2p } from 'libp2p'
import { hiddenBy, isQuic } from './addresses.ts'
import { boundDatastore } from './bounded-datastore.ts'
import { gossipOptions } from './libp2p-pubsub.ts'
import { Membership } from './membership.ts'
import { parseSecret } from './secret.ts'

type Factories<Key extends keyof Libp2pOptions> = NonNullable<Libp2pOptions[Key]>

/** What the platform brings. */
export interface Libp2pParts {
  readonly privateKey: PrivateKey
  /** TCP, WebSocket…; the relay client is added here. */
  readonly transports: Factories<'transports'>
  /** Finds members without being told of them (mDNS); whoever is found is dialled. */
  readonly peerDiscovery?: Factories<'peerDiscovery'> | undefined
  /** More services: the DHT, relaying, port mapping… */
  readonly services?: Factories<'services'> | undefined
  /** Keeps known peers and DHT records; in memory when absent. */
  readonly datastore?: Datastore | undefined
}

/** Settings of the private network, named after their keys in `cluster`. */
export interface Libp2pTransportOptions {
  /** QUIC addresses are skipped: QUIC carries no private network. */
  readonly listen: readonly Multiaddr[]
  /** Announced instead of what is listened on. @default [] */
  readonly announce?: readonly Multiaddr[] | undefined
  /** Never announced: exact addresses, or ranges such as `/ip4/10.0.0.0/ipcidr/8`. @default [] */
  readonly noAnnounce?: readonly Multiaddr[] | undefined
  /** 64 hex characters, or the empty string for an open swarm. */
  readonly secret: string
  /** How this program calls itself to other peers. @default 'pinswarm' */
  readonly agentVersion?: string | undefined
  /** Connections at which trimming begins. @default 400 */
  readonly highWater?: number | undefined
  /** Connections that trimming leaves. @default 100 */
  readonly lowWater?: number | undefined
  /** Age in ms up to which a connection is not trimmed. @default 120_000 */
  readonly gracePeriod?: number | undefined
  /** For one address, in ms. @default 3000 */
  readonly dialTimeout?: number | undefined
  /** Connections up to which members are connected to that are only heard of; a tab's way to other tabs. @default 0 */
  readonly seek?: number | undefined
  readonly pubsub?: PubSubOptions | undefined
  readonly streamLimits?: Partial<StreamLimits> | undefined
}

/** Most bytes that a fast remote may send ahead of a reader of one stream, and that are kept when it does. */
const streamWindow = 2_097_152
const streamBuffer = 8_388_608
const day = 86_400_000

/** A node that is not started yet. */
export async function createNode (parts: Libp2pParts, options: Libp2pTransportOptions, { watch, misconduct }: { readonly watch: SecretWatch, readonly misconduct: Pick<Misconduct, 'isRefused'> }): Promise<Libp2p<{ pubsub: GossipSub }>> {
  const secret = parseSecret(options.secret)
  const { announce = [], noAnnounce = [], highWater = 400, dialTimeout = 3000, agentVersion = 'pinswarm' } = options
  const hidden = hiddenBy(noAnnounce)
  const self = peerIdFromPrivateKey(parts.privateKey)
  const members = new Membership({ secret, watch, self })
  const { connectionGater: { denyInboundEncryptedConnection, denyOutboundEncryptedConnection }, ...guards } = members.guards
  const node = await createLibp2p({
    start: false,
    privateKey: parts.privateKey,
    nodeInfo: { userAgent: agentVersion },
    addresses: {
      listen: options.listen.filter((address) => !isQuic(address)).map(String),
      announce: announce.map(String),
      announceFilter: (addresses) => addresses.filter((address) => !hidden(address))
    },
    transports: [...parts.transports.map((create) => members.guard(create)), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ maxInboundStreams: 4096, maxOutboundStreams: 4096, maxEarlyStreams: 256, streamOptions: { maxStreamWindowSize: streamWindow, maxReadBufferLength: streamBuffer } })],
    ...guards,
    connectionGater: {
      denyDialMultiaddr: (address) => watch.isPaused(address),
      denyDialPeer: (peer) => misconduct.isRefused(peer),
      filterMultiaddrForPeer: () => true,
      denyInboundEncryptedConnection: async (peer, connection) => misconduct.isRefused(peer) || await denyInboundEncryptedConnection?.(peer, connection) === true,
      denyOutboundEncryptedConnection: async (peer, connection) => misconduct.isRefused(peer) || await denyOutboundEncryptedConnection?.(peer, connection) === true
    },
    connectionManager: {
      // Trimming to the low water is ours; this is only the last resort.
      maxConnections: 2 * highWater,
      dialTimeout,
      addressDialTimeout: dialTimeout,
      // Many members may share one host or one NAT.
      inboundConnectionThreshold: 1000,
      maxIncomingPendingConnections: 200
    },
    connectionMonitor: { pingInterval: 15_000, pingTimeout: { minTimeout: 20_000 } },
    peerStore: { maxAddressAge: day, maxPeerAge: 7 * day },
    ...parts.peerDiscovery === undefined ? {} : { peerDiscovery: parts.peerDiscovery },
    ...parts.datastore === undefined ? {} : { datastore: parts.datastore },
    services: { identify: identify(), identifyPush: identifyPush(), ping: ping(), ...parts.services, pubsub: gossipsub(gossipOptions(options.pubsub)) }
  })
  if (parts.datastore === undefined) boundDatastore(datastoreOf(node), () => new Set([self, ...node.getPeers()].map((peer) => `/peers/${peer.toCID().toString()}`)))
  return node
}

/** It is made by libp2p, and shared by its parts. */
function datastoreOf (node: object): Datastore {
  const { datastore } = (node as { readonly components?: { readonly datastore?: Datastore } }).components ?? {}
  if (datastore === undefined) throw new Error('this version of libp2p hides its datastore: what members make it keep could not be bounded')
  return datastore
}
