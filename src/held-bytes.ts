/** Counts what members have sent of messages that are not complete: each may be large, and there may be very many. */
import { DecodeError } from './errors.ts'
import type { PeerId } from '@libp2p/interface'

export interface HeldLimits {
  /** Bytes of one peer. */
  readonly perPeer: number
  /** Bytes of all peers. */
  readonly all: number
}

export class HeldBytes {
  readonly #limits: HeldLimits
  readonly #peers = new Map<string, number>()
  #all = 0

  constructor (limits: HeldLimits) { this.#limits = limits }

  /** Bytes of all peers. */
  get all (): number { return this.#all }

  /** More is held, or less with a negative number. Throws DecodeError when it becomes too much; it is counted even then. */
  hold (peer: PeerId, bytes: number): void {
    const name = peer.toString()
    const held = (this.#peers.get(name) ?? 0) + bytes
    if (held === 0) this.#peers.delete(name)
    else this.#peers.set(name, held)
    this.#all += bytes
    if (bytes > 0 && (held > this.#limits.perPeer || this.#all > this.#limits.all)) throw new DecodeError('too much is sent at once')
  }
}
