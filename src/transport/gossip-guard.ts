/**
 * Bounds what members can make gossipsub do: so many frames and messages of each neighbour at a time, one after the other, the next ones
 * waiting on the neighbour's side; so many of each author; so much remembered. @libp2p/gossipsub 17 has no such limits of its own and reads
 * ahead of its work without end; the methods and caches that are replaced here are private to it, and checked for at the start.
 */
import type { Clock, Logger } from '../component.ts'
import type { GossipSub } from '@libp2p/gossipsub'
import type { PeerId, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { Allowance } from '../allowance.ts'
import { boundMessageCache, boundSeenCache, type MessageCache, type SeenCache } from './gossip-caches.ts'
import { Intake, type Frame } from './gossip-intake.ts'
import { peerKey } from './peer-key.ts'

export interface GossipGuardParts {
  readonly clock: Clock
  readonly log: Logger
  readonly isSubscribed: (topic: string) => boolean
  readonly penalize: (peer: PeerId, offence: string, points: number) => void
  /** Told whenever something comes. */
  readonly onBytes?: (() => void) | undefined
}

/** From one neighbour; relayed messages count, too. What is beyond waits. */
const messagesOfNeighbour = { perSecond: 3000, atOnce: 10_000 }
const bytesOfNeighbour = { perSecond: 8_388_608, atOnce: 33_554_432 }
/** By one author, whoever brings them. What is beyond is neither taken nor passed on. */
const messagesOfAuthor = { perSecond: 1000, atOnce: 20_000 }
/** Peers whose allowances are remembered. */
const maxRemembered = 4096
/** Messages that are checked before others get their turn. */
const slice = 64
/** Peers that one neighbour may tell us of when it prunes us, a minute. */
const introductions = { perSecond: 1, atOnce: 16 }
/** Longest time that a neighbour may keep us out of its mesh, in seconds. */
const longestBackoff = 3600

interface Rpc {
  readonly messages: readonly { readonly topic: string }[]
  readonly control?: { readonly prune?: ReadonlyArray<{ topicID?: string, peers?: unknown[], backoff?: number }> } | undefined
}

interface Internals {
  createInboundStream: (peer: PeerId, stream: Stream) => void
  pipePeerReadStream: (peer: PeerId, source: AsyncIterable<Frame>) => Promise<void>
  handleReceivedRpc: (from: PeerId, rpc: Rpc) => Promise<void>
  readonly mcache: MessageCache
  readonly seenCache: SeenCache
  readonly score: { rejectInvalidMessage: (from: string, topic: string) => void }
}

interface Lane { readonly messages: Allowance, readonly bytes: Allowance, readonly introductions: Allowance, busy: boolean }

export class GossipGuard {
  readonly #parts: GossipGuardParts
  readonly #lanes = new Map<string, Lane>()
  readonly #authors = new Map<string, Allowance>()
  readonly #abort = new AbortController()

  constructor (gossip: GossipSub, parts: GossipGuardParts) {
    this.#parts = parts
    const inner = gossip as unknown as Internals
    const missing = (['createInboundStream', 'pipePeerReadStream', 'handleReceivedRpc', 'mcache', 'seenCache', 'score'] as const).filter((name) => inner[name] === undefined)
    if (missing.length > 0) throw new Error(`this version of @libp2p/gossipsub hides ${missing.join(', ')}: members could not be limited`)
    boundMessageCache(inner.mcache)
    boundSeenCache(inner.seenCache)
    this.#limitReading(inner)
    this.#limitWork(inner)
    const reject = inner.score.rejectInvalidMessage.bind(inner.score)
    // Every member checks signatures before it passes a message on: who brings a false one made it.
    inner.score.rejectInvalidMessage = (from, topic) => {
      parts.penalize(peerIdFromString(from), 'messages that are not signed well', 2)
      reject(from, topic)
    }
  }

  /** Peers whose allowances are remembered. */
  get size (): number { return Math.max(this.#lanes.size, this.#authors.size) }

  /** Whether one more message of this author is taken now. */
  allows (author: PeerId): boolean {
    return remembered(this.#authors, peerKey(author), () => new Allowance(messagesOfAuthor, this.#parts.clock.now)).take(1)
  }

  /** Whoever waits for its allowance is let go. */
  stop (): void { this.#abort.abort(new Error('the transport stops')) }

  #lane (peer: PeerId): Lane {
    const { clock: { now } } = this.#parts
    return remembered(this.#lanes, peerKey(peer), () => ({ messages: new Allowance(messagesOfNeighbour, now), bytes: new Allowance(bytesOfNeighbour, now), introductions: new Allowance(introductions, now), busy: false }))
  }

  /** Frames are taken off a stream only as fast as they are dealt with. */
  #limitReading (inner: Internals): void {
    const create = inner.createInboundStream.bind(inner)
    const read = inner.pipePeerReadStream.bind(inner)
    let intake: Intake | undefined
    inner.createInboundStream = (peer, stream) => {
      intake = new Intake(stream, this.#parts.onBytes)
      create(peer, stream)
      intake = undefined
    }
    inner.pipePeerReadStream = async (peer, source) => {
      await read(peer, intake === undefined ? source : intake.frames(source, async (bytes) => { await this.#wait(this.#lane(peer).bytes, bytes) }))
    }
  }

  /** Messages of topics that we are not on are dropped before they cost anything, others are checked a few at a time. */
  #limitWork (inner: Internals): void {
    const handle = inner.handleReceivedRpc.bind(inner)
    inner.handleReceivedRpc = async (from, { messages: all, control, ...others }) => {
      const lane = this.#lane(from)
      const messages = all.filter(({ topic }) => this.#parts.isSubscribed(topic))
      if (messages.length < all.length) this.#parts.penalize(from, 'messages of topics that nobody here has subscribed to', 3)
      await handle(from, { ...others, messages: [] })
      for (let at = 0; at < messages.length; at += slice) {
        const part = messages.slice(at, at + slice)
        await this.#wait(lane.messages, part.length)
        await handle(from, { messages: part })
        if (at + slice < messages.length) await this.#parts.clock.sleep(0, { signal: this.#abort.signal })
      }
      if (control !== undefined) this.#control(lane, () => handle(from, { messages: [], control: { ...control, prune: this.#pruned(lane, control.prune ?? []) } }))
    }
  }

  /** Dialling whom a neighbour names takes time in which its messages go on; meanwhile it may not name more. */
  #control (lane: Lane, work: () => Promise<void>): void {
    lane.busy = true
    void work().catch(() => {}).finally(() => { lane.busy = false })
  }

  #pruned (lane: Lane, prune: NonNullable<NonNullable<Rpc['control']>['prune']>): NonNullable<NonNullable<Rpc['control']>['prune']> {
    return [...new Map(prune.map((entry) => [entry.topicID, entry])).values()].map(({ peers = [], backoff, ...entry }) => ({
      ...entry,
      ...backoff === undefined ? {} : { backoff: Math.min(Number(backoff), longestBackoff) },
      peers: lane.busy ? [] : peers.filter(() => lane.introductions.take(1))
    }))
  }

  async #wait (allowance: Allowance, amount: number): Promise<void> {
    const ms = allowance.spend(amount)
    if (ms > 0) await this.#parts.clock.sleep(ms, { signal: this.#abort.signal })
  }
}

/** The value of this name; of too many the one that was used longest ago is forgotten. */
function remembered<T> (map: Map<string, T>, name: string, create: () => T): T {
  const value = map.get(name) ?? create()
  map.delete(name)
  map.set(name, value)
  const [oldest] = map.keys()
  if (map.size > maxRemembered && oldest !== undefined) map.delete(oldest)
  return value
}
