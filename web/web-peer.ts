/** The peer of a browser tab as its users see it: the door `pinswarm/web`. */
import type { AddOptions, Added } from '../src/adder/adder.ts'
import type { ClusterClient } from '../src/api/client.ts'
import type { UploadEntry } from '../src/api/multipart/writer.ts'
import type { AbortOptions, ComponentLogger, Startable } from '../src/component.ts'
import type { JoinLink } from '../src/join/join-link.ts'
import type { PinOptions } from '../src/pin/pin.ts'
import type { WebRtcOptions } from '../src/transport/webrtc.ts'
import type { PeerId } from '@libp2p/interface'

export interface WebPeerOptions {
  /** A join link, its fragment, or what it says. @default what this profile joined before */
  readonly join?: string | JoinLink | undefined
  /** 64 hex characters, where the link carries none. */
  readonly secret?: string | undefined
  /** Keep the secret in this profile's storage, so that a reload does not ask for it. @default true */
  readonly keepSecret?: boolean | undefined
  /** Name of the peer. @default `tab-` and the end of its peer ID */
  readonly name?: string | undefined
  /** Prefix of the databases, locks and channels of this peer; one peer runs per store and profile. @default 'pinswarm' */
  readonly store?: string | undefined
  /** Most bytes of content kept here. @default half of what the browser grants */
  readonly storageMax?: bigint | undefined
  /** Keep what is pinned everywhere, as far as there is room. @default true */
  readonly keepEverywhere?: boolean | undefined
  /** STUN and TURN servers for WebRTC. @default none */
  readonly iceServers?: WebRtcOptions['iceServers']
  /** @default silent */
  readonly logger?: ComponentLogger | undefined
}

/**
 * `leader`: the peer runs in this tab; `follower`: it runs in another tab of this profile, and this one uses it;
 * `electing`: neither is known yet; `stopped`.
 */
export type WebPeerRole = 'electing' | 'leader' | 'follower' | 'stopped'

export interface WebPeerEvents {
  'role:changed': CustomEvent<WebPeerRole>
  /** The leader could not start, or lost what it stands on (its database was deleted, for instance). */
  'peer:failed': CustomEvent<Error>
}

/** A light peer, or the way to the one that runs in another tab: every call works in both. */
export interface WebPeer extends Startable {
  readonly role: WebPeerRole
  /** Everything a peer can do, wherever it runs. */
  readonly client: ClusterClient
  /** This profile's peer; known once started. */
  readonly peerId: PeerId
  /** What this peer joined, without the secret. */
  readonly joined: Omit<JoinLink, 'secret'>
  /** Resolves once at least one member is connected. */
  readonly connected: (options?: AbortOptions) => Promise<void>
  /** Asks the browser not to evict this peer's data; best from a click. */
  readonly persist: () => Promise<boolean>
  readonly add: (entries: readonly UploadEntry[], options?: Partial<Omit<AddOptions, 'pin'>> & { readonly pin?: Partial<PinOptions> | undefined }) => AsyncIterable<Added>
  readonly addEventListener: <K extends keyof WebPeerEvents>(type: K, listener: (event: WebPeerEvents[K]) => void) => void
  readonly removeEventListener: <K extends keyof WebPeerEvents>(type: K, listener: (event: WebPeerEvents[K]) => void) => void
  /** Stops the peer, forgets identity, secret and pinset, and deletes what this profile stored. */
  readonly leave: () => Promise<void>
}
