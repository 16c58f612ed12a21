/** When missing blocks are tried again: soon, then less and less often, and at once when a member comes. */
import type { Clock } from '../../component.ts'

const maxFactor = 32

export class SyncRetry {
  readonly #clock: Clock
  readonly #pause: number
  #factor = 1
  #planned: AbortController | undefined

  /** `pause`: the first one, in ms; it doubles up to 32 times this. */
  constructor (clock: Clock, pause: number) {
    this.#clock = clock
    this.#pause = pause
  }

  /** Resolves with true when the next attempt is due; with false at once when one is planned already, or when the signal fires. */
  async plan (signal: AbortSignal): Promise<boolean> {
    if (this.#planned !== undefined) return false
    const planned = new AbortController()
    this.#planned = planned
    const pause = this.#pause * this.#factor
    this.#factor = Math.min(maxFactor, this.#factor * 2)
    await this.#clock.sleep(pause, { signal: AbortSignal.any([planned.signal, signal]) }).catch(() => {})
    this.#planned = undefined
    return !signal.aborted
  }

  /** The next attempt is due now, if one is planned; pauses begin small again. */
  hurry (): void {
    this.#factor = 1
    this.#planned?.abort(new Error('now'))
  }

  /** Pauses begin small again. */
  relax (): void { this.#factor = 1 }
}
