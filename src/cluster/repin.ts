/** New holders for the pins of peers that are gone (behaviour.md §8). */
import { CID } from 'multiformats/cid'
import { errorText } from '../component.ts'
import type { AbortOptions } from '../component.ts'
import type { PeerContext } from './components.ts'
import { closestFor } from './closest.ts'
import type { PinPipeline } from './pin-pipeline.ts'
import type { PeerId } from '@libp2p/interface'

/** Pins re-allocated at a time; their commits join. */
const concurrency = 64
/** Ms between two lines of the log that tell of progress. */
const progressInterval = 10_000
/** Peers that are remembered as gone; those that are gone longest are forgotten first. */
const maxGone = 4096
/** Peers that the log names. */
const namedPeers = 10
/** Pins that could not be re-allocated of which the log tells each. */
const toldFailures = 10

type Parts = Pick<PeerContext, 'self' | 'options' | 'consensus' | 'monitor' | 'clock' | 'log'> & { readonly pipeline: PinPipeline }

interface Round { readonly lost: readonly PeerId[], looked: number, moved: number, failed: number, toldAt: number }

export class Repinner {
  readonly #parts: Parts
  /** Rounds follow one another. */
  #working: Promise<void> = Promise.resolve()
  /** The round that has not begun: peers that are lost until then join it. */
  #next: Promise<void> | undefined
  /** Not seen again since they were lost: another loss may make this peer the closest to what they held. */
  readonly #gone = new Map<string, PeerId>()

  constructor (parts: Parts) { this.#parts = parts }

  /** A peer's ping expired: re-allocates what it held and this peer is the closest to, in one look at the pinset for all that are gone. Resolves when it is done. */
  async peerLost (peer: PeerId, options: AbortOptions): Promise<void> {
    const { self, options: { disableRepinning, followerMode }, log } = this.#parts
    if (disableRepinning || followerMode || peer.equals(self)) return
    this.#gone.set(peer.toString(), peer)
    const [longest] = this.#gone.keys()
    if (this.#gone.size > maxGone && longest !== undefined) this.#gone.delete(longest)
    this.#next ??= this.#working = this.#working.then(async () => {
      this.#next = undefined
      options.signal?.throwIfAborted()
      const lost = this.#stillGone()
      if (lost.length > 0) await this.#repinFrom(lost, await closestFor(this.#parts, lost), options)
    }).catch((error: unknown) => {
      if (options.signal?.aborted !== true) log.error(`repinning what ${peer.toString()} held failed:`, errorText(error))
    })
    await this.#next
  }

  /** Moves every pin away from a peer that is to be removed, unless repinning is disabled. */
  async vacate (peer: PeerId, options: AbortOptions = {}): Promise<void> {
    if (this.#parts.options.disableRepinning) {
      this.#parts.log.warn('repinning is disabled: the pins of the peer are not re-allocated', peer.toString())
      return
    }
    await this.#repinFrom([peer], () => true, options)
  }

  #stillGone (): readonly PeerId[] {
    for (const { peer } of this.#parts.monitor.latestValid('ping')) this.#gone.delete(peer.toString())
    return [...this.#gone.values()]
  }

  async #repinFrom (lost: readonly PeerId[], isMine: (cid: CID) => boolean, options: AbortOptions): Promise<void> {
    const { consensus: { log: { pinset } }, clock, log } = this.#parts
    const names = new Set(lost.map(String))
    const round: Round = { lost, looked: 0, moved: 0, failed: 0, toldAt: clock.now() }
    let group: CID[] = []
    const flush = async (): Promise<void> => {
      const cids = group
      group = []
      await Promise.all(cids.map((cid) => this.#repin(cid, round, options)))
    }
    log.info(`re-allocating what is lost with ${[...names].slice(0, namedPeers).join(', ')}${names.size > namedPeers ? ` and ${names.size - namedPeers} others` : ''}`)
    for await (const lines of pinset.listed(options)) {
      options.signal?.throwIfAborted()
      for (const { cid: text, allocations } of lines) {
        round.looked++
        if (allocations?.some((holder) => names.has(holder)) !== true) continue
        const cid = CID.parse(text)
        if (isMine(cid) && group.push(cid) >= concurrency) await flush()
      }
      this.#tell(round)
    }
    await flush()
    log.info(`re-allocated ${round.moved} pins; ${round.failed} could not be`)
  }

  #tell (round: Round): void {
    const { clock, consensus: { log: { pinset } }, log } = this.#parts
    if (clock.now() - round.toldAt < progressInterval) return
    round.toldAt = clock.now()
    log.info(`re-allocating: ${round.looked} of ${pinset.count()} pins looked at, ${round.moved} re-allocated, ${round.failed} could not be`)
  }

  async #repin (cid: CID, round: Round, options: AbortOptions): Promise<void> {
    const { pipeline, consensus: { log: { pinset } }, log } = this.#parts
    try {
      const pin = await pinset.get(cid, options)
      if (pin === undefined || !pin.allocations.some((holder) => round.lost.some((peer) => peer.equals(holder))) || !await pipeline.repin(pin, round.lost, options)) return
      round.moved++
      log.debug('re-allocated', cid.toString())
    } catch (error) {
      options.signal?.throwIfAborted()
      if (round.failed++ < toldFailures) log.warn(`${cid.toString()} could not be re-allocated:`, errorText(error))
    }
  }
}
