/** The operations in flight or failed, one per CID, counted by status. Those that no worker has are kept small: their pins stand in the pinset. */
import { Operation, statusOf } from './operation.ts'
import { WaitingOperations } from './waiting.ts'
import { cidKey, textBytes } from '../pin/keys.ts'
import { CID } from 'multiformats/cid'
import type { OperationState, OperationType } from './operation.ts'
import type { Pin } from '../pin/pin.ts'
import type { TrackerStatus } from '../pin/status.ts'

export interface OperationsOptions {
  /** Operations that wait in each queue at most. */
  readonly limit: number
  /** Hears of every new operation and change of phase. */
  readonly onChange: (pin: Pin, state: OperationState) => void
}

/** How an operation begins. */
export interface Enqueued {
  readonly now: number
  /** Whether it goes first, by the attempts there were. */
  readonly priority: (attempts: number) => boolean
  /** Work on the same CID that must end first. */
  readonly after?: Promise<void> | undefined
}

const queueFull = 'pin/unpin operation queue is full. Try increasing max_pin_queue_size'
/** Pins that are kept with what waits, so that they need not be read again. */
const maxPins = 1000
/** Stands for the CID in error texts that are kept: then most are equal. */
const cidMark = '\u0000'

export class Operations {
  readonly #options: OperationsOptions
  /** By the text of the CID: those that a worker has. */
  readonly #active = new Map<string, Operation>()
  readonly #waiting = new WaitingOperations()
  readonly #pins = new Map<string, Pin>()
  readonly #after = new Map<string, Promise<void>>()
  /** Those that are not to be tried together with others again. */
  readonly #alone = new Set<string>()
  readonly #counts = new Map<TrackerStatus, number>()
  /** Workers that wait for something to do. */
  readonly #idle: Readonly<Record<OperationType, Set<() => void>>> = { pin: new Set(), unpin: new Set(), remote: new Set() }

  constructor (options: OperationsOptions) { this.#options = options }

  get size (): number { return this.#active.size + this.#waiting.size }

  get (cid: CID): OperationState | undefined {
    const state = this.#waiting.get(cid.bytes)
    if (state !== undefined) return withCid(state, cid)
    return this.#active.size === 0 ? undefined : this.#active.get(cid.toString())
  }

  /** Of the CID with this text. */
  byText (cid: string): OperationState | undefined {
    const active = this.#active.size === 0 ? undefined : this.#active.get(cid)
    if (active !== undefined || this.#waiting.size === 0) return active
    const state = this.#waiting.get(textBytes(cid))
    return state === undefined ? undefined : withCid(state, cid)
  }

  /** The pin of an operation, where it is known without a look into the pinset. */
  pinOf (cid: CID): Pin | undefined {
    const key = cid.toString()
    return this.#active.get(key)?.pin ?? this.#pins.get(key)
  }

  /** Operations of this type that no worker has yet. */
  waiting (type: OperationType): number { return this.#waiting.waiting(type, true) + this.#waiting.waiting(type, false) }

  count (status: TrackerStatus): number { return this.#counts.get(status) ?? 0 }

  /** All of them now, in no order. */
  * entries (): Generator<readonly [cid: CID, state: OperationState]> {
    for (const operation of this.#active.values()) if (!operation.cancelled) yield [operation.cid, operation]
    for (const [id, state] of this.#waiting.entries()) yield [CID.decode(id), state]
  }

  /** Keys of the pins (`cidKey`) whose operations match now, sorted. */
  keys (matches: (state: OperationState) => boolean): readonly string[] {
    const keys: string[] = []
    for (const [cid, state] of this.entries()) if (matches(state)) keys.push(cidKey(cid))
    return keys.sort()
  }

  /** A new operation in place of any other, or undefined when one of this type is under way: that one gets the new options. */
  enqueue (type: OperationType, pin: Pin, { now, priority: isPriority, after }: Enqueued): OperationState | undefined {
    const key = pin.cid.toString()
    const existing = this.get(pin.cid)
    if (existing?.type === type && existing.phase !== 'failed') {
      const active = this.#active.get(key)
      if (active !== undefined) active.pin = pin
      else if (this.#pins.has(key)) this.#pins.set(key, pin)
      return undefined
    }
    const attempts = existing?.type === type ? existing.attempts : 0
    const before = bothOf(this.drop(pin.cid), after)
    const priority = isPriority(attempts)
    const isFull = this.#waiting.waiting(type, priority) - this.#idle[type].size >= this.#options.limit
    const state: OperationState = { type, phase: isFull ? 'failed' : 'queued', priority, attempts, timestamp: now, error: isFull ? queueFull : '' }
    this.#keep(pin.cid, state)
    if (!isFull) {
      if (before !== undefined) this.#after.set(key, before)
      if (this.#pins.size < maxPins) this.#pins.set(key, pin)
      this.#wake(type)
    }
    this.#options.onChange(pin, state)
    return state
  }

  /** The next operation of this type, or undefined once the signal fires. */
  async take (type: OperationType, signal: AbortSignal): Promise<Operation | undefined> {
    while (!signal.aborted) {
      const taken = this.#waiting.shift(type)
      if (taken !== undefined) return this.#activate(CID.decode(taken.id), taken.state)
      await this.#sleep(type, signal)
    }
    return undefined
  }

  /** More of them, if they wait: as many as that at most. */
  takeMore (type: OperationType, count: number): readonly Operation[] {
    const more: Operation[] = []
    while (more.length < count) {
      const taken = this.#waiting.shift(type)
      if (taken === undefined) break
      more.push(this.#activate(CID.decode(taken.id), taken.state))
    }
    return more
  }

  /** It has not begun after all: it is the next to be taken, and `alone` when it is not to be tried together with others. */
  putBack (operation: Operation, alone: boolean): void {
    const { type, cid, key, priority, attempts, timestamp, pin, after } = operation
    const begun = operation.phase === 'running'
    if (!this.finish(operation)) return
    const state: OperationState = { type, phase: 'queued', priority, attempts: begun ? attempts - 1 : attempts, timestamp, error: '' }
    this.#keep(cid, state, true)
    if (alone) this.#alone.add(key)
    if (pin !== undefined) this.#pins.set(key, pin)
    if (after !== undefined) this.#after.set(key, after)
    this.#wake(type)
    if (begun && pin !== undefined) this.#options.onChange(pin, state)
  }

  /** The operation's work begins: its signal fires when it is cancelled. Undefined when it was replaced. */
  begin (operation: Operation, pin: Pin, now: number): AbortSignal | undefined {
    if (!this.#isCurrent(operation)) return undefined
    this.#add(statusOf(operation), -1)
    const signal = operation.begin(now)
    this.#add(statusOf(operation), 1)
    this.#options.onChange(pin, operation)
    return signal
  }

  /** It failed, and stays until it is recovered or replaced. */
  fail (operation: Operation, error: string, now: number): void {
    if (!this.finish(operation)) return
    const { type, cid, priority, attempts } = operation
    const state: OperationState = { type, phase: 'failed', priority, attempts, timestamp: now, error }
    this.#keep(cid, { ...state, error: error.replaceAll(operation.key, cidMark) })
    if (operation.pin !== undefined) this.#options.onChange(operation.pin, state)
  }

  /** Cancels and forgets what there is of this CID. Work on it ends with the promise. */
  drop (cid: CID): Promise<void> | undefined {
    const key = cid.toString()
    const active = this.#active.get(key)
    if (active !== undefined) {
      active.cancel()
      this.finish(active)
      return active.running ?? active.after
    }
    const state = this.#waiting.get(cid.bytes)
    if (state === undefined) return undefined
    this.#waiting.delete(cid.bytes)
    this.#add(statusOf(state), -1)
    const after = this.#after.get(key)
    this.#after.delete(key)
    this.#alone.delete(key)
    this.#pins.delete(key)
    return after
  }

  /** Forgets it. True when it was the current one of its CID. */
  finish (operation: Operation): boolean {
    if (!this.#isCurrent(operation)) return false
    this.#active.delete(operation.key)
    this.#add(statusOf(operation), -1)
    return true
  }

  /** Ends what workers have. */
  cancelAll (): void { for (const operation of this.#active.values()) operation.cancel() }

  #keep (cid: CID, state: OperationState, first = false): void {
    this.#waiting.set(cid.bytes, state, first)
    this.#add(statusOf(state), 1)
  }

  #activate (cid: CID, state: OperationState): Operation {
    const operation = new Operation(cid, state)
    operation.pin = this.#pins.get(operation.key)
    operation.after = this.#after.get(operation.key)
    operation.alone = this.#alone.delete(operation.key)
    this.#pins.delete(operation.key)
    this.#after.delete(operation.key)
    this.#active.set(operation.key, operation)
    return operation
  }

  #wake (type: OperationType): void {
    for (const wake of this.#idle[type]) {
      this.#idle[type].delete(wake)
      wake()
      return
    }
  }

  async #sleep (type: OperationType, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const onAbort = (): void => { this.#idle[type].delete(resolve); resolve() }
    this.#idle[type].add(resolve)
    signal.addEventListener('abort', onAbort, { once: true })
    try { await promise } finally { signal.removeEventListener('abort', onAbort) }
  }

  #isCurrent (operation: Operation): boolean { return this.#active.get(operation.key) === operation }

  #add (status: TrackerStatus, change: number): void { this.#counts.set(status, this.count(status) + change) }
}

const bothOf = (one: Promise<void> | undefined, other: Promise<void> | undefined): Promise<void> | undefined =>
  one === undefined || other === undefined ? one ?? other : Promise.all([one, other]).then(() => {})

/** The state with its whole error text. */
const withCid = (state: OperationState, cid: { readonly toString: () => string }): OperationState => state.error === '' ? state : { ...state, error: state.error.replaceAll(cidMark, cid.toString()) }
