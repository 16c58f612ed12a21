/** What keeps the cluster in shape by itself: recovery and expiry, never both at once (behaviour.md §6). */
import { errorText } from '../component.ts'
import type { AbortOptions } from '../component.ts'
import { closestFor } from './closest.ts'
import type { PeerContext } from './components.ts'
import type { PinPipeline } from './pin-pipeline.ts'

type Parts = Pick<PeerContext, 'self' | 'options' | 'consensus' | 'monitor' | 'tracker' | 'clock' | 'log'> & { readonly pipeline: PinPipeline }

export interface UpkeepOptions {
  /** Pins that a recovery queues before it waits for them. @default 50_000 */
  readonly recoveredAtOnce?: number | undefined
}

/** Ms between two looks at what waits. */
const lookInterval = 5000

export class Upkeep {
  readonly #parts: Parts
  readonly #recoveredAtOnce: number
  #turn: Promise<unknown> = Promise.resolve()
  /** Recoveries follow one another; the one that has not begun. */
  #recovery: Promise<void> = Promise.resolve()
  #nextRecovery: Promise<void> | undefined

  constructor (parts: Parts, { recoveredAtOnce = 50_000 }: UpkeepOptions = {}) {
    this.#parts = parts
    this.#recoveredAtOnce = recoveredAtOnce
  }

  /** Re-queues everything here that is in error or lost: of very many some, and the others when those are done. Who asks before it has begun joins. */
  async recover (options: AbortOptions = {}): Promise<void> {
    if (this.#nextRecovery === undefined) {
      const next = this.#recovery.then(async () => { await this.#recoverAll(options) })
      this.#nextRecovery = next
      this.#recovery = next.catch(() => { if (this.#nextRecovery === next) this.#nextRecovery = undefined })
    }
    await this.#nextRecovery
  }

  async #recoverAll (options: AbortOptions): Promise<void> {
    const { clock, tracker } = this.#parts
    let begun = Infinity
    for (let isLeft = true; isLeft;) {
      isLeft = await this.#exclusive(options, async () => {
        this.#nextRecovery = undefined
        const before = begun
        begun = Math.min(begun, clock.now())
        return await this.#recoverSome(before, options)
      })
      while (isLeft && tracker.pinQueueSize() > this.#recoveredAtOnce / 50) await clock.sleep(lookInterval, options)
    }
  }

  /** True when there may be more. What failed later waits for the next recovery. */
  async #recoverSome (failedBefore: number, options: AbortOptions): Promise<boolean> {
    const { tracker, consensus: { log: { pinset } } } = this.#parts
    if (pinset.count() === 0) return false
    let recovered = 0
    for await (const _info of tracker.recoverAll({ ...options, failedBefore })) if (++recovered >= this.#recoveredAtOnce) return true
    return false
  }

  /** Unpins what has expired and this peer is the closest to. */
  async syncState (options: AbortOptions = {}): Promise<void> {
    const { options: { followerMode }, consensus, clock, pipeline, log } = this.#parts
    if (followerMode) return
    await this.#exclusive(options, async () => {
      const isMine = await closestFor(this.#parts)
      for await (const pin of consensus.log.pinset.expired(clock.now(), options)) {
        options.signal?.throwIfAborted()
        if (!isMine(pin.cid)) continue
        try {
          await pipeline.unpin(pin.cid, options)
          log.info('unpinned: the pin expired', pin.cid.toString())
        } catch (error) {
          options.signal?.throwIfAborted()
          log.error(`expired pin ${pin.cid.toString()} could not be unpinned:`, errorText(error))
        }
      }
    })
  }

  async #exclusive<T> ({ signal }: AbortOptions, work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(async () => {
      signal?.throwIfAborted()
      return await work()
    })
    this.#turn = turn.catch(() => {})
    return await turn
  }
}
