import { PinTimeoutError } from './errors.ts'
import type { CID } from 'multiformats/cid'

/** Ends a pin when the number of blocks did not grow for `timeout` ms. */
export class ProgressWatch {
  readonly signal: AbortSignal
  readonly #controller = new AbortController()
  readonly #cid: CID
  readonly #timeout: number
  readonly #outer: AbortSignal | undefined
  readonly #onAbort = (): void => { this.#controller.abort(this.#outer?.reason) }
  #timer: ReturnType<typeof setTimeout> | undefined
  #blocks = 0

  constructor (cid: CID, timeout: number, outer?: AbortSignal) {
    this.signal = this.#controller.signal
    this.#cid = cid
    this.#timeout = timeout
    this.#outer = outer
    if (outer?.aborted === true) this.#onAbort()
    outer?.addEventListener('abort', this.#onAbort, { once: true })
    this.#restart()
  }

  #restart (): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => { this.#controller.abort(new PinTimeoutError(this.#cid, this.#timeout)) }, this.#timeout)
  }

  /** True where there are more blocks than ever before. */
  grew (blocks: number): boolean {
    if (blocks <= this.#blocks) return false
    this.#blocks = blocks
    this.#restart()
    return true
  }

  clear (): void {
    clearTimeout(this.#timer)
    this.#outer?.removeEventListener('abort', this.#onAbort)
  }
}
