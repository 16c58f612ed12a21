/** The peerset of CRDT mode: everybody with a valid metric, and ourselves (wire.md §4). */
import type { Monitor } from '../../monitor/monitor.ts'
import type { Peerset } from '../consensus.ts'
import type { PeerId } from '@libp2p/interface'
import { compareBytes } from '../../bytes.ts'

export class PeersetError extends Error {
  override name = 'PeersetError'
}

export function createMetricPeerset (components: { readonly self: PeerId, readonly monitor: Pick<Monitor, 'latestValid'> }, metric: string): Peerset {
  return {
    peers: async () => {
      const peers = new Map([[components.self.toString(), components.self]])
      for (const { peer } of components.monitor.latestValid(metric)) peers.set(peer.toString(), peer)
      return [...peers.values()].sort((one, other) => compareBytes(one.toMultihash().bytes, other.toMultihash().bytes))
    },
    // A peer is a member as long as it sends metrics: nothing to add, and no way to remove it.
    add: async () => {},
    remove: async () => { throw new PeersetError('crdt consensus component cannot remove peers') }
  }
}
