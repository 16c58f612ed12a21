/**
 * How a light peer gets to know the full members that its join link does not name. It has no part in the DHT: members near it tell the addresses
 * they know of those whose pings it hears, and it dials them. Nobody else could make that connection: a tab cannot be dialled. Tabs meet in the transport.
 */
import { errorText } from '../component.ts'
import type { AbortOptions } from '../component.ts'
import type { AddressBook } from '../transport/transport.ts'
import type { PeerContext } from './components.ts'
import { answerTimeout, within } from './deadline.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

/** Ms between looks for members that are not near. */
export const introductionInterval = 1_000
/** Members asked for addresses in one round. */
const askedAtOnce = 3
/** Members dialled in one round: pings may be made up. */
const dialledAtOnce = 16
/** Ms for one dial. */
const dialTimeout = 10_000
const firstRetry = 2_000
const lastRetry = 60_000

interface Attempt { readonly count: number, readonly after: number }

type Parts = Pick<PeerContext, 'self' | 'transport' | 'monitor' | 'rpc' | 'clock' | 'random' | 'log'>

export class Introductions {
  readonly #parts: Parts
  readonly #book: Pick<AddressBook, 'remember'>
  readonly #attempts = new Map<string, Attempt>()

  constructor (parts: Parts, book: Pick<AddressBook, 'remember'>) {
    this.#parts = parts
    this.#book = book
  }

  /** One look: asks for and dials those members that are not near and whose turn it is. */
  async round (options: AbortOptions = {}): Promise<void> {
    const { transport } = this.#parts
    const near = transport.connectedPeers()
    const strangers = this.#strangers(near)
    const due = near.length === 0 ? [] : this.#due(strangers)
    if (due.length === 0) return
    await this.#book.remember(await this.#ask(near, new Set(due.map(String)), options))
    await Promise.all(due.map(async (peer) => {
      const limit = AbortSignal.timeout(dialTimeout)
      try {
        await transport.connect(peer, { signal: options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]) })
      } catch (error) {
        this.#parts.log.debug('could not reach %s: %s', peer, errorText(error))
      }
    }))
  }

  /** Full members heard of that are not near. Those that are near, or gone, are forgotten. */
  #strangers (near: readonly PeerId[]): readonly PeerId[] {
    const { self, monitor } = this.#parts
    const nearby = new Set(near.map(String))
    const strangers = monitor.latestValid('ping').map(({ peer }) => peer).filter((peer) => !peer.equals(self) && !nearby.has(peer.toString()) && !this.#isLight(peer))
    const names = new Set(strangers.map(String))
    for (const name of this.#attempts.keys()) if (!names.has(name)) this.#attempts.delete(name)
    return strangers
  }

  #due (strangers: readonly PeerId[]): readonly PeerId[] {
    const now = this.#parts.clock.now()
    // Who was tried least often comes first.
    const tried = (peer: PeerId): number => this.#attempts.get(peer.toString())?.count ?? 0
    let room = dialledAtOnce
    return strangers.toSorted((one, other) => tried(one) - tried(other)).filter((peer) => {
      const name = peer.toString()
      const { count, after } = this.#attempts.get(name) ?? { count: 0, after: now }
      if (now < after || room-- <= 0) return false
      this.#attempts.set(name, { count: count + 1, after: now + Math.min(lastRetry, firstRetry * 2 ** count) })
      return true
    })
  }

  #isLight (peer: PeerId): boolean { return this.#parts.monitor.latestPing(peer)?.light === true }

  /** What some neighbours know of these peers; light ones are asked last. */
  async #ask (near: readonly PeerId[], wanted: ReadonlySet<string>, options: AbortOptions): Promise<readonly Multiaddr[]> {
    const { random, rpc, clock, log } = this.#parts
    const ranked = near.map((peer) => ({ peer, rank: (this.#isLight(peer) ? 1 : 0) + random() })).toSorted((a, b) => a.rank - b.rank)
    const answers = await Promise.all(ranked.slice(0, askedAtOnce).map(async ({ peer }) => {
      try {
        return (await within(clock, answerTimeout, options, async (limited) => await rpc.call(peer, 'Cluster.ID', {}, limited))).clusterPeersAddresses
      } catch (error) {
        log.debug('%s does not say whom it knows: %s', peer, errorText(error))
        return []
      }
    }))
    return answers.flat().filter((address) => {
      const named = address.getComponents().findLast(({ name }) => name === 'p2p')?.value
      return named !== undefined && wanted.has(named)
    })
  }
}
