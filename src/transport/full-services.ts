/** What a peer with a fixed place does beyond speaking to members: finding, relaying, learning where it is (wire.md §1.2). A tab has none of it. */
import type { Libp2pParts } from './libp2p-node.ts'
import type { PeerInfo } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { autoNAT } from '@libp2p/autonat'
import { circuitRelayServer } from '@libp2p/circuit-relay-v2'
import { dcutr } from '@libp2p/dcutr'
import { kadDHT } from '@libp2p/kad-dht'
import { isLocal, isRelayed } from './addresses.ts'
import { relayClient } from './relay-client.ts'

export interface FullServicesOptions {
  /** Relay connections between other members. @default true */
  readonly relayHop?: boolean | undefined
  /** Find members' addresses through other members. @default true */
  readonly dht?: boolean | undefined
  /** Learn our own reachability, punch holes, and have a relay place where nobody can reach us. @default true */
  readonly nat?: boolean | undefined
}

/**
 * Places for members on the relay: only who holds the secret gets as far as asking for one. What goes over a relayed connection is limited
 * so that it counts as a makeshift and a direct one is looked for, but generously: where there is no direct way, content has to pass.
 */
const reservations = { maxReservations: 1024, reservationTtl: 7_200_000, defaultDurationLimit: 7_200_000, defaultDataLimit: 1n << 32n } as const

const keep = (test: (address: Multiaddr) => boolean) => (peer: PeerInfo): PeerInfo => ({ ...peer, multiaddrs: peer.multiaddrs.filter(test) })

/** For `Libp2pParts.services`. */
export function fullServices ({ relayHop = true, dht = true, nat = true }: FullServicesOptions = {}): NonNullable<Libp2pParts['services']> {
  const services = {
    ...dht
      ? {
          lanDht: kadDHT({ protocol: '/ipfs/lan/kad/1.0.0', clientMode: false, peerInfoMapper: keep((address) => isLocal(address) && !isRelayed(address)), allowQueryWithZeroPeers: true, logPrefix: 'libp2p:lan-dht', datastorePrefix: '/dht/lan', metricsPrefix: 'libp2p_lan_dht' }),
          wanDht: kadDHT({ protocol: '/ipfs/kad/1.0.0', peerInfoMapper: keep((address) => !isLocal(address)), allowQueryWithZeroPeers: true, logPrefix: 'libp2p:wan-dht', datastorePrefix: '/dht/wan', metricsPrefix: 'libp2p_wan_dht' })
        }
      : {},
    ...nat ? { autoNat: autoNAT(), dcutr: dcutr(), relayClient: relayClient() } : {},
    ...relayHop ? { relay: circuitRelayServer({ reservations }) } : {}
  }
  // They need identify and ping, which every node here has (libp2p-node.ts); the map's type cannot say so.
  return services as unknown as NonNullable<Libp2pParts['services']>
}
