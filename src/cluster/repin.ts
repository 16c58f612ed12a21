/** New holders for the pins of a peer that is gone (behaviour.md §8). */
import { errorText } from '../component.ts'
import type { AbortOptions } from '../component.ts'
import type { Pin } from '../pin/pin.ts'
import type { PeerContext } from './components.ts'
import { closestFor } from './closest.ts'
import type { PinPipeline } from './pin-pipeline.ts'
import type { PeerId } from '@libp2p/interface'

/** Pins re-allocated at a time; their commits join. */
const concurrency = 64

type Parts = Pick<PeerContext, 'self' | 'options' | 'consensus' | 'monitor' | 'log'> & { readonly pipeline: PinPipeline }

export class Repinner {
  readonly #parts: Parts
  /** Alerts are worked off one after another. */
  #working: Promise<void> = Promise.resolve()
  readonly #queued = new Set<string>()

  constructor (parts: Parts) { this.#parts = parts }

  /** A peer's ping expired: re-allocates what it held and this peer is the closest to. Resolves when it is done. */
  async peerLost (peer: PeerId, options: AbortOptions): Promise<void> {
    const { self, options: { disableRepinning, followerMode }, log } = this.#parts
    if (disableRepinning || followerMode || peer.equals(self) || this.#queued.has(peer.toString())) return
    this.#queued.add(peer.toString())
    const work = this.#working.then(async () => {
      this.#queued.delete(peer.toString())
      options.signal?.throwIfAborted()
      await this.#repinFrom(peer, await closestFor(this.#parts, peer), options)
    })
    this.#working = work.catch((error: unknown) => {
      if (options.signal?.aborted !== true) log.error(`repinning what ${peer.toString()} held failed:`, errorText(error))
    })
    await this.#working
  }

  /** Moves every pin away from a peer that is to be removed, unless repinning is disabled. */
  async vacate (peer: PeerId, options: AbortOptions = {}): Promise<void> {
    if (this.#parts.options.disableRepinning) {
      this.#parts.log.warn('repinning is disabled: the pins of the peer are not re-allocated', peer.toString())
      return
    }
    await this.#repinFrom(peer, () => true, options)
  }

  async idle (): Promise<void> { await this.#working }

  async #repinFrom (peer: PeerId, isMine: (pin: Pin) => boolean, options: AbortOptions): Promise<void> {
    let group: Pin[] = []
    const flush = async (): Promise<void> => {
      const pins = group
      group = []
      await Promise.all(pins.map((pin) => this.#repin(pin, peer, options)))
    }
    for await (const pin of this.#parts.consensus.log.pinset.pins(options)) {
      options.signal?.throwIfAborted()
      if (!pin.allocations.some((holder) => holder.equals(peer)) || !isMine(pin)) continue
      group.push(pin)
      if (group.length >= concurrency) await flush()
    }
    await flush()
  }

  async #repin (pin: Pin, lost: PeerId, options: AbortOptions): Promise<void> {
    const { pipeline, log } = this.#parts
    try {
      if (await pipeline.repin(pin, lost, options)) log.info(`repinned ${pin.cid.toString()} out of`, lost.toString())
    } catch (error) {
      options.signal?.throwIfAborted()
      log.warn(`${pin.cid.toString()} could not be repinned:`, errorText(error))
    }
  }
}
