/** Who acts where one must (behaviour.md §9). */
import { closestAmong } from '../pin/distance.ts'
import type { Pin } from '../pin/pin.ts'
import type { PeerContext } from './components.ts'
import type { PeerId } from '@libp2p/interface'

/** Whether this peer is the closest to a pin among the trusted members, leaving one out. Light peers are no rivals: one that sleeps, or only reads, would leave the work undone. */
export async function closestFor ({ self, consensus: { peerset, trust }, monitor }: Pick<PeerContext, 'self' | 'consensus' | 'monitor'>, except?: PeerId): Promise<(pin: Pin) => boolean> {
  const rivals = (await peerset.peers()).filter((peer) => !peer.equals(self) && trust.isTrusted(peer) && monitor.latestPing(peer)?.light !== true && !(except?.equals(peer) ?? false))
  const isClosest = closestAmong(self, rivals)
  return ({ cid }) => isClosest(cid)
}
