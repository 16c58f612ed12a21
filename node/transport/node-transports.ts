/** How a Node peer reaches others: TCP, WebSocket, and finding members on the local network. */
import type { Libp2pParts } from '../../src/transport/libp2p.ts'
import type { Multiaddr } from '@multiformats/multiaddr'
import { mdns } from '@libp2p/mdns'
import { tcp } from '@libp2p/tcp'
import { uPnPNAT } from '@libp2p/upnp-nat'
import { webSockets } from '@libp2p/websockets'
import { isLoopback } from '../../src/transport/addresses.ts'

export interface NodeTransportOptions {
  readonly listen: readonly Multiaddr[]
  /** `cluster.mdns_interval` in ms: how often the local network is asked; 0 is never. @default 10_000 */
  readonly mdnsInterval?: number | undefined
  /** Ask the router to map our ports. @default true */
  readonly portMapping?: boolean | undefined
}

/** The parts of a Libp2pTransport that only Node has. A peer that listens on loopback alone neither maps ports nor asks the local network. */
export function nodeTransports ({ listen, mdnsInterval = 10_000, portMapping = true }: NodeTransportOptions): Pick<Libp2pParts, 'transports' | 'peerDiscovery' | 'services'> {
  const beyond = listen.some((address) => !isLoopback(address))
  return {
    transports: [tcp(), webSockets()],
    ...mdnsInterval > 0 && beyond ? { peerDiscovery: [mdns({ serviceTag: '_ipfs-cluster-discovery._udp.local', interval: mdnsInterval })] } : {},
    ...portMapping && beyond ? { services: { portMapping: uPnPNAT({ portMappingDescription: 'pinswarm' }) } } : {}
  }
}
