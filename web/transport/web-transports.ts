/** How a tab reaches others: WebSocket to members that listen, WebRTC to other tabs, webrtc-direct to Node peers. */
import type { Libp2pParts } from '../../src/transport/libp2p.ts'
import type { WebRtcOptions } from '../../src/transport/webrtc.ts'
import { webSockets } from '@libp2p/websockets'
import { multiaddr } from '@multiformats/multiaddr'
import type { Multiaddr } from '@multiformats/multiaddr'
import { webRtcTransports } from '../../src/transport/webrtc.ts'

/** Workers have no WebRTC: with it configured they would announce addresses that nobody can dial. */
const hasWebRtc = typeof RTCPeerConnection !== 'undefined'

/** Where a tab can be reached: through any member that relays, and from there directly. */
export const webListen: readonly Multiaddr[] = ['/p2p-circuit', ...hasWebRtc ? ['/webrtc'] : []].map((text) => multiaddr(text))

/** The parts of a Libp2pTransport that a tab has. */
export const webTransports = (options: WebRtcOptions): Pick<Libp2pParts, 'transports'> => ({
  transports: [webSockets(), ...hasWebRtc ? webRtcTransports(options) : []]
})
