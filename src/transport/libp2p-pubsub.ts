/** Gossipsub as every member runs it, and as the core sees it (wire.md §2, §9). */
import type { PubSub, PubSubMessage } from './transport.ts'
import type { Clock, Logger } from '../component.ts'
import type { PeerId } from '@libp2p/interface'
import type { GossipSub, GossipsubOpts, Message, SignedMessage } from '@libp2p/gossipsub'
import { StrictSign, TopicValidatorResult } from '@libp2p/gossipsub'
import { errorText } from '../component.ts'
import { GossipGuard } from './gossip-guard.ts'
import { messageId } from './message-id.ts'

/** `cluster.pubsub`. */
export interface PubSubOptions {
  /** In ms. @default 10_000 */
  readonly heartbeatInterval?: number | undefined
  /** Times 6 is the number of mesh peers that each topic aims at. @default 4 */
  readonly dFactor?: number | undefined
  /** Heartbeats for which messages are kept. @default 6 */
  readonly historyLength?: number | undefined
  /** Heartbeats whose messages are gossiped about. @default 2 */
  readonly historyGossip?: number | undefined
  /** How long a message id is remembered, in ms. @default 1_800_000 */
  readonly seenTtl?: number | undefined
  /** Send own messages to all peers of a topic instead of its mesh. @default false */
  readonly floodPublish?: boolean | undefined
  /** Tell pruned peers of other peers; off in follower mode. @default true */
  readonly peerExchange?: boolean | undefined
}

/** Most bytes of one pubsub frame, as in Go. */
const maxFrame = 1_048_576
/** Below any score a member can get: Go does not score at all. */
const never = -Number.MAX_SAFE_INTEGER

export function gossipOptions (options: PubSubOptions = {}): Partial<GossipsubOpts> {
  const { heartbeatInterval = 10_000, dFactor = 4, historyLength = 6, historyGossip = 2, seenTtl = 1_800_000, floodPublish = false, peerExchange = true } = options
  return {
    globalSignaturePolicy: StrictSign,
    msgIdFn: (message: Message) => {
      if (message.type !== 'signed') throw new Error('unsigned message')
      return messageId(message.from, message.sequenceNumber)
    },
    emitSelf: false,
    allowPublishToZeroTopicPeers: true,
    fallbackToFloodsub: true,
    floodPublish,
    doPX: peerExchange,
    heartbeatInterval,
    mcacheLength: historyLength,
    mcacheGossip: historyGossip,
    seenTTL: seenTtl,
    // A peer that restarts must not be refused by the meshes it just left: Go would keep it out for a minute, and hide everybody's pings from it.
    unsubcribeBackoff: 1_000,
    D: 6 * dFactor,
    Dlo: 5 * dFactor,
    Dhi: 12 * dFactor,
    Dscore: 4 * dFactor,
    Dout: 2 * dFactor,
    Dlazy: 6 * dFactor,
    maxInboundDataLength: maxFrame,
    // A neighbour's messages are dealt with one after the other (gossip-guard.ts).
    awaitRpcHandler: true,
    awaitRpcMessageHandler: true,
    maxTopicBytesPerPeer: 131_072,
    maxInboundStreams: 16,
    maxOutboundStreams: 64,
    gossipsubIWantFollowupMs: 3 * heartbeatInterval,
    // Nobody is scored; those who leave need not be remembered.
    scoreParams: { retainScore: 1, IPColocationFactorWeight: 0, behaviourPenaltyWeight: 0, appSpecificWeight: 0 },
    scoreThresholds: { gossipThreshold: never, publishThreshold: never, graylistThreshold: never, acceptPXThreshold: 0, opportunisticGraftThreshold: 0 }
  }
}

interface Subscription {
  readonly handler: (message: PubSubMessage) => void
  readonly validate: ((message: PubSubMessage) => boolean) | undefined
}

/** What the transport says of members that gossip. */
export interface GossipPolicy {
  /** Told who published what was delivered. */
  readonly heard: (author: PeerId) => void
  readonly isRefused: (author: PeerId) => boolean
  readonly penalize: (peer: PeerId, offence: string, points: number) => void
  readonly clock: Clock
  /** Told whenever something comes. */
  readonly onBytes: () => void
}

const plain = ({ from, topic, data }: SignedMessage): PubSubMessage => ({ from, topic, data })

/** Several subscribers may share a topic: a message passes when none of their checks refuses it. */
export class GossipPubSub implements PubSub {
  readonly #gossip: GossipSub
  readonly #log: Logger
  readonly #subscriptions = new Map<string, Set<Subscription>>()
  readonly #policy: Pick<GossipPolicy, 'isRefused'>
  readonly #guard: GossipGuard
  #running = false

  constructor (gossip: GossipSub, log: Logger, { heard, isRefused, penalize, clock, onBytes }: GossipPolicy) {
    this.#gossip = gossip
    this.#log = log
    this.#policy = { isRefused }
    this.#guard = new GossipGuard(gossip, { clock, log, penalize, onBytes, isSubscribed: (topic) => this.#subscriptions.has(topic) })
    gossip.addEventListener('message', ({ detail }) => {
      if (detail.type !== 'signed') return
      heard(detail.from)
      this.#deliver(plain(detail))
    })
  }

  start (): void {
    this.#running = true
    for (const topic of this.#subscriptions.keys()) this.#gossip.subscribe(topic)
  }

  stop (): void {
    this.#running = false
    this.#guard.stop()
  }

  async publish (topic: string, data: Uint8Array): Promise<void> { await this.#gossip.publish(topic, data) }

  subscribe (topic: string, handler: Subscription['handler'], validate?: Subscription['validate']): () => void {
    const subscription = { handler, validate }
    const subscriptions = this.#subscriptions.get(topic) ?? new Set<Subscription>()
    subscriptions.add(subscription)
    if (!this.#subscriptions.has(topic)) {
      this.#subscriptions.set(topic, subscriptions)
      this.#gossip.topicValidators.set(topic, (_, message) => this.#check(message))
      if (this.#running) this.#gossip.subscribe(topic)
    }
    return () => {
      subscriptions.delete(subscription)
      if (subscriptions.size > 0 || this.#subscriptions.get(topic) !== subscriptions) return
      this.#subscriptions.delete(topic)
      this.#gossip.topicValidators.delete(topic)
      if (this.#running) this.#gossip.unsubscribe(topic)
    }
  }

  #check (message: Message): TopicValidatorResult {
    if (message.type !== 'signed') return TopicValidatorResult.Reject
    // The author may have been refused here only, or say too much for us only: whoever brings it is not to blame.
    if (this.#policy.isRefused(message.from) || !this.#guard.allows(message.from)) return TopicValidatorResult.Ignore
    try {
      return [...this.#subscriptions.get(message.topic) ?? []].every(({ validate }) => validate?.(plain(message)) !== false) ? TopicValidatorResult.Accept : TopicValidatorResult.Reject
    } catch (error) {
      this.#log.debug('check of a message of %s failed: %s', message.topic, errorText(error))
      return TopicValidatorResult.Reject
    }
  }

  #deliver (message: PubSubMessage): void {
    for (const { handler } of this.#subscriptions.get(message.topic) ?? []) {
      try { handler(message) } catch (error) { this.#log.error('handler of a message of %s failed: %s', message.topic, errorText(error)) }
    }
  }
}
