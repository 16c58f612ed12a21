/** The operations in flight or failed, one per CID, counted by status. */
import { Operation } from './operation.ts'
import type { OperationType } from './operation.ts'
import { cidKey } from '../pin/keys.ts'
import type { Pin } from '../pin/pin.ts'
import type { TrackerStatus } from '../pin/status.ts'
import type { CID } from 'multiformats/cid'

export class Operations {
  readonly #byCid = new Map<string, Operation>()
  readonly #counts = new Map<TrackerStatus, number>()
  readonly #onChange: (operation: Operation) => void

  /** `onChange` hears of every new operation and change of phase. */
  constructor (onChange: (operation: Operation) => void) { this.#onChange = onChange }

  get (cid: CID): Operation | undefined { return this.#byCid.size === 0 ? undefined : this.#byCid.get(cid.toString()) }

  /** Of the CID with this text. */
  byText (cid: string): Operation | undefined { return this.#byCid.size === 0 ? undefined : this.#byCid.get(cid) }

  count (status: TrackerStatus): number { return this.#counts.get(status) ?? 0 }

  /** All of them now. */
  list (): readonly Operation[] { return [...this.#byCid.values()] }

  /** All of them now, in the order in which the pinset lists. */
  listByKey (): readonly Operation[] {
    const keyed = this.list().map((operation) => ({ key: cidKey(operation.pin.cid), operation }))
    return keyed.sort((a, b) => a.key < b.key ? -1 : 1).map(({ operation }) => operation)
  }

  /** A new operation in place of any other, or undefined when one of this type is under way: that one gets the new options. */
  replace (type: OperationType, pin: Pin, now: number): Operation | undefined {
    const existing = this.get(pin.cid)
    if (existing?.type === type && existing.phase !== 'failed') {
      existing.pin = pin
      return undefined
    }
    if (existing !== undefined) this.drop(existing)
    const operation = new Operation(type, pin, now, existing)
    this.#byCid.set(operation.key, operation)
    this.#add(operation.status, 1)
    return operation
  }

  /** Changes the operation's phase, keeping the counts right, and tells of it. */
  change (operation: Operation, change: () => void): void {
    if (!this.#isCurrent(operation)) return
    this.#add(operation.status, -1)
    change()
    this.#add(operation.status, 1)
    this.#onChange(operation)
  }

  /** Cancels and forgets it. */
  drop (operation: Operation): void {
    operation.cancel()
    this.finish(operation)
  }

  /** Forgets it. True when it was the current one of its CID. */
  finish (operation: Operation): boolean {
    if (!this.#isCurrent(operation)) return false
    this.#byCid.delete(operation.key)
    this.#add(operation.status, -1)
    return true
  }

  #isCurrent (operation: Operation): boolean { return this.#byCid.get(operation.key) === operation }

  #add (status: TrackerStatus, change: number): void { this.#counts.set(status, this.count(status) + change) }
}
