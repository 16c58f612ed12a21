/** The IPFS network beyond the cluster as a tab sees it: the kubo of members, where a browser can dial it. Nobody is told of this tab, and nothing is served there. */
import type { ComponentLogger } from '../../src/component.ts'
import type { ContentNetwork } from '../../src/ipfs/helia.ts'
import { SourceNetwork } from '../../src/ipfs/source-network.ts'
import { isLoopback } from '../../src/transport/addresses.ts'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'

export interface KuboNetworkOptions {
  /** Where members say that their IPFS listens; each ends in /p2p/<id>. */
  readonly sources: () => readonly Multiaddr[]
  readonly logger: ComponentLogger
  /** The page came over https, so that it may not open unencrypted connections. @default as it is */
  readonly secure?: boolean | undefined
  /** Whether there is WebRTC; workers have none. @default as it is */
  readonly webRtc?: boolean | undefined
}

/** WebSocket, and webrtc-direct with the hash of its certificate; not through relays. */
export function isBrowserDialable (address: Multiaddr, { secure, webRtc }: { readonly secure: boolean, readonly webRtc: boolean }): boolean {
  const names = address.getComponents().map(({ name }) => name)
  if (names.includes('p2p-circuit')) return false
  if (names.includes('webrtc-direct')) return webRtc && names.includes('certhash')
  const encrypted = names.includes('wss') || (names.includes('ws') && names.includes('tls'))
  return encrypted || (names.includes('ws') && (!secure || isLoopback(address)))
}

/** Starts with the first block that no member gives, and only where there is an address to dial. The identity lasts as long as the page. */
export async function kuboNetwork ({ sources, logger, ...given }: KuboNetworkOptions): Promise<ContentNetwork> {
  const secure = given.secure ?? globalThis.location.protocol === 'https:'
  const webRtc = given.webRtc ?? typeof RTCPeerConnection !== 'undefined'
  const key = await generateKeyPair('Ed25519')
  return new SourceNetwork({
    id: peerIdFromPrivateKey(key), logger,
    isDialable: (address) => isBrowserDialable(address, { secure, webRtc }),
    open: async () => await (await import('./kubo-link.ts')).openKuboLink({ key, logger, webRtc })
  }, { sources })
}
