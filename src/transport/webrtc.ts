/** WebRTC in both homes: tab to tab through a relay, and tab to a Node peer directly. Membership is proven in membership.ts. */
import type { Libp2pParts } from './libp2p-node.ts'
import { webRTC, webRTCDirect } from '@libp2p/webrtc'

/** An RTCIceServer, which not every home's types know. */
interface IceServer { urls: string | string[], username?: string, credential?: string }

/** That of `@libp2p/webrtc`, said here once more: declarations of the package must not need what is bundled. */
interface DirectCertificate {
  /** PEM. */
  readonly privateKey: string
  readonly pem: string
  readonly certhash: string
}

export interface WebRtcOptions {
  /** STUN and TURN servers. @default none: nobody outside is asked */
  readonly iceServers?: readonly IceServer[] | undefined
  /** Of a webrtc-direct listener; its hash is part of the address. @default a new one at each start */
  readonly certificate?: DirectCertificate | undefined
}

/** Streams and connections as they are, but nobody is dialled by this transport. */
export const listenOnly = (factory: Libp2pParts['transports'][number]): Libp2pParts['transports'][number] => (components) => {
  const transport = factory(components)
  transport.dialFilter = () => []
  return transport
}

/** `/webrtc`: peers that nobody can dial meet over a relayed connection and go on without it. `/webrtc-direct`: a Node peer listens on UDP, without a domain or a certificate of any authority. */
export function webRtcTransports ({ iceServers = [], certificate }: WebRtcOptions = {}): readonly [webRtc: Libp2pParts['transports'][number], direct: Libp2pParts['transports'][number]] {
  const rtcConfiguration = { iceServers: [...iceServers] }
  return [webRTC({ rtcConfiguration }), webRTCDirect({ rtcConfiguration, ...certificate === undefined ? {} : { certificate } })]
}
