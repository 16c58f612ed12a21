/** Who may change the pinset: signers of heads, and callers of trusted RPC (wire.md §3.8). */
import type { Trust } from '../consensus.ts'
import type { PeerId } from '@libp2p/interface'

/** `*`: everybody. */
export type TrustedPeers = '*' | readonly PeerId[]

export function createTrust (self: PeerId, trusted: TrustedPeers): Trust {
  const peers = new Set(trusted === '*' ? [] : trusted.map(String))
  return {
    isTrusted: (peer) => trusted === '*' || peer.equals(self) || peers.has(peer.toString()),
    trust: (peer) => { peers.add(peer.toString()) },
    distrust: (peer) => { peers.delete(peer.toString()) }
  }
}
