/** What each caller may have going on at once; what is beyond waits, and what is far beyond is refused. */
import { Line } from '../line.ts'
import { HeldBytes } from '../held-bytes.ts'
import type { RpcMethodName } from './methods.ts'
import type { PeerId } from '@libp2p/interface'

/** Limits on what one caller, and all of them, can make this peer do and hold. */
export interface CallerLimits {
  /** Calls of one caller that run; further ones wait unread. @default 256 */
  readonly running: number
  /** Calls of one caller that wait. Beyond that they are reset. @default 1024 */
  readonly waiting: number
  /** Listings, recoveries of everything and garbage collections of one caller that run; further ones wait. @default 16 */
  readonly heavy: number
  /** Bytes of arguments of one caller that are not complete. @default 33_554_432 */
  readonly bytes: number
  /** The same of all callers. @default 134_217_728 */
  readonly allBytes: number
}

export const defaultCallerLimits: CallerLimits = { running: 256, waiting: 1024, heavy: 16, bytes: 33_554_432, allBytes: 134_217_728 }

const heavyMethods: ReadonlySet<RpcMethodName> = new Set<RpcMethodName>(['PinTracker.StatusAll', 'Cluster.RecoverAllLocal', 'Cluster.RepoGCLocal', 'Cluster.Peers', 'Cluster.PeerAdd', 'Cluster.PeerRemove'])

/** One caller. */
export class Caller {
  readonly calls: Line
  readonly heavy: Line

  constructor (limits: CallerLimits) {
    this.calls = new Line(limits.running)
    this.heavy = new Line(limits.heavy)
  }
}

export class Callers {
  readonly #limits: CallerLimits
  readonly #callers = new Map<string, Caller>()
  readonly #held: HeldBytes

  constructor (limits: Partial<CallerLimits> = {}) {
    this.#limits = { ...defaultCallerLimits, ...limits }
    this.#held = new HeldBytes({ perPeer: this.#limits.bytes, all: this.#limits.allBytes })
  }

  /** Callers of which something runs or waits. */
  get size (): number { return this.#callers.size }

  /** Runs a call in its turn; false when it was not even let wait. */
  async run (peer: PeerId, signal: AbortSignal, work: (caller: Caller) => Promise<void>): Promise<boolean> {
    const name = peer.toString()
    const caller = this.#callers.get(name) ?? new Caller(this.#limits)
    if (caller.calls.waiting >= this.#limits.waiting) return false
    this.#callers.set(name, caller)
    try {
      if (!await caller.calls.enter(signal)) return true
      try { await work(caller) } finally { caller.calls.leave() }
    } finally {
      if (caller.calls.isEmpty && this.#callers.get(name) === caller) this.#callers.delete(name)
    }
    return true
  }

  /** Runs a method; costly ones a few at a time. */
  async runMethod (caller: Caller, method: RpcMethodName, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    if (!heavyMethods.has(method)) {
      await work()
      return
    }
    if (!await caller.heavy.enter(signal)) return
    try { await work() } finally { caller.heavy.leave() }
  }

  /** More, or less with a negative number, of an argument that is not complete. Throws DecodeError when that is too much. */
  hold (peer: PeerId, bytes: number): void { this.#held.hold(peer, bytes) }
}
