/** What is used of WebRTC: its types belong to pages, and this runs in Node too. */

/** An RTCDataChannel. */
export interface DataChannel {
  binaryType: string
  readonly readyState: string
  readonly bufferedAmount: number
  bufferedAmountLowThreshold: number
  onopen: (() => void) | null
  onclose: (() => void) | null
  onbufferedamountlow: (() => void) | null
  onmessage: ((event: { readonly data: unknown }) => void) | null
  send: (data: Uint8Array<ArrayBuffer>) => void
  close: () => void
}

interface Description { readonly sdp?: string | undefined }

/** An RTCPeerConnection. */
export interface PeerConnection {
  readonly localDescription: Description | null
  readonly remoteDescription: Description | null
  readonly sctp?: { readonly maxMessageSize: number } | null | undefined
  /** Of a webrtc-direct listener, which learns the dialler's certificate from its handshake only. */
  readonly remoteFingerprint?: (() => { readonly value: string }) | undefined
  readonly createDataChannel: (label: string, options: { readonly negotiated: true, readonly id: number }) => DataChannel
}

/** Most bytes that any implementation of webrtc-direct takes in one message. */
const smallMessage = 16_384
const largeMessage = 65_536

/** Bytes that may go into one message. */
export const messageSize = ({ sctp }: PeerConnection): number => Math.min(sctp?.maxMessageSize ?? smallMessage, largeMessage) || largeMessage
