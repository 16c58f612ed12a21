/** CIDs of pins that came a moment ago, the newest first; the oldest make way when there are too many. */
import type { CID } from 'multiformats/cid'

export class FreshPins {
  readonly #limit: number
  readonly #cids = new Map<string, CID>()

  constructor (limit = 1000) { this.#limit = limit }

  get size (): number { return this.#cids.size }

  /** False where another one was given up for it. */
  add (cid: CID): boolean {
    this.#cids.delete(cid.toString())
    this.#cids.set(cid.toString(), cid)
    if (this.#cids.size <= this.#limit) return true
    this.#cids.delete(this.#cids.keys().next().value ?? '')
    return false
  }

  delete (key: string): void { this.#cids.delete(key) }

  /** Takes all, the newest first. */
  take (): readonly CID[] {
    const taken = [...this.#cids.values()].toReversed()
    this.#cids.clear()
    return taken
  }
}
