/** A door for a limited number at a time. */

/** So many at once, the others in the order in which they came. */
export class Line {
  readonly #most: number
  readonly #waiting: Array<() => void> = []
  #inside = 0

  constructor (most: number) { this.#most = most }

  /** How many wait. */
  get waiting (): number { return this.#waiting.length }
  get isEmpty (): boolean { return this.#inside === 0 && this.#waiting.length === 0 }

  /** False when the signal fired before it was this one's turn. */
  async enter (signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false
    if (this.#inside < this.#most) {
      this.#inside++
      return true
    }
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const turn = (): void => {
      signal.removeEventListener('abort', onAbort)
      this.#inside++
      resolve(true)
    }
    const onAbort = (): void => {
      this.#waiting.splice(this.#waiting.indexOf(turn), 1)
      resolve(false)
    }
    this.#waiting.push(turn)
    signal.addEventListener('abort', onAbort, { once: true })
    return await promise
  }

  leave (): void {
    this.#inside--
    this.#waiting.shift()?.()
  }
}
