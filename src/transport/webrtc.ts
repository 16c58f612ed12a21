/** WebRTC in both homes: tab to tab through a relay, and tab to a Node peer directly. Connections are members' or none. */
import type { Transport } from '@libp2p/interface'
import type { WebRTCDirectTransportComponents, WebRTCTransportComponents } from '@libp2p/webrtc'
import { webRTC, webRTCDirect } from '@libp2p/webrtc'
import { membersOnly } from './member-webrtc.ts'
import { parseSecret } from './secret.ts'

export interface WebRtcOptions {
  /** 64 hex characters, or the empty string for an open swarm: everybody is let in. */
  readonly secret: string
  /** STUN and TURN servers. @default none: nobody outside is asked */
  readonly iceServers?: readonly RTCIceServer[] | undefined
}

/** An RTCIceServer, which not every home's types know. */
interface RTCIceServer { urls: string | string[], username?: string, credential?: string }

const configuration = ({ iceServers = [] }: WebRtcOptions): { iceServers: RTCIceServer[] } => ({ iceServers: [...iceServers] })

/** `/webrtc`: peers that nobody can dial meet over a relayed connection and go on without it. */
export function memberWebRtc (options: WebRtcOptions): (components: WebRTCTransportComponents) => Transport {
  const factory = webRTC({ rtcConfiguration: configuration(options) })
  const secret = parseSecret(options.secret)
  return secret === undefined ? factory : membersOnly(factory, { secret })
}

/** `/webrtc-direct`: a Node peer listens on UDP, without a domain or a certificate of any authority. */
export function memberWebRtcDirect (options: WebRtcOptions): (components: WebRTCDirectTransportComponents) => Transport {
  const factory = webRTCDirect({ rtcConfiguration: configuration(options) })
  const secret = parseSecret(options.secret)
  return secret === undefined ? factory : membersOnly(factory, { secret })
}
