/** Who may change the pinset: signers of heads, and callers of trusted RPC (wire.md §3.8). */
import type { Trust } from '../consensus.ts'
import type { PeerId } from '@libp2p/interface'

/** `*`: everybody. */
export type TrustedPeers = '*' | readonly PeerId[]

/** `onTrusted` hears of each peer that is trusted by name, so that connections to it are kept. */
export function createTrust (self: PeerId, trusted: TrustedPeers, onTrusted: (peer: PeerId) => void = () => {}): Trust {
  const peers = new Set(trusted === '*' ? [] : trusted.map(String))
  if (trusted !== '*') trusted.forEach(onTrusted)
  return {
    isTrusted: (peer) => trusted === '*' || peer.equals(self) || peers.has(peer.toString()),
    trust: (peer) => {
      peers.add(peer.toString())
      onTrusted(peer)
    },
    distrust: (peer) => { peers.delete(peer.toString()) }
  }
}
