/** One piece of work of the tracker: in flight or failed (behaviour.md §5). */
import type { Pin } from '../pin/pin.ts'
import type { TrackerStatus } from '../pin/status.ts'
import type { PinProgress } from './tracker.ts'

/** `remote`: allocated to others, so whatever is here goes away. */
export type OperationType = 'pin' | 'unpin' | 'remote'
export type OperationPhase = 'queued' | 'running' | 'failed'

const statuses: Readonly<Record<OperationType, Readonly<Record<OperationPhase, TrackerStatus>>>> = {
  pin: { queued: 'pin_queued', running: 'pinning', failed: 'pin_error' },
  unpin: { queued: 'unpin_queued', running: 'unpinning', failed: 'unpin_error' },
  remote: { queued: 'remote', running: 'remote', failed: 'remote' }
}

export class Operation {
  readonly type: OperationType
  /** Text of the CID. */
  readonly key: string
  /** The latest options; they may be replaced while the operation waits or runs. */
  pin: Pin
  phase: OperationPhase = 'queued'
  attempts: number
  priority = false
  /** Empty when there is none. */
  error = ''
  /** Unix ms of the last change of phase. */
  timestamp: number
  progress: PinProgress | undefined
  progressShownAt = 0
  /** Work on the same CID that must end before this begins. */
  after: Promise<void> | undefined
  /** Ends, never rejecting, when the work does. */
  running: Promise<void> | undefined
  #abort: AbortController | undefined
  #cancelled = false

  constructor (type: OperationType, pin: Pin, now: number, previous?: Operation) {
    this.type = type
    this.key = pin.cid.toString()
    this.pin = pin
    this.timestamp = now
    this.attempts = previous?.type === type ? previous.attempts : 0
    this.after = previous?.running ?? previous?.after
  }

  get status (): TrackerStatus { return statuses[this.type][this.phase] }
  get cancelled (): boolean { return this.#cancelled }

  /** The signal of this run; fires when the operation is cancelled. */
  begin (now: number): AbortSignal {
    this.phase = 'running'
    this.attempts++
    this.timestamp = now
    this.#abort = new AbortController()
    return this.#abort.signal
  }

  fail (error: string, now: number): void {
    this.phase = 'failed'
    this.error = error
    this.timestamp = now
    this.progress = undefined
  }

  cancel (): void {
    this.#cancelled = true
    this.#abort?.abort(new Error('context canceled'))
  }
}
