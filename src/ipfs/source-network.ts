/**
 * The network beyond the cluster: a second, unprotected node that carries only content (design.md). It starts with the first need, dials
 * those whose addresses are known (the IPFS of members, origins of pins), and asks them.
 */
import { systemClock } from '../component.ts'
import type { AbortOptions, Clock, ComponentLogger, Logger } from '../component.ts'
import type { IpfsId } from '../cluster/types.ts'
import type { ContentNetwork } from './helia.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { CID } from 'multiformats/cid'

/** The node once it runs. */
export interface ContentLink {
  readonly addresses: () => readonly Multiaddr[]
  readonly peers: () => readonly PeerId[]
  /** Connects to one peer, by any of its addresses; each ends in /p2p/<id>. */
  readonly dial: (addresses: readonly Multiaddr[], options: { readonly signal: AbortSignal }) => Promise<void>
  /** Bytes that hash to the CID, from anybody connected now or later. */
  readonly get: (cid: CID, options: { readonly signal: AbortSignal }) => Promise<Uint8Array>
  readonly stop: () => Promise<void>
}

export interface SourceNetworkComponents {
  /** Own identity in that network: not the cluster peer's, so that nobody takes one for the other. */
  readonly id: PeerId
  /** Starts the node. */
  readonly open: () => Promise<ContentLink>
  /** Whether the node's transports can dial this address, which names its peer. */
  readonly isDialable: (address: Multiaddr) => boolean
  readonly logger: ComponentLogger
  readonly clock?: Clock | undefined
}

export interface SourceNetworkOptions {
  /** Finds others by itself too: it starts when it is asked for anything, and dials what `connect` gets. @default false */
  readonly open?: boolean | undefined
  /** Where members say that their IPFS listens; each ends in /p2p/<id>. @default nowhere */
  readonly sources?: (() => readonly Multiaddr[]) | undefined
}

/** Peers dialled for one block, and how long one dial may take, in ms. */
const maxDials = 50
const dialTimeout = 10_000
/** A peer that could not be dialled is left alone for this long, in ms. */
const dialBackoff = 30_000
/** How often new addresses are looked for while a block is wanted, in ms. */
const redialInterval = 2_000
/** Addresses remembered from `connect`. */
const maxRemembered = 500

/** The peer at the end of an address; undefined where it names none. */
const peerOf = (address: Multiaddr): string | undefined => address.getComponents().findLast(({ name }) => name === 'p2p')?.value

export class SourceNetwork implements ContentNetwork {
  readonly #components: SourceNetworkComponents
  readonly #options: SourceNetworkOptions
  readonly #clock: Clock
  readonly #log: Logger
  readonly #stopped = new AbortController()
  readonly #remembered = new Map<string, Multiaddr>()
  readonly #backoff = new Map<string, number>()
  readonly #dialling = new Map<string, Promise<void>>()
  #starting: Promise<ContentLink> | undefined

  constructor (components: SourceNetworkComponents, options: SourceNetworkOptions = {}) {
    this.#components = components
    this.#options = options
    this.#clock = components.clock ?? systemClock
    this.#log = components.logger.forComponent('ipfs-network')
  }

  async id (): Promise<IpfsId> {
    const link = this.#options.open === true ? await this.#link() : undefined
    return { id: this.#components.id, addresses: link?.addresses() ?? [], error: '' }
  }

  async fetch (cid: CID, { signal, origins }: AbortOptions & { readonly origins: readonly Multiaddr[] }): Promise<Uint8Array> {
    const either = new AbortController()
    const onAbort = (): void => { either.abort(signal?.reason ?? this.#stopped.signal.reason) }
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#stopped.signal.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted === true || this.#stopped.signal.aborted) onAbort()
    const dialling = this.#keepDialling(origins, either.signal)
    try {
      await this.#somebodyToAsk(origins, either.signal)
      return await (await this.#link()).get(cid, { signal: either.signal })
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    } finally {
      either.abort(new Error('the block is there'))
      signal?.removeEventListener('abort', onAbort)
      this.#stopped.signal.removeEventListener('abort', onAbort)
      await dialling
    }
  }

  /** Nothing starts before there is an address, unless the node finds others by itself. */
  async #somebodyToAsk (origins: readonly Multiaddr[], signal: AbortSignal): Promise<void> {
    while (this.#options.open !== true && this.#starting === undefined && this.#targets(origins).size === 0) await this.#clock.sleep(redialInterval, { signal })
  }

  #targets (origins: readonly Multiaddr[]): Map<string, Multiaddr[]> {
    const own = this.#components.id.toString()
    const targets = new Map<string, Multiaddr[]>()
    for (const address of [...origins, ...this.#options.sources?.() ?? [], ...this.#remembered.values()]) {
      const peer = peerOf(address)
      if (peer === undefined || peer === own || !this.#components.isDialable(address)) continue
      const addresses = targets.get(peer)
      if (addresses !== undefined) addresses.push(address)
      else if (targets.size < maxDials) targets.set(peer, [address])
    }
    return targets
  }

  /** Until the signal fires; never rejects. */
  async #keepDialling (origins: readonly Multiaddr[], signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const [peer, addresses] of this.#targets(origins)) void this.#dial(peer, addresses)
      await this.#clock.sleep(redialInterval, { signal }).catch(() => {})
    }
  }

  /** One dial at a time for each peer; never rejects. */
  async #dial (peer: string, addresses: readonly Multiaddr[]): Promise<void> {
    if (this.#dialling.has(peer) || (this.#backoff.get(peer) ?? 0) > this.#clock.now()) return
    const dial = async (): Promise<void> => {
      try {
        const link = await this.#link()
        if (link.peers().some((connected) => connected.toString() === peer)) return
        await link.dial(addresses, { signal: AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(dialTimeout)]) })
        this.#log.debug('connected to the IPFS of %s', peer)
      } catch (error) {
        this.#backoff.set(peer, this.#clock.now() + dialBackoff)
        this.#log.debug('could not connect to the IPFS %s: %s', peer, error)
      } finally {
        this.#dialling.delete(peer)
      }
    }
    const dialling = dial()
    this.#dialling.set(peer, dialling)
    await dialling
  }

  /** Remembers the addresses for when something is missing; a node that finds others by itself dials now. */
  async connect (addresses: readonly Multiaddr[]): Promise<void> {
    for (const address of addresses) {
      if (this.#remembered.size >= maxRemembered) this.#remembered.delete(this.#remembered.keys().next().value ?? '')
      this.#remembered.set(address.toString(), address)
    }
    if (this.#options.open === true) await Promise.all([...this.#targets(addresses)].map(([peer, known]) => this.#dial(peer, known)))
  }

  /** Those it is connected to now; starts nothing. */
  peers (): readonly PeerId[] { return this.#started?.peers() ?? [] }

  #started: ContentLink | undefined

  async #link (): Promise<ContentLink> {
    this.#stopped.signal.throwIfAborted()
    const starting = this.#starting ?? this.#components.open()
    this.#starting = starting
    try {
      this.#started = await starting
      return this.#started
    } catch (error) {
      if (this.#starting === starting) this.#starting = undefined
      throw error
    }
  }

  async stop (): Promise<void> {
    this.#stopped.abort(new Error('the content node has stopped'))
    await Promise.all(this.#dialling.values())
    await (await this.#starting?.catch(() => undefined))?.stop()
  }
}
