/**
 * Operations that no worker has: those that wait, in the order in which they came, and those that failed.
 * About 70 bytes each, outside the heap, because a newcomer may have a million of them.
 */
import type { OperationState, OperationType } from './operation.ts'

const types = ['pin', 'unpin', 'remote'] as const satisfies readonly OperationType[]
const typeMask = 3
const failedFlag = 4
const priorityFlag = 8
const liveFlag = 128

/** Bytes of a CID that stand in its slot, behind their number; longer ones are kept apart. */
const slotBytes = 39
const slotSize = slotBytes + 1
const isLong = 255
const none = -1
const firstCapacity = 256
const maxAttempts = 65_535
/** Different error texts that are kept once. */
const maxTexts = 1000

/** Neighbours in a queue, and what is free. */
interface Queue { first: number, last: number, length: number }

export class WaitingOperations {
  #capacity = firstCapacity
  #size = 0
  /** Slots from here on were never used. */
  #end = 0
  #free = none
  #ids = new Uint8Array(firstCapacity * slotSize)
  #flags = new Uint8Array(firstCapacity)
  #attempts = new Uint16Array(firstCapacity)
  #times = new Float64Array(firstCapacity)
  #next = new Int32Array(firstCapacity)
  #previous = new Int32Array(firstCapacity)
  /** Slots by the hash of their CID, one more than they are. */
  #table = new Int32Array(firstCapacity * 2)
  readonly #long = new Map<number, Uint8Array>()
  readonly #errors = new Map<number, string>()
  readonly #texts = new Map<string, string>()
  readonly #queues: readonly Queue[] = Array.from({ length: 2 * types.length }, () => ({ first: none, last: none, length: 0 }))
  readonly #seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0

  get size (): number { return this.#size }

  /** How many of this type wait in the queue with this priority. */
  waiting (type: OperationType, priority: boolean): number { return this.#queue(types.indexOf(type) | (priority ? priorityFlag : 0)).length }

  has (id: Uint8Array): boolean { return this.#size > 0 && this.#table[this.#position(id)] !== 0 }

  /** What is known of the CID with these bytes. */
  get (id: Uint8Array): OperationState | undefined {
    if (this.#size === 0) return undefined
    const slot = (this.#table[this.#position(id)] ?? 0) - 1
    return slot === none ? undefined : this.#state(slot)
  }

  /** In place of what was known of it. What is queued comes last in its queue, or first. */
  set (id: Uint8Array, { type, phase, priority, attempts, timestamp, error }: OperationState, first = false): void {
    this.delete(id)
    if (this.#free === none && this.#end === this.#capacity) this.#resize(this.#capacity * 2)
    const slot = this.#free === none ? this.#end++ : this.#free
    if (slot === this.#free) this.#free = this.#next[slot] ?? none
    this.#ids[slot * slotSize] = id.length > slotBytes ? isLong : id.length
    if (id.length > slotBytes) this.#long.set(slot, id)
    else this.#ids.set(id, slot * slotSize + 1)
    this.#flags[slot] = liveFlag | types.indexOf(type) | (phase === 'failed' ? failedFlag : 0) | (priority ? priorityFlag : 0)
    this.#attempts[slot] = Math.min(attempts, maxAttempts)
    this.#times[slot] = timestamp
    if (error !== '') this.#errors.set(slot, this.#once(error))
    this.#table[this.#position(id)] = slot + 1
    this.#size++
    if (phase !== 'failed') this.#link(slot, first)
  }

  delete (id: Uint8Array): boolean {
    if (this.#size === 0) return false
    const position = this.#position(id)
    const slot = (this.#table[position] ?? 0) - 1
    if (slot === none) return false
    this.#remove(slot, position)
    return true
  }

  /** Takes the next of this type: first in, first out, priority first. */
  shift (type: OperationType): { readonly id: Uint8Array, readonly state: OperationState } | undefined {
    const code = types.indexOf(type)
    const [hurried, normal] = [this.#queue(code | priorityFlag).first, this.#queue(code).first]
    const slot = hurried === none ? normal : hurried
    if (slot === none) return undefined
    const taken = { id: this.#id(slot), state: this.#state(slot) }
    this.#remove(slot, this.#position(taken.id))
    return taken
  }

  /** All of them, in no order. What is set in place of another while this runs is told of or not. */
  * entries (): Generator<readonly [id: Uint8Array, state: OperationState]> {
    for (let slot = 0; slot < this.#end; slot++) if (((this.#flags[slot] ?? 0) & liveFlag) !== 0) yield [this.#id(slot), this.#state(slot)]
  }

  #queue (flags: number): Queue {
    const queue = this.#queues[(flags & typeMask) * 2 + ((flags & priorityFlag) === 0 ? 0 : 1)]
    if (queue === undefined) throw new RangeError('there is no such queue')
    return queue
  }

  #id (slot: number): Uint8Array {
    const length = this.#ids[slot * slotSize] ?? 0
    return this.#long.get(slot) ?? this.#ids.slice(slot * slotSize + 1, slot * slotSize + 1 + length)
  }

  #state (slot: number): OperationState {
    const flags = this.#flags[slot] ?? 0
    return {
      type: types[flags & typeMask] ?? 'pin', phase: (flags & failedFlag) === 0 ? 'queued' : 'failed', priority: (flags & priorityFlag) !== 0,
      attempts: this.#attempts[slot] ?? 0, timestamp: this.#times[slot] ?? 0, error: this.#errors.get(slot) ?? ''
    }
  }

  /** Equal texts are kept once. */
  #once (text: string): string {
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    if (this.#texts.size >= maxTexts) this.#texts.clear()
    this.#texts.set(text, text)
    return text
  }

  /** Where in the table the slot of this CID is, or the free place where it goes. */
  #position (id: Uint8Array): number {
    const mask = this.#table.length - 1
    let position = this.#hash(id, 0, id.length) & mask
    for (;;) {
      const slot = (this.#table[position] ?? 0) - 1
      if (slot === none || this.#holds(slot, id)) return position
      position = (position + 1) & mask
    }
  }

  #holds (slot: number, id: Uint8Array): boolean {
    const at = slot * slotSize
    if (id.length > slotBytes) {
      const long = this.#long.get(slot)
      return long !== undefined && long.length === id.length && long.every((byte, index) => byte === id[index])
    }
    if (this.#ids[at] !== id.length) return false
    for (let index = id.length - 1; index >= 0; index--) if (this.#ids[at + 1 + index] !== id[index]) return false
    return true
  }

  /** Of all bytes and with a seed: whoever writes pins chooses the digests. */
  #hash (bytes: Uint8Array, start: number, end: number): number {
    let hash = this.#seed
    for (let index = start; index < end; index++) hash = Math.imul(hash ^ (bytes[index] ?? 0), 0x01000193) ^ hash >>> 15
    hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b)
    return hash ^ hash >>> 13
  }

  #hashOf (slot: number): number {
    const long = this.#long.get(slot)
    const at = slot * slotSize
    return long === undefined ? this.#hash(this.#ids, at + 1, at + 1 + (this.#ids[at] ?? 0)) : this.#hash(long, 0, long.length)
  }

  #link (slot: number, first: boolean): void {
    const queue = this.#queue(this.#flags[slot] ?? 0)
    const [next, previous] = first ? [queue.first, none] : [none, queue.last]
    this.#next[slot] = next
    this.#previous[slot] = previous
    if (next === none) queue.last = slot
    else this.#previous[next] = slot
    if (previous === none) queue.first = slot
    else this.#next[previous] = slot
    queue.length++
  }

  #unlink (slot: number): void {
    const queue = this.#queue(this.#flags[slot] ?? 0)
    const [next, previous] = [this.#next[slot] ?? none, this.#previous[slot] ?? none]
    if (previous === none) queue.first = next
    else this.#next[previous] = next
    if (next === none) queue.last = previous
    else this.#previous[next] = previous
    queue.length--
  }

  #remove (slot: number, position: number): void {
    if (((this.#flags[slot] ?? 0) & failedFlag) === 0) this.#unlink(slot)
    this.#close(position)
    this.#flags[slot] = 0
    this.#long.delete(slot)
    this.#errors.delete(slot)
    this.#next[slot] = this.#free
    this.#free = slot
    if (--this.#size === 0) this.#clear()
  }

  /** Empties a place of the table; what would not be found behind it any more moves up. */
  #close (position: number): void {
    const mask = this.#table.length - 1
    let empty = position
    this.#table[empty] = 0
    for (let at = (empty + 1) & mask; this.#table[at] !== 0; at = (at + 1) & mask) {
      const entry = this.#table[at] ?? 0
      const wanted = this.#hashOf(entry - 1) & mask
      if (((at - wanted) & mask) < ((at - empty) & mask)) continue
      this.#table[empty] = entry
      this.#table[at] = 0
      empty = at
    }
  }

  /** Nothing is left: all slots are free, and what a rush needed is given back. */
  #clear (): void {
    this.#end = 0
    this.#free = none
    this.#texts.clear()
    if (this.#capacity > firstCapacity) this.#resize(firstCapacity)
  }

  #resize (capacity: number): void {
    const kept = Math.min(capacity, this.#end)
    const grown = <T extends Uint8Array | Uint16Array | Float64Array | Int32Array>(to: T, from: T, length: number): T => {
      to.set(from.subarray(0, length))
      return to
    }
    this.#ids = grown(new Uint8Array(capacity * slotSize), this.#ids, kept * slotSize)
    this.#flags = grown(new Uint8Array(capacity), this.#flags, kept)
    this.#attempts = grown(new Uint16Array(capacity), this.#attempts, kept)
    this.#times = grown(new Float64Array(capacity), this.#times, kept)
    this.#next = grown(new Int32Array(capacity), this.#next, kept)
    this.#previous = grown(new Int32Array(capacity), this.#previous, kept)
    this.#capacity = capacity
    this.#table = new Int32Array(capacity * 2)
    const mask = this.#table.length - 1
    for (let slot = 0; slot < kept; slot++) {
      if (((this.#flags[slot] ?? 0) & liveFlag) === 0) continue
      let position = this.#hashOf(slot) & mask
      while (this.#table[position] !== 0) position = (position + 1) & mask
      this.#table[position] = slot + 1
    }
  }
}
