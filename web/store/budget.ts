/** How many bytes of content may lie here: what was chosen, and never more than the browser still grants. */
import type { StorageRoom } from './quota.ts'

export interface BudgetOptions {
  /** Most bytes to use. @default half of the browser's quota */
  readonly storageMax?: bigint | undefined
  /** What the browser grants now; undefined where it does not say. */
  readonly room: () => Promise<StorageRoom | undefined>
  /** Time in ms. */
  readonly now: () => number
}

/** Left free for the pinset and what the databases write besides content: a tenth of the quota, at most this many bytes. */
const maxReserve = 64 * 1024 * 1024
/** Where the browser does not say what it grants. */
const unknownQuota = 2 * 1024 ** 3
/** Bytes written after which the browser is asked again, and ms that pass between two questions. */
const refreshAfter = 64 * 1024 * 1024
const refreshInterval = 1000

export class StorageBudget {
  readonly #options: BudgetOptions
  #quota = unknownQuota
  /** Bytes that the browser granted beyond what was used, when it was asked; grows smaller with what is written. */
  #free = unknownQuota
  #written = 0
  #asked = -Infinity

  constructor (options: BudgetOptions) { this.#options = options }

  /** Bytes that may be in use while these are. */
  limit (used: number): number {
    const chosen = Number(this.#options.storageMax ?? BigInt(Math.floor(this.#quota / 2)))
    return Math.min(chosen, used + Math.max(0, this.#free))
  }

  /** Asks the browser. */
  async refresh (): Promise<void> {
    this.#asked = this.#options.now()
    this.#written = 0
    const room = await this.#options.room()
    this.#quota = room?.quota ?? unknownQuota
    this.#free = room === undefined ? unknownQuota : room.quota - room.usage - Math.min(maxReserve, room.quota / 10)
  }

  /** Asks again where the last answer is old: much was written since, or it does not do for these bytes. */
  async prepare (used: number, adding: number): Promise<void> {
    const short = used + adding > this.limit(used) && this.#options.now() - this.#asked >= refreshInterval
    if (short || this.#written >= refreshAfter) await this.refresh()
  }

  /** Bytes were written (negative: deleted). */
  wrote (bytes: number): void {
    this.#written += Math.abs(bytes)
    // What is deleted is granted again only once the browser says so.
    this.#free -= Math.max(0, bytes)
  }

  /** The browser refused to write: nothing more until it is asked again. */
  exhausted (): void {
    this.#free = 0
    this.#asked = this.#options.now()
  }
}
