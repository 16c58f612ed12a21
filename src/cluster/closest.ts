/** Who acts where one must (behaviour.md §9). */
import { closestAmong } from '../pin/distance.ts'
import type { PeerContext } from './components.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

/** Whether this peer is the closest to a CID among the trusted members, leaving some out. Light peers are no rivals: one that sleeps, or only reads, would leave the work undone. */
export async function closestFor ({ self, consensus: { peerset, trust }, monitor }: Pick<PeerContext, 'self' | 'consensus' | 'monitor'>, except: readonly PeerId[] = []): Promise<(cid: CID) => boolean> {
  return closestAmong(self, (await peerset.peers()).filter((peer) => !peer.equals(self) && trust.isTrusted(peer) && monitor.latestPing(peer)?.light !== true && !except.some((left) => left.equals(peer))))
}
