/** The exchange of CRDT blocks between members, Go's included: `/ipfs/bitswap` without any routing (wire.md §3.6). */
import type { BlockExchange, FetchOptions, LocalBlocks } from './exchange.ts'
import type { Clock, ComponentLogger, Logger } from '../component.ts'
import type { ByteStream, Transport } from '../transport/transport.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { errorText, systemClock } from '../component.ts'
import { DecodeError } from '../errors.ts'
import { HeldBytes } from '../held-bytes.ts'
import { readMessages } from './bitswap-frames.ts'
import { bitswapProtocols, decodeMessage, hashBlock, maxMessageSize, type BitswapMessage } from './bitswap-message.ts'
import { BitswapPeer } from './bitswap-peer.ts'
import { BitswapWants } from './bitswap-wants.ts'

export interface BitswapComponents {
  readonly transport: Pick<Transport, 'openStream' | 'handle' | 'unhandle' | 'connectedPeers' | 'onConnect' | 'onDisconnect' | 'penalize'>
  readonly blocks: LocalBlocks
  readonly logger: ComponentLogger
  readonly clock?: Clock | undefined
  /** @default Math.random */
  readonly random?: (() => number) | undefined
}

export interface BitswapOptions {
  /** Blocks asked of one peer at a time. @default 50 */
  readonly inFlight?: number | undefined
  /** After this many ms without the block another peer is asked too. @default 1000 */
  readonly patience?: number | undefined
  /** After this many ms everybody is asked again. @default 5000 */
  readonly retryInterval?: number | undefined
}

/** A BlockExchange that can also be told of new blocks. */
export interface BitswapExchange extends BlockExchange {
  /** The block is in the store now: peers that asked for it get it. */
  offer: (cid: CID) => void
}

export const bitswapExchange = (components: BitswapComponents, options: BitswapOptions = {}): BitswapExchange => new Bitswap(components, options)

/** Most streams that a peer may hold open towards us on one connection, in each version of the protocol. */
const maxInboundStreams = 256
/** Bytes of messages that are being received or worked on. */
const heldLimits = { perPeer: 33_554_432, all: 134_217_728 }
/** Blocks nobody asked for that one message may carry before its stream is reset. */
const maxUnwanted = 256

class Bitswap implements BitswapExchange {
  readonly #transport: BitswapComponents['transport']
  readonly #blocks: LocalBlocks
  readonly #log: Logger
  readonly #clock: Clock
  readonly #abort = new AbortController()
  readonly #peers = new Map<string, BitswapPeer>()
  readonly #wants: BitswapWants
  readonly #reading = new Set<Promise<void>>()
  readonly #held = new HeldBytes(heldLimits)
  #listening: ReadonlyArray<() => void> = []

  constructor ({ transport, blocks, logger, clock = systemClock, random = Math.random }: BitswapComponents, { inFlight = 50, patience = 1000, retryInterval = 5000 }: BitswapOptions) {
    this.#transport = transport
    this.#blocks = blocks
    this.#log = logger.forComponent('bitswap')
    this.#clock = clock
    this.#wants = new BitswapWants({ inFlight, patience, retryInterval, clock, random, signal: this.#abort.signal })
  }

  async start (): Promise<void> {
    this.#listening = [
      this.#transport.onConnect((peer) => { this.#wants.join(this.#peer(peer)) }),
      this.#transport.onDisconnect((peer) => { this.#forget(peer) })
    ]
    for (const peer of this.#transport.connectedPeers()) this.#wants.join(this.#peer(peer))
    for (const protocol of bitswapProtocols) await this.#transport.handle(protocol, (stream) => { this.#accept(stream) }, { maxInboundStreams })
  }

  async stop (): Promise<void> {
    this.#abort.abort(new Error('exchange stopped'))
    for (const silence of this.#listening) silence()
    for (const protocol of bitswapProtocols) await this.#transport.unhandle(protocol)
    this.#wants.stop()
    for (const peer of this.#peers.values()) peer.leave()
    await Promise.all([...this.#peers.values()].map(async (peer) => { await peer.idle() }))
    await Promise.all(this.#reading)
    this.#peers.clear()
  }

  async fetch (cid: CID, options: FetchOptions = {}): Promise<Uint8Array> { return await this.#wants.fetch(cid, options) }

  offer (cid: CID): void {
    for (const peer of this.#peers.values()) peer.offer(cid)
  }

  #peer (peerId: PeerId): BitswapPeer {
    const name = peerId.toString()
    const known = this.#peers.get(name)
    if (known !== undefined) return known
    const peer = new BitswapPeer(peerId, { transport: this.#transport, blocks: this.#blocks, log: this.#log, clock: this.#clock, signal: this.#abort.signal })
    this.#peers.set(name, peer)
    return peer
  }

  #forget (peerId: PeerId): void {
    this.#wants.part(peerId)
    this.#peers.get(peerId.toString())?.leave()
    this.#peers.delete(peerId.toString())
  }

  #accept (stream: ByteStream): void {
    const stop = (): void => { stream.abort(new Error('exchange stopped')) }
    this.#abort.signal.addEventListener('abort', stop, { once: true })
    const reading = this.#read(stream)
      .catch((error: unknown) => {
        this.#log.debug('bitswap from %s: %s', stream.remotePeer, errorText(error))
        if (error instanceof DecodeError) this.#transport.penalize(stream.remotePeer, error.message, 10)
        stream.abort(error instanceof Error ? error : new Error(errorText(error)))
      })
      .finally(() => {
        this.#abort.signal.removeEventListener('abort', stop)
        this.#reading.delete(reading)
      })
    this.#reading.add(reading)
  }

  async #read (stream: ByteStream): Promise<void> {
    // Answers go on streams of our own.
    await stream.closeWrite()
    for await (const bytes of readMessages(stream.source, maxMessageSize, (bytes) => { this.#held.hold(stream.remotePeer, bytes) })) await this.#receive(stream.remotePeer, decodeMessage(bytes))
  }

  async #receive (from: PeerId, message: BitswapMessage): Promise<void> {
    let unwanted = 0
    for (const block of message.blocks) {
      const hash = await hashBlock(block)
      if ((hash === undefined || !this.#wants.deliver(from, hash, block.data)) && ++unwanted > maxUnwanted) throw new DecodeError('too many blocks that nobody asked for')
    }
    this.#wants.inform(from, message.haves, message.dontHaves)
    // A late message must not bring a peer back that has left.
    if (message.wants.length > 0 || message.full) this.#peers.get(from.toString())?.receive(message.wants, message.full)
  }
}
