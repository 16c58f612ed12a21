/** Tells how far the pinset has come, a few times a second while it changes. */
import type { Clock } from '../component.ts'

/** Ms between two events. */
const interval = 250

/** Calls `tell` within a moment of each `changed`, once for all of that moment. */
export class ProgressTeller {
  readonly #clock: Clock
  readonly #tell: () => void
  readonly #stopped = new AbortController()
  #planned = false

  constructor (clock: Clock, tell: () => void) {
    this.#clock = clock
    this.#tell = tell
  }

  changed (): void {
    if (this.#planned || this.#stopped.signal.aborted) return
    this.#planned = true
    this.#clock.sleep(interval, { signal: this.#stopped.signal }).then(() => {
      this.#planned = false
      this.#tell()
    }, () => {})
  }

  stop (): void { this.#stopped.abort(new Error('stopped')) }
}
