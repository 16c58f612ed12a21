/** Adds to the progress of pins how much there is in all, where the root of the content says so. */
import type { AbortOptions } from '../component.ts'
import { dagSize } from '../ipfs/dag-size.ts'
import type { IpfsConnector } from '../ipfs/ipfs.ts'
import type { PinProgress } from '../tracker/tracker.ts'
import type { CID } from 'multiformats/cid'

/** Pins whose total is remembered. */
const maxKnown = 1000

export interface PinTotalsParts {
  readonly connector: Pick<IpfsConnector, 'blockGetLocal'>
  /** Runs work that belongs to the peer. */
  readonly spawn: (name: string, work: (options: AbortOptions) => Promise<void>) => void
}

export class PinTotals {
  readonly #parts: PinTotalsParts
  /** Undefined: being asked, or not told by the root. */
  readonly #totals = new Map<string, number | undefined>()

  constructor (parts: PinTotalsParts) { this.#parts = parts }

  /** The progress with its total, once that is known. */
  complete (progress: PinProgress): PinProgress {
    if (progress.bytes === undefined) return progress
    const key = progress.cid.toString()
    if (!this.#totals.has(key)) this.#ask(progress.cid, key)
    const totalBytes = this.#totals.get(key)
    return totalBytes === undefined ? progress : { ...progress, totalBytes }
  }

  /** The pin makes no more progress. */
  forget (cid: CID): void { this.#totals.delete(cid.toString()) }

  #ask (cid: CID, key: string): void {
    const [oldest] = this.#totals.keys()
    if (this.#totals.size >= maxKnown && oldest !== undefined) this.#totals.delete(oldest)
    this.#totals.set(key, undefined)
    this.#parts.spawn('reading a root', async (options) => {
      const root = await this.#parts.connector.blockGetLocal(cid, options).catch(() => undefined)
      if (!this.#totals.has(key)) return
      // It may come yet: the next progress asks again.
      if (root === undefined) this.#totals.delete(key)
      else this.#totals.set(key, dagSize(cid, root))
    })
  }
}
