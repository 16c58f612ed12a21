/** So much at once, and so much a second: a bucket that fills up again while nothing is taken. */

export interface AllowanceOptions {
  readonly perSecond: number
  readonly atOnce: number
}

export class Allowance {
  readonly #options: AllowanceOptions
  /** In ms; only differences count. */
  readonly #now: () => number
  #left: number
  #at: number

  constructor (options: AllowanceOptions, now: () => number) {
    this.#options = options
    this.#now = now
    this.#left = options.atOnce
    this.#at = now()
  }

  /** Takes it if it is there. */
  take (amount: number): boolean {
    this.#fill()
    if (this.#left < amount) return false
    this.#left -= amount
    return true
  }

  /** Takes it in any case; how long to wait before the next one, in ms. */
  spend (amount: number): number {
    this.#fill()
    this.#left -= amount
    return this.#left >= 0 ? 0 : -this.#left * 1000 / this.#options.perSecond
  }

  #fill (): void {
    const now = this.#now()
    const { perSecond, atOnce } = this.#options
    this.#left = Math.min(atOnce, this.#left + Math.max(0, now - this.#at) * perSecond / 1000)
    this.#at = now
  }
}
