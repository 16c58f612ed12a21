/** Agreement on the pinset, split by job. CRDT implements it here, Raft later; leaders exist only inside Raft. */
import type { AbortOptions, Startable } from '../component.ts'
import type { PinJson } from '../pin/pin-json.ts'
import type { Pin } from '../pin/pin.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

/** What the agreed pinset does to this peer. Both are idempotent; order follows the state. */
export interface PinsetHooks {
  /** The winning value of a CID is now this pin. */
  pinned: (pin: Pin) => void
  /** The CID is no longer in the pinset. */
  unpinned: (cid: CID) => void
}

export interface PinsFilter extends AbortOptions {
  /** Flags of pin types (`pinTypeFlag`). @default all */
  types?: number | undefined
}

/** Reads of the agreed pinset. Never an array: it may hold millions. */
export interface PinsetReader {
  get: (cid: CID, options?: AbortOptions) => Promise<Pin | undefined>
  has: (cid: CID, options?: AbortOptions) => Promise<boolean>
  /** Number of pins; kept, not counted. */
  count: () => number
  pins: (filter?: PinsFilter) => AsyncIterable<Pin>
  /** Chunks of the stored JSON lines (rest-api.md §3.1), without line ends: what listings and exports write. */
  lines: (filter?: PinsFilter) => AsyncIterable<readonly Uint8Array[]>
  /** Chunks of the lines as JSON values: for listings that need a few fields of millions of pins. */
  listed: (filter?: PinsFilter) => AsyncIterable<readonly PinJson[]>
  /** Pins whose expiry is before `now` (unix ms), by index. */
  expired: (now: number, options?: AbortOptions) => AsyncIterable<Pin>
}

export interface PinLog {
  /** Resolves when the change is durable here and announced. */
  put: (pin: Pin, options?: AbortOptions) => Promise<void>
  /** Unknown CIDs are not an error. */
  delete: (cid: CID, options?: AbortOptions) => Promise<void>
  readonly pinset: PinsetReader
}

export interface Peerset {
  /** Members, this peer included, sorted by ID bytes. */
  peers: () => Promise<readonly PeerId[]>
  add: (peer: PeerId, options?: AbortOptions) => Promise<void>
  remove: (peer: PeerId, options?: AbortOptions) => Promise<void>
}

export interface Trust {
  isTrusted: (peer: PeerId) => boolean
  /** Trust this peer until the process ends. */
  trust: (peer: PeerId) => void
  distrust: (peer: PeerId) => void
}

/** How far the state here has come; counts of DAG blocks, or of log entries. */
export interface ConsensusProgress {
  readonly heads: number
  /** Priority of the highest head, or the last index of the log. */
  readonly height: number
  /** Merged or applied here. */
  readonly synced: number
  /** Known to exist, merged ones included. */
  readonly known: number
  /** Being brought here now, or next. */
  readonly queue: number
  /** Missing below what is merged: remembered over restarts. */
  readonly wanted: number
  /** Something is missing, or the store was marked to be looked through. */
  readonly dirty: boolean
}

export interface Consensus extends Startable {
  readonly name: 'crdt' | 'raft'
  readonly log: PinLog
  readonly peerset: Peerset
  readonly trust: Trust
  /** Resolves once reads and writes are possible. */
  ready: (options?: AbortOptions) => Promise<void>
  progress: () => ConsensusProgress
  /** Tells, as often as it changes, that there is progress. Returns the way to stop listening. */
  onProgress: (listener: () => void) => () => void
  /** Removes all of the state; only while stopped. */
  clean: () => Promise<void>
}
