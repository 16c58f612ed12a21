/**
 * The second, unprotected libp2p node that carries only content (design.md). `private`: it listens nowhere and dials the kubo
 * of members, and only once something is missing. `public`: Helia's usual place in the public IPFS network.
 */
import { HeliaBlockstore } from './helia-blockstore.ts'
import { systemClock } from '../../src/component.ts'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { BlockStorage } from '../../src/ipfs/block-storage.ts'
import type { AbortOptions, Clock, ComponentLogger, Logger } from '../../src/component.ts'
import type { IpfsId } from '../../src/cluster/types.ts'
import type { ContentNetwork } from '../../src/ipfs/helia.ts'
import type { HeliaWithLibp2p } from '@helia/libp2p'
import type { PeerId, PrivateKey } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { CID } from 'multiformats/cid'

export interface ContentNodeComponents {
  readonly key: PrivateKey
  readonly storage: BlockStorage
  readonly logger: ComponentLogger
  readonly clock?: Clock | undefined
}

export interface ContentNodeOptions {
  readonly network: 'private' | 'public'
  /** Where members say that their IPFS listens; each ends in /p2p/<id>. @default nowhere */
  readonly sources?: (() => readonly Multiaddr[]) | undefined
}

type Node = HeliaWithLibp2p<Record<string, unknown>>

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

/** Addresses that this node's transports can dial. */
const isDialable = (address: Multiaddr): boolean => {
  const names = address.getComponents().map(({ name }) => name)
  return names.includes('tcp') && !names.includes('p2p-circuit') && !names.includes('tls') && peerOf(address) !== undefined
}

export class ContentNode implements ContentNetwork {
  readonly #components: ContentNodeComponents
  readonly #options: ContentNodeOptions
  readonly #clock: Clock
  readonly #log: Logger
  readonly #stopped = new AbortController()
  readonly #remembered = new Map<string, Multiaddr>()
  readonly #backoff = new Map<string, number>()
  readonly #dialling = new Map<string, Promise<void>>()
  #starting: Promise<Node> | undefined

  constructor (components: ContentNodeComponents, options: ContentNodeOptions) {
    this.#components = components
    this.#options = options
    this.#clock = components.clock ?? systemClock
    this.#log = components.logger.forComponent('ipfs-network')
  }

  async id (): Promise<IpfsId> {
    const node = this.#options.network === 'public' ? await this.#node() : undefined
    return { id: peerIdFromPrivateKey(this.#components.key), addresses: node?.libp2p.getMultiaddrs() ?? [], error: '' }
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
      const node = await this.#node()
      for await (const bytes of node.blockstore.get(cid, { signal: either.signal })) return bytes
      throw new Error(`no bytes for ${cid}`)
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

  /** In a private network nothing starts before there is an address. */
  async #somebodyToAsk (origins: readonly Multiaddr[], signal: AbortSignal): Promise<void> {
    while (this.#options.network === 'private' && this.#starting === undefined && this.#targets(origins).size === 0) await this.#clock.sleep(redialInterval, { signal })
  }

  #targets (origins: readonly Multiaddr[]): Map<string, Multiaddr[]> {
    const own = peerIdFromPrivateKey(this.#components.key).toString()
    const targets = new Map<string, Multiaddr[]>()
    for (const address of [...origins, ...this.#options.sources?.() ?? [], ...this.#remembered.values()]) {
      const peer = peerOf(address)
      if (peer === undefined || peer === own || !isDialable(address)) continue
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
        const { libp2p } = await this.#node()
        if (libp2p.getPeers().some((connected) => connected.toString() === peer)) return
        await libp2p.dial([...addresses], { signal: AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(dialTimeout)]) })
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

  /** `private` remembers the addresses for when something is missing; `public` dials now. */
  async connect (addresses: readonly Multiaddr[]): Promise<void> {
    for (const address of addresses) {
      if (this.#remembered.size >= maxRemembered) this.#remembered.delete(this.#remembered.keys().next().value ?? '')
      this.#remembered.set(address.toString(), address)
    }
    if (this.#options.network === 'public') await Promise.all([...this.#targets(addresses)].map(([peer, known]) => this.#dial(peer, known)))
  }

  /** Those it is connected to now; starts nothing. */
  peers (): readonly PeerId[] { return this.#started?.libp2p.getPeers() ?? [] }

  #started: Node | undefined

  async #node (): Promise<Node> {
    this.#stopped.signal.throwIfAborted()
    const starting = this.#starting ?? this.#start()
    this.#starting = starting
    try {
      this.#started = await starting
      return this.#started
    } catch (error) {
      if (this.#starting === starting) this.#starting = undefined
      throw error
    }
  }

  async #start (): Promise<Node> {
    const { key, storage } = this.#components
    const { publicHelia, privateHelia } = await import('./helia-nodes.ts')
    const blockstore = new HeliaBlockstore(storage)
    const node = await (this.#options.network === 'public' ? publicHelia(key, blockstore) : privateHelia(key, blockstore)).start()
    this.#log.info('content node %s has started (%s network)', node.libp2p.peerId, this.#options.network)
    return node
  }

  async stop (): Promise<void> {
    this.#stopped.abort(new Error('the content node has stopped'))
    await Promise.all(this.#dialling.values())
    await (await this.#starting?.catch(() => undefined))?.stop()
  }
}
