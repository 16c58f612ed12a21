/** One piece of work of the tracker: in flight or failed (behaviour.md §5). */
import type { Pin } from '../pin/pin.ts'
import type { TrackerStatus } from '../pin/status.ts'
import type { CID } from 'multiformats/cid'

/** `remote`: allocated to others, so whatever is here goes away. */
export type OperationType = 'pin' | 'unpin' | 'remote'
export type OperationPhase = 'queued' | 'running' | 'failed'

/** How far it is. What the pin itself says stands in the pinset. */
export interface OperationState {
  readonly type: OperationType
  readonly phase: OperationPhase
  readonly priority: boolean
  readonly attempts: number
  /** Unix ms of the last change of phase. */
  readonly timestamp: number
  /** Empty when there is none. */
  readonly error: string
}

const statuses: Readonly<Record<OperationType, Readonly<Record<OperationPhase, TrackerStatus>>>> = {
  pin: { queued: 'pin_queued', running: 'pinning', failed: 'pin_error' },
  unpin: { queued: 'unpin_queued', running: 'unpinning', failed: 'unpin_error' },
  remote: { queued: 'remote', running: 'remote', failed: 'remote' }
}

export const statusOf = ({ type, phase }: Pick<OperationState, 'type' | 'phase'>): TrackerStatus => statuses[type][phase]

/** One that a worker has. */
export class Operation implements OperationState {
  readonly type: OperationType
  readonly cid: CID
  /** Text of the CID. */
  readonly key: string
  readonly priority: boolean
  readonly error = ''
  phase: 'queued' | 'running' = 'queued'
  /** The latest options, where they are known; they may be replaced while it runs. */
  pin: Pin | undefined
  attempts: number
  timestamp: number
  progressShownAt = 0
  /** It is not to be tried together with others. */
  alone = false
  /** Work on the same CID that must end before this begins. */
  after: Promise<void> | undefined
  /** Ends, never rejecting, when the work does. */
  running: Promise<void> | undefined
  #abort: AbortController | undefined
  #cancelled = false

  constructor (cid: CID, { type, priority, attempts, timestamp }: OperationState) {
    this.type = type
    this.cid = cid
    this.key = cid.toString()
    this.priority = priority
    this.attempts = attempts
    this.timestamp = timestamp
  }

  get cancelled (): boolean { return this.#cancelled }

  /** The signal of this run; fires when the operation is cancelled. */
  begin (now: number): AbortSignal {
    this.phase = 'running'
    this.attempts++
    this.timestamp = now
    this.#abort = new AbortController()
    return this.#abort.signal
  }

  cancel (): void {
    this.#cancelled = true
    this.#abort?.abort(new Error('context canceled'))
  }
}
