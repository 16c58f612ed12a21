/** Bytes by protocol, as `bandwidth()` reports them. */
import type { Bandwidth } from '../cluster/types.ts'

/** Counts what passes one end of a stream. */
export interface ByteCounter {
  in: (bytes: number) => void
  out: (bytes: number) => void
}

interface Totals { in: number, out: number, markIn: number, markOut: number, rateIn: number, rateOut: number }

const ratePeriod = 1000

/** Totals since the start, and rates in bytes per second over the last period between two readings. */
export class BandwidthCounter {
  readonly #totals = new Map<string, Totals>()
  readonly #now: () => number
  #markedAt: number

  constructor (now: () => number) {
    this.#now = now
    this.#markedAt = now()
  }

  counter (protocol: string): ByteCounter {
    const totals = this.#totals.get(protocol) ?? { in: 0, out: 0, markIn: 0, markOut: 0, rateIn: 0, rateOut: 0 }
    this.#totals.set(protocol, totals)
    return { in: (bytes) => { totals.in += bytes }, out: (bytes) => { totals.out += bytes } }
  }

  snapshot (): ReadonlyMap<string, Bandwidth> {
    this.#updateRates()
    return new Map(Array.from(this.#totals, ([protocol, { in: totalIn, out: totalOut, rateIn, rateOut }]) =>
      [protocol, { totalIn: BigInt(totalIn), totalOut: BigInt(totalOut), rateIn, rateOut }]))
  }

  #updateRates (): void {
    const elapsed = this.#now() - this.#markedAt
    if (elapsed < ratePeriod) return
    this.#markedAt += elapsed
    for (const totals of this.#totals.values()) {
      totals.rateIn = (totals.in - totals.markIn) * 1000 / elapsed
      totals.rateOut = (totals.out - totals.markOut) * 1000 / elapsed
      totals.markIn = totals.in
      totals.markOut = totals.out
    }
  }
}
