/** The components of a full peer, made from its configuration. */
import type { Multiaddr } from '@multiformats/multiaddr'
import type { PeerComponents, PeerOptions } from '../src/cluster/components.ts'
import { memberComponents } from '../src/cluster/member.ts'
import type { ComponentLogger, Startable } from '../src/component.ts'
import type { Config } from '../src/config/config.ts'
import { isSynced } from '../src/config/datastore.ts'
import { informers } from '../src/informer/index.ts'
import type { IpfsConnector } from '../src/ipfs/ipfs.ts'
import { KuboConnector } from '../src/ipfs/kubo.ts'
import type { Measures } from '../src/observations/measures.ts'
import type { Store } from '../src/store/store.ts'
import { isWebRtcDirect } from '../src/transport/addresses.ts'
import { Bootstrap } from '../src/transport/bootstrap.ts'
import { createLibp2pTransport } from '../src/transport/libp2p.ts'
import type { Libp2pTransport } from '../src/transport/libp2p.ts'
import { version } from '../src/version.ts'
import { readNamed } from './files.ts'
import type { Folder } from './folder.ts'
import type { Identity } from './identity.ts'
import { openHelia } from './ipfs/helia-node.ts'
import { nodeKuboPost } from './ipfs/kubo-post.ts'
import { directCertificate } from './transport/direct-certificate.ts'
import { nodeTransports } from './transport/node-transports.ts'

export interface AssembleParts {
  readonly config: Config
  readonly identity: Identity
  readonly folder: Folder
  readonly logger: ComponentLogger
  readonly store: Store
  /** Where the components count what they do. */
  readonly measures: Measures
  /** Members known from before: the peerstore file, those to join through. */
  readonly knownAddresses: readonly Multiaddr[]
  /** Where members say that their IPFS listens. */
  readonly ipfsAddresses: () => readonly Multiaddr[]
}

export interface Assembled {
  readonly transport: Libp2pTransport
  readonly components: PeerComponents
  readonly options: PeerOptions
}

interface OpenConnector { readonly connector: IpfsConnector, readonly services: readonly Startable[] }

async function openConnector ({ config, folder, logger, measures, ipfsAddresses }: AssembleParts): Promise<OpenConnector> {
  const ipfs = config.ipfsConnector
  if (ipfs.kind === 'helia') {
    const { storageMax, network, pinTimeout, sync } = ipfs.helia
    return { services: [], connector: await openHelia(folder.at(ipfs.helia.folder), { logger, measures }, { storageMax: BigInt(storageMax), network, pinTimeout, sync, sources: ipfsAddresses }) }
  }
  const { nodeMultiaddress, ipfsRequestTimeout, pinTimeout, unpinTimeout, repogcTimeout, unpinDisable } = ipfs.ipfshttp
  const poster = nodeKuboPost()
  const connector = new KuboConnector(nodeMultiaddress, { logger, measures }, { requestTimeout: ipfsRequestTimeout, pinTimeout, unpinTimeout, repoGcTimeout: repogcTimeout, unpinDisable, post: poster.post })
  return { connector, services: [{ start: async () => {}, stop: async () => { poster.close() } }] }
}

async function openTransport ({ config: { cluster }, identity, folder, logger }: AssembleParts): Promise<Libp2pTransport> {
  const { listenMultiaddress: listen, connectionManager, pubsub, tlsCertFile, tlsKeyFile } = cluster
  const tls = tlsCertFile === '' ? undefined : { cert: await readNamed(folder.at(tlsCertFile), 'cluster.tls_cert_file'), key: await readNamed(folder.at(tlsKeyFile), 'cluster.tls_key_file') }
  const certificate = listen.some(isWebRtcDirect) ? await directCertificate(folder.at('webrtc-direct.pem')) : undefined
  return await createLibp2pTransport({ privateKey: identity.privateKey, logger, ...nodeTransports({ listen, tls, certificate, secret: cluster.secret, mdnsInterval: cluster.mdnsInterval, relayHop: cluster.enableRelayHop }) }, {
    listen,
    announce: cluster.announceMultiaddress,
    noAnnounce: cluster.noAnnounceMultiaddress,
    secret: cluster.secret,
    agentVersion: `pinswarm/${version}`,
    highWater: connectionManager.highWater,
    lowWater: connectionManager.lowWater,
    gracePeriod: connectionManager.gracePeriod,
    dialTimeout: cluster.dialPeerTimeout,
    pubsub: {
      heartbeatInterval: pubsub.heartbeatInterval, dFactor: pubsub.dFactor, historyLength: pubsub.historyLength, historyGossip: pubsub.historyGossip,
      seenTtl: pubsub.seenMessagesTtl, floodPublish: pubsub.floodPublish, peerExchange: !cluster.followerMode
    }
  })
}

export const peerOptions = ({ config: { cluster, ipfsConnector: ipfs, pinTracker, monitor } }: Pick<AssembleParts, 'config'>): PeerOptions => ({
  peername: cluster.peername,
  replicationFactorMin: cluster.replicationFactorMin,
  replicationFactorMax: cluster.replicationFactorMax,
  stateSyncInterval: cluster.stateSyncInterval,
  pinRecoverInterval: cluster.pinRecoverInterval,
  monitorPingInterval: cluster.monitorPingInterval,
  pinOnlyOnTrustedPeers: cluster.pinOnlyOnTrustedPeers,
  pinOnlyOnUntrustedPeers: cluster.pinOnlyOnUntrustedPeers,
  disableRepinning: cluster.disableRepinning,
  allowLightPeers: cluster.allowLightPeers,
  followerMode: cluster.followerMode,
  connectSwarmsDelay: ipfs.kind === 'ipfshttp' ? ipfs.ipfshttp.connectSwarmsDelay : undefined,
  informerTriggerInterval: ipfs.kind === 'ipfshttp' ? ipfs.ipfshttp.informerTriggerInterval : ipfs.helia.informerTriggerInterval,
  tracker: pinTracker.stateless,
  monitor: { checkInterval: monitor.pubsubmon.checkInterval }
})

/** Nothing is started yet; the store stays the caller's. */
export async function assemble (parts: AssembleParts): Promise<Assembled> {
  const { config, logger, store, measures } = parts
  const { crdt } = config.consensus
  const transport = await openTransport(parts)
  const { connector, services } = await openConnector(parts)
  const { disk, pinqueue, tags } = config.informer
  return {
    transport,
    options: peerOptions(parts),
    components: memberComponents({
      transport, store, connector, services, measures, logger,
      contentStore: { kind: config.ipfsConnector.kind === 'helia' ? 'helia' : 'kubo' },
      informers: [...disk === undefined ? [] : [informers.disk(disk)], ...pinqueue === undefined ? [] : [informers.pinqueue(pinqueue)], ...tags === undefined ? [] : [informers.tags(tags)]],
      bootstrap: new Bootstrap({ transport, logger }, { peerAddresses: config.cluster.peerAddresses, knownAddresses: parts.knownAddresses, lowWater: config.cluster.connectionManager.lowWater, dialTimeout: config.cluster.dialPeerTimeout })
    }, {
      allocator: { allocateBy: config.allocator.balanced.allocateBy },
      crdt: {
        clusterName: crdt.clusterName, trustedPeers: crdt.trustedPeers, batching: crdt.batching, repairInterval: crdt.repairInterval, rebroadcastInterval: crdt.rebroadcastInterval,
        peersetMetric: crdt.peersetMetric, namespace: crdt.datastoreNamespace, sync: isSynced(config.datastore.leveldb)
      }
    })
  }
}
