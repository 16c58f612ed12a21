import type { PeerId } from '@libp2p/interface'

/** A key of maps by peer; many times cheaper than the ID's text. */
export const peerKey = (peer: PeerId): string => String.fromCharCode(...peer.toMultihash().bytes)
