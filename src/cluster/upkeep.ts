/** What keeps the cluster in shape by itself: recovery and expiry, never both at once (behaviour.md §6). */
import { errorText } from '../component.ts'
import type { AbortOptions } from '../component.ts'
import { closestFor } from './closest.ts'
import type { PeerContext } from './components.ts'
import type { PinPipeline } from './pin-pipeline.ts'

type Parts = Pick<PeerContext, 'self' | 'options' | 'consensus' | 'monitor' | 'tracker' | 'clock' | 'log'> & { readonly pipeline: PinPipeline }

export class Upkeep {
  readonly #parts: Parts
  #turn: Promise<unknown> = Promise.resolve()

  constructor (parts: Parts) { this.#parts = parts }

  /** Re-queues everything here that is in error or lost. */
  async recover (options: AbortOptions = {}): Promise<void> {
    await this.#exclusive(options, async () => {
      for await (const info of this.#parts.tracker.recoverAll(options)) this.#parts.log.debug('recovering', info.cid.toString())
    })
  }

  /** Unpins what has expired and this peer is the closest to. */
  async syncState (options: AbortOptions = {}): Promise<void> {
    const { options: { followerMode }, consensus, clock, pipeline, log } = this.#parts
    if (followerMode) return
    await this.#exclusive(options, async () => {
      const isMine = await closestFor(this.#parts)
      for await (const pin of consensus.log.pinset.expired(clock.now(), options)) {
        options.signal?.throwIfAborted()
        if (!isMine(pin)) continue
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

  async idle (): Promise<void> { await this.#turn }

  async #exclusive ({ signal }: AbortOptions, work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(async () => {
      signal?.throwIfAborted()
      await work()
    })
    this.#turn = turn.catch(() => {})
    await turn
  }
}
