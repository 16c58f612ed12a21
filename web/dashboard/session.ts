/** What every view of the dashboard stands on: a peer, spoken to through the client of its API, and its stream of facts. */
import type { Added } from '../../src/adder/adder.ts'
import type { AddCallOptions, ClusterClient, UploadEntry } from '../../src/api/client.ts'
import type { ApiEvent } from '../../src/api/events.ts'
import type { WebPeer } from '../web-peer.ts'

/** `connecting`: the first try is under way; `offline`: the stream broke or never came, and is tried again by itself. */
export type LiveState = 'connecting' | 'live' | 'offline'
export type EventType = ApiEvent['type']

/** Facts as they happen. After an interruption subscribers of `events:dropped` hear one: what they hold may be old. */
export interface Live {
  readonly state: LiveState
  /** Why it is offline. */
  readonly failure: string | undefined
  /** Called after `state` changed; returns the way to stop listening. */
  readonly onState: (listener: () => void) => () => void
  readonly subscribe: (types: readonly EventType[], listener: (event: ApiEvent) => void) => () => void
  /** Tries again now instead of waiting. */
  readonly retry: () => void
}

/** Which peer the page shows, and how it reaches it: over HTTP, or in this browser. */
export interface Session {
  readonly mode: 'remote' | 'tab'
  readonly client: ClusterClient
  readonly live: Live
  /** The peer of this profile, in tab mode. */
  readonly peer?: WebPeer | undefined
  /** Name of the cluster or host, for headings. */
  readonly title: string
  /** Adds with a count of the bytes sent, in a way that every browser can. */
  readonly add: (entries: readonly UploadEntry[], options: AddCallOptions) => AsyncIterable<Added>
  /** Address of content that the browser may open by itself; undefined where only the client can read it. */
  readonly contentUrl?: ((path: string) => string) | undefined
  /** Ends it and forgets nothing: it can be opened again. */
  readonly close: () => Promise<void>
  /** Ends the session: forgets the login, or leaves the cluster and deletes what this profile stored. */
  readonly leave: () => Promise<void>
}
