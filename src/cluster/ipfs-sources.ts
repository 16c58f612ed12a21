/** Where content may be had outside the cluster: the IPFS of members, as their pings announce it. */
import { decodePingValue } from '../monitor/ping-value.ts'
import { peerOf, withPeer } from '../transport/addresses.ts'
import type { Cluster } from './cluster.ts'
import type { Multiaddr } from '@multiformats/multiaddr'

/** Addresses of the members' IPFS, without this peer's own; each ends in /p2p/<id>. */
export const ipfsSources = (cluster: Pick<Cluster, 'peerId' | 'metrics'>): readonly Multiaddr[] =>
  cluster.metrics('ping').flatMap(({ peer, value }) => peer.equals(cluster.peerId) ? [] : addressesIn(value))

function addressesIn (ping: string): readonly Multiaddr[] {
  try {
    const { ipfsId, ipfsAddresses } = decodePingValue(ping)
    return ipfsAddresses.flatMap((address) => peerOf(address) !== undefined ? [address] : ipfsId === undefined ? [] : [withPeer(address, ipfsId)])
  } catch { return [] }
}
