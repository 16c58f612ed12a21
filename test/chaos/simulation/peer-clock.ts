/** The clock of one peer: wrong by a skew that may change, and still while the peer is paused. */
import type { AbortOptions, Clock } from '../../../src/component.ts'
import type { Life } from './life.ts'

export class PeerClock implements Clock {
  /** Ms that this peer is ahead. */
  skew = 0
  readonly #base: Clock
  readonly #life: () => Life

  constructor (base: Clock, life: () => Life) {
    this.#base = base
    this.#life = life
  }

  now = (): number => this.#base.now() + this.skew

  sleep = async (ms: number, options?: AbortOptions): Promise<void> => {
    const life = this.#life()
    await this.#base.sleep(ms, options)
    await life.pass().catch(() => {}) // what is dead is being stopped
    options?.signal?.throwIfAborted()
  }
}
