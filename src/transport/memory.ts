/** A whole private network in memory: for tests, simulations and several peers in one process. */
import type { PubSub, PubSubMessage, StreamHandlerOptions, ByteStream, Transport } from './transport.ts'
import type { AbortOptions, Clock, ComponentLogger, Logger } from '../component.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { multiaddr } from '@multiformats/multiaddr'
import { errorText, silentLogger, systemClock } from '../component.ts'
import { BandwidthCounter } from './bandwidth.ts'
import { DialError, NotStartedError, StreamResetError, UnsupportedProtocolError } from './errors.ts'
import { MemoryLink } from './memory-link.ts'
import { memoryStreamPair } from './memory-stream.ts'
import { Misconduct } from './misconduct.ts'
import { seededRandom } from './random.ts'

export interface MemoryNetworkOptions {
  /** One-way delay in ms of a stream chunk or a hop of a broadcast; two numbers are a range to draw from. @default 0 */
  readonly latency?: number | readonly [min: number, max: number] | undefined
  /** Share of broadcast hops that get lost, 0 to 1. Streams stay reliable. @default 0 */
  readonly loss?: number | undefined
  /** Share of broadcast hops that arrive twice. @default 0 */
  readonly duplicate?: number | undefined
  /** Most bytes a stream delivers at once; two numbers are a range to draw from. @default 65_536 */
  readonly chunkSize?: number | readonly [min: number, max: number] | undefined
  /** Bytes a stream's writer may be ahead of its reader. @default 262_144 */
  readonly window?: number | undefined
  /** @default a generator seeded with 1 */
  readonly random?: (() => number) | undefined
  readonly clock?: Clock | undefined
  readonly logger?: ComponentLogger | undefined
}

/** The switchboard: who is there, who is connected, and where it is broken. */
export interface MemoryNetwork {
  /** A new member; it takes part once started. */
  join: (peerId: PeerId) => Transport
  /** Connects every started member with every other one that it can reach. */
  connectAll: () => Promise<void>
  disconnect: (one: PeerId, other: PeerId) => void
  /** Cuts connections between the groups and refuses new ones; peers in no group form one more group. */
  partition: (...groups: ReadonlyArray<readonly PeerId[]>) => void
  /** Ends the partition and restores the connections that it cut. */
  heal: () => void
  /** Resolves when no broadcast is on its way. */
  settled: () => Promise<void>
}

export const createMemoryNetwork = (options: MemoryNetworkOptions = {}): MemoryNetwork => new Network(options)

type Handler = (stream: ByteStream) => void
interface Subscription { readonly handler: (message: PubSubMessage) => void, readonly validate: ((message: PubSubMessage) => boolean) | undefined }

/** Message ids kept to recognise duplicates. */
const seenLimit = 65_536

const linkKey = (one: Member, other: Member): string => [one.name, other.name].sort().join(' ')

class Network implements MemoryNetwork {
  readonly clock: Clock
  readonly logger: ComponentLogger
  readonly #options: MemoryNetworkOptions
  readonly #random: () => number
  readonly #members = new Map<string, Member>()
  readonly #links = new Map<string, MemoryLink>()
  readonly #flights = new Set<Promise<void>>()
  #group: ((name: string) => number) | undefined
  #cut: Array<readonly [Member, Member]> = []

  constructor (options: MemoryNetworkOptions) {
    this.#options = options
    this.#random = options.random ?? seededRandom(1)
    this.clock = options.clock ?? systemClock
    this.logger = options.logger ?? silentLogger
  }

  join (peerId: PeerId): Transport {
    const member = new Member(this, peerId)
    if (this.#members.has(member.name)) throw new Error(`${member.name} has already joined`)
    this.#members.set(member.name, member)
    return member
  }

  async connectAll (): Promise<void> {
    const members = [...this.#members.values()].filter((member) => member.started)
    for (const [index, one] of members.entries()) {
      for (const other of members.slice(index + 1)) if (this.#reachable(one, other)) this.link(one, other)
    }
  }

  disconnect (one: PeerId, other: PeerId): void {
    const [near, far] = [this.member(one), this.member(other)]
    if (near !== undefined && far !== undefined) this.unlink(near, far)
  }

  partition (...groups: ReadonlyArray<readonly PeerId[]>): void {
    const names = groups.map((group) => new Set(group.map(String)))
    this.#group = (name) => names.findIndex((group) => group.has(name))
    for (const [one, other] of this.#pairs()) {
      if (this.#reachable(one, other)) continue
      this.unlink(one, other)
      this.#cut.push([one, other])
    }
  }

  heal (): void {
    this.#group = undefined
    const cut = this.#cut
    this.#cut = []
    for (const [one, other] of cut) if (one.started && other.started) this.link(one, other)
  }

  async settled (): Promise<void> {
    while (this.#flights.size > 0) await Promise.all(this.#flights)
  }

  named (name: string): Member | undefined { return this.#members.get(name) }

  member (peer: PeerId): Member | undefined { return this.named(peer.toString()) }

  neighbours (member: Member): Member[] { return this.#pairs().filter((pair) => pair.includes(member)).map(([one, other]) => one === member ? other : one) }

  linked (one: Member, other: Member): MemoryLink | undefined { return this.#links.get(linkKey(one, other)) }

  dial (one: Member, target: PeerId): Member {
    const other = this.member(target)
    if (other === undefined || other === one || !other.started || !this.#reachable(one, other) || one.misconduct.isRefused(other.peerId) || other.misconduct.isRefused(one.peerId)) throw new DialError(`could not dial ${target.toString()}`)
    this.link(one, other)
    return other
  }

  link (one: Member, other: Member): void {
    if (this.linked(one, other) !== undefined || one.misconduct.isRefused(other.peerId) || other.misconduct.isRefused(one.peerId)) return
    this.#links.set(linkKey(one, other), new MemoryLink())
    one.announce('connect', other)
    other.announce('connect', one)
  }

  unlink (one: Member, other: Member): void {
    const link = this.linked(one, other)
    if (link === undefined) return
    this.#links.delete(linkKey(one, other))
    link.close()
    one.announce('disconnect', other)
    other.announce('disconnect', one)
  }

  openPair (one: Member, other: Member, protocol: string): readonly [ByteStream, ByteStream] {
    const link = this.linked(one, other)
    if (link === undefined) throw new StreamResetError('connection lost')
    const pipe = { clock: this.clock, latency: () => this.#draw(this.#options.latency ?? 0), chunkSize: () => Math.ceil(this.#draw(this.#options.chunkSize ?? 65_536)), window: this.#options.window ?? 262_144 }
    const pair = memoryStreamPair(one.peerId, other.peerId, pipe, one.counters.counter(protocol), other.counters.counter(protocol))
    for (const stream of pair) link.add(stream)
    return pair
  }

  /** Sends a message over one hop, with the network's delay and faults. */
  carry (from: Member, to: Member, id: string, message: PubSubMessage): void {
    const copies = this.#random() < (this.#options.loss ?? 0) ? 0 : this.#random() < (this.#options.duplicate ?? 0) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const flight = this.#fly(from, to, id, message)
      this.#flights.add(flight)
      void flight.finally(() => this.#flights.delete(flight))
    }
  }

  async #fly (from: Member, to: Member, id: string, message: PubSubMessage): Promise<void> {
    await this.delay()
    if (this.linked(from, to) !== undefined) to.receive(id, message, from)
  }

  async delay (): Promise<void> {
    const delay = this.#draw(this.#options.latency ?? 0)
    await (delay > 0 ? this.clock.sleep(delay) : Promise.resolve())
  }

  #draw (range: number | readonly [number, number]): number {
    return typeof range === 'number' ? range : range[0] + (range[1] - range[0]) * this.#random()
  }

  #reachable (one: Member, other: Member): boolean {
    return this.#group === undefined || this.#group(one.name) === this.#group(other.name)
  }

  #pairs (): Array<readonly [Member, Member]> {
    const pairs: Array<readonly [Member, Member]> = []
    for (const key of this.#links.keys()) {
      const [one, other] = key.split(' ').map((name) => this.#members.get(name))
      if (one !== undefined && other !== undefined) pairs.push([one, other])
    }
    return pairs
  }
}

class Member implements Transport {
  readonly peerId: PeerId
  readonly name: string
  readonly pubsub: PubSub
  readonly counters: BandwidthCounter
  readonly #network: Network
  readonly #log: Logger
  readonly misconduct: Misconduct
  readonly #handlers = new Map<string, { readonly handler: Handler, readonly max: number, readonly open: Map<string, number> }>()
  readonly #listeners = { connect: new Set<(peer: PeerId) => void>(), disconnect: new Set<(peer: PeerId) => void>() }
  readonly #subscriptions = new Map<string, Set<Subscription>>()
  readonly #seen = new Set<string>()
  #sequence = 0
  started = false

  constructor (network: Network, peerId: PeerId) {
    this.#network = network
    this.peerId = peerId
    this.name = peerId.toString()
    this.counters = new BandwidthCounter(network.clock.now)
    this.#log = network.logger.forComponent('memory')
    this.misconduct = new Misconduct({
      log: this.#log,
      now: network.clock.now,
      onRefused: (peer) => {
        const other = network.member(peer)
        if (other !== undefined) network.unlink(this, other)
      }
    })
    this.pubsub = {
      publish: async (topic, data) => { this.#publish(topic, data) },
      subscribe: (topic, handler, validate) => this.#subscribe(topic, { handler, validate })
    }
  }

  async start (): Promise<void> { this.started = true }

  async stop (): Promise<void> {
    this.started = false
    for (const other of this.#network.neighbours(this)) this.#network.unlink(this, other)
  }

  addresses (): readonly Multiaddr[] { return [multiaddr(`/memory/${this.name}/p2p/${this.name}`)] }

  async addressesOf (peers: readonly PeerId[]): Promise<readonly Multiaddr[]> {
    return peers.flatMap((peer) => this.#network.member(peer)?.addresses() ?? [])
  }

  async connect (target: PeerId | Multiaddr, { signal }: AbortOptions = {}): Promise<PeerId> {
    signal?.throwIfAborted()
    if (!this.started) throw new NotStartedError()
    const wanted = 'toMultihash' in target ? target : this.#peerOf(target)
    const known = this.#network.member(wanted)
    if (known === undefined || this.#network.linked(this, known) === undefined) await this.#network.delay()
    signal?.throwIfAborted()
    return this.#network.dial(this, wanted).peerId
  }

  connectedPeers (): readonly PeerId[] { return this.#network.neighbours(this).map((member) => member.peerId) }

  onConnect (listener: (peer: PeerId) => void): () => void { return this.#listen('connect', listener) }

  onDisconnect (listener: (peer: PeerId) => void): () => void { return this.#listen('disconnect', listener) }

  async openStream (peer: PeerId, protocol: string, options?: AbortOptions): Promise<ByteStream> {
    await this.connect(peer, options)
    const other = this.#network.dial(this, peer)
    const served = other.#handlers.get(protocol)
    if (served === undefined) throw new UnsupportedProtocolError(`${peer.toString()} does not speak ${protocol}`)
    const open = (): number => served.open.get(this.name) ?? 0
    if (open() >= served.max) throw new StreamResetError(`too many streams of ${protocol}`)
    const [near, far] = this.#network.openPair(this, other, protocol)
    served.open.set(this.name, open() + 1)
    far.closed.addEventListener('abort', () => { served.open.set(this.name, open() - 1) }, { once: true })
    queueMicrotask(() => { served.handler(far) })
    return near
  }

  async handle (protocol: string, handler: Handler, { maxInboundStreams = 1024 }: StreamHandlerOptions = {}): Promise<void> {
    this.#handlers.set(protocol, { handler, max: maxInboundStreams, open: new Map() })
  }

  async unhandle (protocol: string): Promise<void> { this.#handlers.delete(protocol) }

  /** Nothing is ever pruned here. */
  protect (): void {}

  penalize (peer: PeerId, offence: string, points: number): void { this.misconduct.report(peer, offence, points) }

  bandwidth (): ReturnType<BandwidthCounter['snapshot']> { return this.counters.snapshot() }

  announce (event: 'connect' | 'disconnect', other: Member): void {
    for (const listener of this.#listeners[event]) listener(other.peerId)
  }

  /** A broadcast arrives from a neighbour: each id once, checked before it is delivered and passed on. */
  receive (id: string, message: PubSubMessage, from: Member | undefined): void {
    const subscriptions = this.#subscriptions.get(message.topic)
    if (!this.started || subscriptions === undefined || this.#seen.has(id) || this.misconduct.isRefused(message.from)) return
    this.#remember(id)
    if ([...subscriptions].some(({ validate }) => validate?.(message) === false)) return
    for (const { handler } of subscriptions) {
      try { handler(message) } catch (error) { this.#log.error('handler of a broadcast failed: %s', errorText(error)) }
    }
    this.#forward(id, message, from)
  }

  #publish (topic: string, data: Uint8Array): void {
    if (!this.started) throw new NotStartedError()
    const id = `${this.name} ${this.#sequence++}`
    this.#remember(id)
    this.#forward(id, { from: this.peerId, topic, data: data.slice() }, undefined)
  }

  #remember (id: string): void {
    this.#seen.add(id)
    const [oldest] = this.#seen
    if (this.#seen.size > seenLimit && oldest !== undefined) this.#seen.delete(oldest)
  }

  #forward (id: string, message: PubSubMessage, from: Member | undefined): void {
    for (const neighbour of this.#network.neighbours(this)) {
      if (neighbour !== from && neighbour.#subscriptions.has(message.topic)) this.#network.carry(this, neighbour, id, message)
    }
  }

  #subscribe (topic: string, subscription: Subscription): () => void {
    const subscriptions = this.#subscriptions.get(topic) ?? new Set<Subscription>()
    this.#subscriptions.set(topic, subscriptions)
    subscriptions.add(subscription)
    return () => {
      subscriptions.delete(subscription)
      if (subscriptions.size === 0) this.#subscriptions.delete(topic)
    }
  }

  #listen (event: 'connect' | 'disconnect', listener: (peer: PeerId) => void): () => void {
    this.#listeners[event].add(listener)
    return () => { this.#listeners[event].delete(listener) }
  }

  #peerOf (address: Multiaddr): PeerId {
    const name = address.getComponents().findLast(({ name }) => name === 'p2p')?.value
    const member = name === undefined ? undefined : this.#network.named(name)
    if (member === undefined) throw new DialError(`could not dial ${address.toString()}`)
    return member.peerId
  }
}
