/** How a Node peer reaches others: TCP, WebSocket, and finding members on the local network. */
import type { Libp2pParts } from '../../src/transport/libp2p.ts'
import type { TransportCertificate } from '@libp2p/webrtc'
import type { Multiaddr } from '@multiformats/multiaddr'
import { mdns } from '@libp2p/mdns'
import { tcp } from '@libp2p/tcp'
import { uPnPNAT } from '@libp2p/upnp-nat'
import { webSockets } from '@libp2p/websockets'
import { isLoopback, isRelayed, isWebRtc } from '../../src/transport/addresses.ts'
import { fullServices } from '../../src/transport/full-services.ts'
import type { FullServicesOptions } from '../../src/transport/full-services.ts'
import { listenOnly, webRtcTransports } from '../../src/transport/webrtc.ts'

export interface NodeTransportOptions extends FullServicesOptions {
  readonly listen: readonly Multiaddr[]
  /** 64 hex characters, or the empty string for an open swarm. */
  readonly secret: string
  /** `cluster.mdns_interval` in ms: how often the local network is asked; 0 is never. @default 10_000 */
  readonly mdnsInterval?: number | undefined
  /** PEM texts for `/tls/ws` addresses. */
  readonly tls?: { readonly cert: string, readonly key: string } | undefined
  /** Of the webrtc-direct listener. @default a new one at each start */
  readonly certificate?: TransportCertificate | undefined
  /** Ask the router to map our ports. @default true */
  readonly portMapping?: boolean | undefined
}

/** The parts of a Libp2pTransport that only Node has. A peer that listens on loopback alone neither maps ports nor asks the local network. */
export function nodeTransports ({ listen, secret, tls, certificate, mdnsInterval = 10_000, portMapping = true, ...full }: NodeTransportOptions): Pick<Libp2pParts, 'transports' | 'peerDiscovery' | 'services'> {
  const beyond = listen.some((address) => !isLoopback(address) && !isRelayed(address) && !isWebRtc(address))
  const [webRtc, direct] = webRtcTransports({ certificate })
  return {
    // Who listens by webrtc-direct is there by TCP, too. And node-datachannel 0.33.4 can end a process that gives up a dial while it listens.
    transports: [tcp(), webSockets(tls === undefined ? {} : { https: tls }), webRtc, listenOnly(direct)],
    ...mdnsInterval > 0 && beyond ? { peerDiscovery: [mdns({ serviceTag: '_ipfs-cluster-discovery._udp.local', interval: mdnsInterval })] } : {},
    services: {
      ...fullServices({ ...full, dht: full.dht ?? secret !== '' }),
      ...portMapping && beyond ? { portMapping: uPnPNAT({ portMappingDescription: 'pinswarm' }) } : {}
    }
  }
}
