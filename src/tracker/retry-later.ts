/** Pins that failed, each with the time of its next attempt: longer after every failure, and no more of them than a limit. */
import type { Clock } from '../component.ts'
import type { Pin } from '../pin/pin.ts'

/** Ms before the first retry, and before any. */
const firstDelay = 60_000
const longestDelay = 3_600_000

interface Failed { readonly pin: Pin, readonly attempts: number, readonly at: number }

export class RetryLater {
  readonly #clock: Clock
  readonly #limit: number
  readonly #failed = new Map<string, Failed>()
  /** Some could not be remembered. */
  #overflowed = false

  constructor (clock: Clock, limit = 5000) {
    this.#clock = clock
    this.#limit = limit
  }

  get overflowed (): boolean { return this.#overflowed }

  forgetOverflow (): void { this.#overflowed = false }

  add (pin: Pin): void {
    const key = pin.cid.toString()
    const attempts = (this.#failed.get(key)?.attempts ?? 0) + 1
    if (this.#failed.size >= this.#limit && !this.#failed.has(key)) {
      this.#overflowed = true
      return
    }
    this.#failed.set(key, { pin, attempts, at: this.#clock.now() + Math.min(longestDelay, firstDelay * 2 ** (attempts - 1)) })
  }

  delete (key: string): void { this.#failed.delete(key) }

  has (key: string): boolean { return this.#failed.has(key) }

  /** Ms until the next is due; undefined where none waits. */
  wait (): number | undefined {
    let next: number | undefined
    for (const { at } of this.#failed.values()) if (next === undefined || at < next) next = at
    return next === undefined ? undefined : Math.max(0, next - this.#clock.now())
  }

  /** Those whose time has come; they are put off until they are deleted or fail again. */
  due (): readonly Pin[] {
    const now = this.#clock.now()
    const due = [...this.#failed].filter(([, { at }]) => at <= now)
    for (const [key, failed] of due) this.#failed.set(key, { ...failed, at: now + longestDelay })
    return due.map(([, { pin }]) => pin)
  }
}
