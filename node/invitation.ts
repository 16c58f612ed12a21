/** What the join links of a peer say, from its configuration and where it listens. */
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Invitation } from '../src/api/invitation.ts'
import type { Config } from '../src/config/config.ts'
import { browserAddresses } from '../src/join/browser-addresses.ts'

/** Newcomers trust whom this peer trusts, and that is itself, too. */
export function invitationOf ({ cluster, consensus: { crdt } }: Config, self: PeerId, addresses: readonly Multiaddr[]): Invitation {
  const { clusterName, trustedPeers } = crdt
  return {
    clusterName, secret: cluster.secret, allowLightPeers: cluster.allowLightPeers,
    addresses: browserAddresses(addresses, cluster.announceMultiaddress),
    trustedPeers: trustedPeers === '*' || trustedPeers.some((peer) => peer.equals(self)) ? trustedPeers : [self, ...trustedPeers]
  }
}
