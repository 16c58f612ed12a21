/** Makes the local IPFS match the pinset and owns the status of each pin here. */
import type { AbortOptions, Startable } from '../component.ts'
import type { Pin } from '../pin/pin.ts'
import type { PinInfo } from '../pin/pin-info.ts'
import type { StatusText } from '../pin/status-text.ts'
import type { StatusFilter } from '../pin/status.ts'
import type { CID } from 'multiformats/cid'

export interface PinProgress {
  readonly cid: CID
  readonly blocks: number
  readonly bytes?: number | undefined
  /** Bytes in all, where the root's links say so. */
  readonly totalBytes?: number | undefined
}

export interface RecoverOptions extends AbortOptions {
  /** Leave alone what failed at this time (unix ms) or later. @default nothing */
  failedBefore?: number | undefined
}

export interface PinTracker extends Startable {
  /** The pinset holds this pin now: pin it here, or unpin it when it is allocated elsewhere. Idempotent; returns once queued. */
  track: (pin: Pin) => void
  /** The pinset no longer holds it. */
  untrack: (cid: CID) => void
  status: (cid: CID, options?: AbortOptions) => Promise<PinInfo>
  /** Everything matching the filter, in the order in which the pinset lists (behaviour.md §5). */
  statusAll: (filter: StatusFilter, options?: AbortOptions) => AsyncIterable<PinInfo>
  /** The same as JSON texts, in chunks: for listings of millions. */
  statusTexts: (filter: StatusFilter, options?: AbortOptions) => AsyncIterable<readonly StatusText[]>
  /** Re-queues one pin in error or unexpectedly unpinned and returns the status after that. */
  recover: (cid: CID, options?: AbortOptions) => Promise<PinInfo>
  /** Re-queues all of them; yields only what was re-queued. */
  recoverAll: (options?: RecoverOptions) => AsyncIterable<PinInfo>
  /** Operations waiting to pin. */
  pinQueueSize: () => number
  /** Operation counts for gauges. */
  counts: () => { readonly pinQueued: number, readonly pinning: number, readonly pinError: number }
  /** Called when the status of a pin here changes or it makes progress; returns the way to stop listening. */
  onChange: (listener: (info: PinInfo, progress?: PinProgress) => void) => () => void
}
