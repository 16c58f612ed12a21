/** User content between members of ours over the private network (design.md): each serves what its IPFS holds, and asks the others for what it lacks. */
import { systemClock } from '../component.ts'
import { contentProtocol, isAskable } from './content-frames.ts'
import { Rooms, serveContent } from './content-server.ts'
import { ContentSession } from './content-session.ts'
import type { ContentAnswer, Want } from './content-frames.ts'
import type { BlockExchange, FetchOptions, LocalBlocks } from './exchange.ts'
import type { Clock, ComponentLogger, Logger } from '../component.ts'
import type { Transport } from '../transport/transport.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

export interface ContentComponents {
  readonly transport: Transport
  /** What this peer serves: its IPFS, local blocks only. */
  readonly blocks: LocalBlocks
  readonly logger: ComponentLogger
  readonly clock?: Clock | undefined
}

/** Times in ms. */
export interface ContentOptions {
  /** Longest wait for the next bytes of an answer. @default 10_000 */
  readonly answerTimeout?: number | undefined
  /** How long an unused stream stays open. @default 30_000 */
  readonly idleTimeout?: number | undefined
  /** How long a member that does not speak the protocol, or failed, is left alone. @default 30_000 */
  readonly refusalTime?: number | undefined
  /** Pause before everybody is asked again; it doubles up to 10 s. @default 500 */
  readonly retryInterval?: number | undefined
  /** Streams that a member may have open to us on one connection. @default 16 */
  readonly maxInboundStreams?: number | undefined
}

/** Members asked for the block itself before all others are asked whether they have it. */
const directQuestions = 2
const longestRetry = 10_000

export class ContentExchange implements BlockExchange {
  readonly #transport: Transport
  readonly #blocks: LocalBlocks
  readonly #clock: Clock
  readonly #log: Logger
  readonly #options: Required<{ [K in keyof ContentOptions]: number }>
  readonly #sessions = new Map<string, ContentSession>()
  /** Members that are left alone, until when. */
  readonly #refused = new Map<string, number>()
  /** Members in the order in which they last had what was asked; the newest is last. */
  readonly #givers = new Map<string, PeerId>()
  readonly #serving = new Set<Promise<void>>()
  readonly #rooms = new Rooms()
  #stopped = new AbortController()
  #unsubscribe: Array<() => void> = []

  constructor ({ transport, blocks, logger, clock = systemClock }: ContentComponents, options: ContentOptions = {}) {
    this.#transport = transport
    this.#blocks = blocks
    this.#clock = clock
    this.#log = logger.forComponent('content')
    this.#options = {
      answerTimeout: options.answerTimeout ?? 10_000, idleTimeout: options.idleTimeout ?? 30_000, refusalTime: options.refusalTime ?? 30_000,
      retryInterval: options.retryInterval ?? 500, maxInboundStreams: options.maxInboundStreams ?? 16
    }
  }

  async start (): Promise<void> {
    this.#stopped = new AbortController()
    this.#unsubscribe = [
      this.#transport.onConnect((peer) => { this.#refused.delete(peer.toString()) }),
      this.#transport.onDisconnect((peer) => { this.#forget(peer.toString()) })
    ]
    await this.#transport.handle(contentProtocol, (stream) => {
      const serving = serveContent(stream, { blocks: this.#blocks, rooms: this.#rooms, clock: this.#clock, log: this.#log, signal: this.#stopped.signal, penalize: (offence, points) => { this.#transport.penalize(stream.remotePeer, offence, points) } })
        .finally(() => { this.#serving.delete(serving) })
      this.#serving.add(serving)
    }, { maxInboundStreams: this.#options.maxInboundStreams })
  }

  async stop (): Promise<void> {
    this.#stopped.abort(new Error('the content exchange has stopped'))
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe()
    await this.#transport.unhandle(contentProtocol)
    await Promise.all([...this.#sessions.values()].map((session) => session.stop()))
    this.#sessions.clear()
    await Promise.all(this.#serving)
  }

  #forget (name: string): void {
    this.#givers.delete(name)
    if (this.#refused.get(name) === Infinity) this.#refused.delete(name)
    if (this.#sessions.get(name)?.load === 0) this.#sessions.delete(name)
  }

  async fetch (cid: CID, options: FetchOptions = {}): Promise<Uint8Array> {
    const signal = options.signal === undefined ? this.#stopped.signal : AbortSignal.any([options.signal, this.#stopped.signal])
    for (let pause = this.#options.retryInterval; ; pause = Math.min(2 * pause, longestRetry)) {
      const bytes = await this.fetchNow(cid, { ...options, signal })
      if (bytes !== undefined) return bytes
      await this.#clock.sleep(pause, { signal })
    }
  }

  /** Asks every member once; undefined when none of them has it. */
  async fetchNow (cid: CID, { from = [], signal }: FetchOptions = {}): Promise<Uint8Array | undefined> {
    if (!isAskable(cid)) return undefined
    const members = this.#candidates(from)
    const preferred = members.filter(({ rank }) => rank > 0).slice(0, directQuestions).map(({ peer }) => peer)
    for (const peer of preferred) {
      const bytes = await this.#block(peer, cid, signal)
      if (bytes !== undefined) return bytes
    }
    const others = members.map(({ peer }) => peer).filter((peer) => !preferred.includes(peer))
    for await (const holder of this.#holders(others, cid, signal)) {
      const bytes = await this.#block(holder, cid, signal)
      if (bytes !== undefined) return bytes
    }
    return undefined
  }

  /** Who can be asked, best first: named ones and recent givers, less busy before busier. */
  #candidates (from: readonly PeerId[]): Array<{ readonly peer: PeerId, readonly rank: number, readonly load: number }> {
    const peers = new Map<string, PeerId>([...from, ...this.#transport.connectedPeers()].map((peer) => [peer.toString(), peer]))
    peers.delete(this.#transport.peerId.toString())
    const named = new Set(from.map(String))
    const now = this.#clock.now()
    return [...peers].filter(([name]) => (this.#refused.get(name) ?? 0) <= now)
      .map(([name, peer]) => ({ peer, rank: (named.has(name) ? 1 : 0) + (this.#givers.has(name) ? 2 : 0), load: this.#sessions.get(name)?.load ?? 0 }))
      .sort((one, other) => other.rank - one.rank || one.load - other.load)
  }

  /** Those who say that they have it, as they say so. */
  async * #holders (peers: readonly PeerId[], cid: CID, signal?: AbortSignal): AsyncGenerator<PeerId> {
    const pending = new Map(peers.map((peer) => [peer, this.#ask(peer, cid, 'have', signal).then((answer) => ({ peer, here: answer?.here === true }))]))
    // Those who are not waited for any more may still be aborted.
    for (const asking of pending.values()) asking.catch(() => {})
    while (pending.size > 0) {
      const { peer, here } = await Promise.race(pending.values())
      pending.delete(peer)
      if (here) yield peer
    }
  }

  async #block (peer: PeerId, cid: CID, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const answer = await this.#ask(peer, cid, 'block', signal)
    if (answer?.here !== true) return undefined
    this.#givers.delete(peer.toString())
    this.#givers.set(peer.toString(), peer)
    return answer.bytes
  }

  /** Undefined where the member could not be asked; it is then left alone for a while, or until it connects anew. */
  async #ask (peer: PeerId, cid: CID, want: Want, signal?: AbortSignal): Promise<ContentAnswer | undefined> {
    const name = peer.toString()
    const session = this.#sessions.get(name) ?? new ContentSession(this.#transport, peer, this.#options)
    this.#sessions.set(name, session)
    try {
      return await session.ask(cid, want, { signal })
    } catch (error) {
      signal?.throwIfAborted()
      this.#log.debug('%s could not be asked for content: %s', name, error)
      const forGood = error instanceof Error && error.name === 'UnsupportedProtocolError'
      this.#refused.set(name, forGood ? Infinity : this.#clock.now() + this.#options.refusalTime)
      this.#givers.delete(name)
      return undefined
    }
  }
}
