/** Finds the way into the cluster and back into it: known addresses, dialled at the start and again while too few members are near (wire.md §1.5). */
import type { AddressBook, Transport } from './transport.ts'
import type { AbortOptions, Clock, ComponentLogger, Logger, Startable } from '../component.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { errorText, systemClock } from '../component.ts'
import { peerOf } from './addresses.ts'
import { resolveNames, type NameResolver } from './dns-addresses.ts'

export interface BootstrapOptions {
  /** `cluster.peer_addresses`: kept for good and tried first. @default [] */
  readonly peerAddresses?: readonly Multiaddr[] | undefined
  /** Addresses of the `peerstore` file. @default [] */
  readonly knownAddresses?: readonly Multiaddr[] | undefined
  /** Connections with which nobody more is looked for. @default 100 */
  readonly lowWater?: number | undefined
  /** For one peer, in ms. @default 3000 */
  readonly dialTimeout?: number | undefined
  /** How often members are looked for while there are few, in ms. @default 30_000 */
  readonly interval?: number | undefined
  /** How often one of `peerAddresses` is dialled anyway, in ms. @default 300_000 */
  readonly priorityInterval?: number | undefined
}

export interface BootstrapComponents {
  readonly transport: Pick<Transport, 'peerId' | 'connect' | 'connectedPeers'> & AddressBook
  readonly logger: ComponentLogger
  readonly clock?: Clock | undefined
  /** @default Math.random */
  readonly random?: (() => number) | undefined
  /** Resolves `/dnsaddr` addresses. @default by DNS */
  readonly resolve?: NameResolver | undefined
}

/** Peers that the start is content with. */
const enough = 3
/** Most peers dialled in one later round. */
const roundSize = 10

/** Use: `bootstrap()` once after the transport's start, then `start()` for the rounds in the background. */
export class Bootstrap implements Startable {
  readonly #transport: BootstrapComponents['transport']
  readonly #log: Logger
  readonly #clock: Clock
  readonly #random: () => number
  readonly #resolve: NameResolver | undefined
  readonly #options: Required<{ [K in keyof BootstrapOptions]: NonNullable<BootstrapOptions[K]> }>
  readonly #abort = new AbortController()
  /** The permanent ones by peer, resolved. */
  readonly #priority = new Map<string, PeerId>()
  readonly #addresses = new Map<string, readonly Multiaddr[]>()
  #running: Promise<unknown> = Promise.resolve()
  #looking: Promise<void> | undefined
  #next = 0

  constructor ({ transport, logger, clock = systemClock, random = Math.random, resolve }: BootstrapComponents, options: BootstrapOptions = {}) {
    this.#transport = transport
    this.#log = logger.forComponent('pstoremgr')
    this.#clock = clock
    this.#random = random
    this.#resolve = resolve
    const { peerAddresses = [], knownAddresses = [], lowWater = 100, dialTimeout = 3000, interval = 30_000, priorityInterval = 300_000 } = options
    this.#options = { peerAddresses, knownAddresses, lowWater, dialTimeout, interval, priorityInterval }
  }

  /** Dials known peers, the permanent ones first, until three have answered or nobody is left; returns who did. */
  async bootstrap (options: AbortOptions = {}): Promise<readonly PeerId[]> {
    await this.#import(this.#options.knownAddresses, options)
    await this.add(this.#options.peerAddresses, options)
    const known = await this.#known()
    const others = shuffle(known.filter((peer) => !this.#priority.has(peer.toString())), this.#random)
    const waiting = [...this.#priority.values(), ...others]
    const reached: PeerId[] = []
    while (reached.length < enough && waiting.length > 0) {
      const tried = await Promise.all(waiting.splice(0, enough - reached.length).map(async (peer) => await this.#dial(peer, options)))
      reached.push(...tried.filter((peer) => peer !== undefined))
      options.signal?.throwIfAborted()
    }
    return reached
  }

  /** Adds permanent addresses, as of a peer that was joined. */
  async add (addresses: readonly Multiaddr[], options: AbortOptions = {}): Promise<void> {
    for (const address of await this.#import(addresses, options)) {
      const peer = peerOf(address)
      if (peer === undefined || peer.equals(this.#transport.peerId)) continue
      this.#priority.set(peer.toString(), peer)
      this.#addresses.set(peer.toString(), [...this.#addresses.get(peer.toString()) ?? [], address])
    }
  }

  async start (): Promise<void> {
    const { signal } = this.#abort
    const every = async (ms: number, round: () => Promise<void>): Promise<void> => {
      while (true) {
        await this.#clock.sleep(ms, { signal })
        await round().catch((error: unknown) => { this.#log.debug('looking for peers failed: %s', errorText(error)) })
      }
    }
    this.#running = Promise.allSettled([
      every(this.#options.interval, async () => { await this.#lookAround() }),
      every(this.#options.priorityInterval, async () => { await this.#visitPriority() })
    ])
  }

  /** Looks for members at once: the network may be back, or the page was asleep. */
  lookNow (): void {
    if (this.#abort.signal.aborted || this.#looking !== undefined) return
    this.#looking = this.#lookAround()
      .catch((error: unknown) => { this.#log.debug('looking for peers failed: %s', errorText(error)) })
      .finally(() => { this.#looking = undefined })
  }

  async stop (): Promise<void> {
    this.#abort.abort(new Error('bootstrap stopped'))
    await this.#looking
    await this.#running
  }

  async #lookAround (): Promise<void> {
    const near = this.#transport.connectedPeers()
    if (near.length >= this.#options.lowWater) return
    const candidates = (await this.#known()).filter((peer) => !near.some((other) => other.equals(peer)))
    await Promise.all(shuffle(candidates, this.#random).slice(0, Math.min(roundSize, this.#options.lowWater - near.length)).map(async (peer) => await this.#dial(peer)))
  }

  async #visitPriority (): Promise<void> {
    const peers = [...this.#priority.values()]
    const peer = peers[this.#next++ % peers.length]
    if (peer !== undefined) await this.#dial(peer)
  }

  async #import (addresses: readonly Multiaddr[], { signal }: AbortOptions): Promise<readonly Multiaddr[]> {
    const limit = AbortSignal.timeout(this.#options.dialTimeout)
    const resolved = await resolveNames(addresses, this.#resolve, {
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      onFailure: (address, error) => { this.#log.warn('could not resolve %s: %s', address, errorText(error)) }
    })
    await this.#transport.remember(resolved)
    return resolved
  }

  async #known (): Promise<readonly PeerId[]> {
    const known = (await this.#transport.known()).filter(({ addresses }) => addresses.length > 0).map(({ peer }) => peer)
    const names = new Set(known.map(String))
    return [...known, ...[...this.#priority.values()].filter((peer) => !names.has(peer.toString()))]
  }

  async #dial (peer: PeerId, { signal }: AbortOptions = {}): Promise<PeerId | undefined> {
    const signals = [this.#abort.signal, AbortSignal.timeout(this.#options.dialTimeout), ...signal === undefined ? [] : [signal]]
    try {
      // The address book forgets; permanent addresses do not.
      await this.#transport.remember(this.#addresses.get(peer.toString()) ?? [])
      return await this.#transport.connect(peer, { signal: AbortSignal.any(signals) })
    } catch (error) {
      this.#log.debug('could not reach %s: %s', peer, errorText(error))
      return undefined
    }
  }
}

function shuffle<T> (values: readonly T[], random: () => number): T[] {
  const shuffled = [...values]
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const [one, two] = [shuffled[last], shuffled[other]]
    if (one !== undefined && two !== undefined) {
      shuffled[last] = two
      shuffled[other] = one
    }
  }
  return shuffled
}
