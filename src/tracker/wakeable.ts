/** A pause that somebody may end. */
import type { Clock } from '../component.ts'

export class Wakeable {
  readonly #clock: Clock
  #end: () => void = () => {}

  constructor (clock: Clock) { this.#clock = clock }

  /** Ends the pause that is under way. */
  wake (): void { this.#end() }

  /** Until the time (ms) is over, it is woken or the signal fires. One at a time. */
  async sleep (ms: number, signal: AbortSignal): Promise<void> {
    const ended = new AbortController()
    const end = (): void => { ended.abort(new Error('woken')) }
    this.#end = end
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
    await this.#clock.sleep(ms, { signal: ended.signal }).catch(() => {})
    signal.removeEventListener('abort', end)
  }
}
