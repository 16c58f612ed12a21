/** The peer: wires the components, owns their lives and answers its users (design: one core, two homes). */
import { balancedAllocator } from '../allocator/balanced.ts'
import { FollowerModeError, InvalidConfigError, PinNotFoundError } from '../errors.ts'
import { errorText, silentLogger, startAll, stopAll, systemClock } from '../component.ts'
import type { AbortOptions, ComponentLogger, Startable } from '../component.ts'
import type { AddEntry, Added, Adder, AddOptions } from '../adder/adder.ts'
import type { Consensus, PinsFilter } from '../consensus/consensus.ts'
import { readContent } from '../ipfs/content-reader.ts'
import type { Alert, Metric } from '../monitor/metric.ts'
import { pubsubMonitor } from '../monitor/pubsub-monitor.ts'
import type { GlobalPinInfo } from '../pin/pin-info.ts'
import type { Pin, PinOptions } from '../pin/pin.ts'
import type { StatusFilter } from '../pin/status.ts'
import { createRpcClient } from '../rpc/client.ts'
import type { RpcHandlers } from '../rpc/rpc.ts'
import { serveRpc } from '../rpc/server.ts'
import { statelessTracker } from '../tracker/stateless.ts'
import { version } from '../version.ts'
import { Background } from './background.ts'
import type { Cluster, ClusterEvents, ContentNode, LocalOptions } from './cluster.ts'
import { resolveOptions } from './components.ts'
import type { Bootstrapping, PeerComponents, PeerContext, PeerOptions } from './components.ts'
import { ClusterEmitter } from './events.ts'
import { connectGraph } from './graph.ts'
import { Introductions } from './introductions.ts'
import { MetricsPublisher } from './metrics.ts'
import { PeersService } from './peers.ts'
import { ProgressTeller } from './progress.ts'
import { PinPipeline } from './pin-pipeline.ts'
import { PinTotals } from './pin-totals.ts'
import { Repinner } from './repin.ts'
import { repoGc } from './repo-gc.ts'
import { rpcHandlers } from './rpc-handlers.ts'
import { StatusService } from './status.ts'
import type { Bandwidth, ConnectGraph, PeerInfo, RepoGc, StorageState, SyncState } from './types.ts'
import { Upkeep } from './upkeep.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { CID } from 'multiformats/cid'

/** A peer that can be started once and stopped. */
export interface Peer extends Cluster, Startable {
  /** The agreement it takes part in: who is trusted, and the state as such. */
  readonly consensus: Consensus
  /** True once its IPFS has answered. */
  readonly isReady: boolean
  /** Resolves then; its API works before. Rejects when the peer stops first. */
  ready: () => Promise<void>
  /** Publishes its metrics now, besides their own times. Does nothing before it is ready. */
  announce: (options?: AbortOptions) => Promise<void>
}

/** A peer of these components, not started. It starts and stops them. */
export const createPeer = (components: PeerComponents, options: PeerOptions): Peer => new ClusterPeer(components, options)

class ClusterPeer implements Peer {
  readonly #context: PeerContext
  readonly #events = new ClusterEmitter()
  readonly #bootstrap: Bootstrapping | undefined
  readonly #pipeline: PinPipeline
  readonly #status: StatusService
  readonly #peers: PeersService
  readonly #metrics: MetricsPublisher
  readonly #repinner: Repinner
  readonly #background: Background
  readonly #adder: Adder
  readonly #store: NonNullable<PeerComponents['contentStore']>
  readonly #parts: readonly Startable[]
  #life: 'new' | 'started' | 'stopped' = 'new'

  constructor (components: PeerComponents, chosen: PeerOptions) {
    const { transport, connector, bootstrap, addressBook, services = [], clock = systemClock, logger = silentLogger, random = Math.random } = components
    if (components.informers.length === 0) throw new InvalidConfigError('informer', 'no informers are passed')
    const options = resolveOptions(chosen)
    const self = transport.peerId
    const log = logger.forComponent('cluster')
    const monitor = pubsubMonitor({ transport, clock, logger }, options.monitor)
    // Consensus and tracker need each other; nothing calls a hook before the start.
    const consensus = components.consensus({
      monitor,
      hooks: {
        pinned: (pin) => { this.#events.emit('pin:added', pin); tracker.track(pin) },
        unpinned: (cid) => { this.#events.emit('pin:removed', cid); tracker.untrack(cid) }
      }
    })
    const metrics = new MetricsPublisher({ self, options, connector, monitor, clock, log })
    const identity = (): MetricsPublisher['identity'] => metrics.identity
    const tracker = statelessTracker({ peerId: self, pinset: consensus.log.pinset, connector, identity, clock, logger }, { ...options.tracker, light: options.lightPeer })
    const handlers = rpcHandlers(() => ({
      context: this.#context,
      peers: this.#peers,
      status: this.#status,
      removePeer: async (peer, abort) => { await this.peerRemove(peer, abort) },
      onBlocksPut: (count) => { this.#background.trigger(count) }
    }))
    const rpc = createRpcClient({ transport, local: handlers, clock })
    const allocator = components.allocator ?? balancedAllocator({ random })
    const context: PeerContext = { self, options, transport, connector, consensus, monitor, tracker, allocator, rpc, clock, random, log, identity }
    this.#context = context
    this.#bootstrap = bootstrap
    this.#metrics = metrics
    this.#pipeline = new PinPipeline(context)
    this.#status = new StatusService(context)
    this.#peers = new PeersService(context)
    this.#repinner = new Repinner({ ...context, pipeline: this.#pipeline })
    this.#adder = components.adder({
      self, rpc, connector, logger, clock,
      allocate: (pinOptions) => this.#pipeline.allocateNew(pinOptions),
      pin: async (pin, abort) => await this.#pipeline.submit(pin, abort)
    })
    this.#store = components.contentStore ?? { kind: 'helia' }
    const informers = components.informers.map((factory) => factory({ connector, pinQueueSize: () => tracker.pinQueueSize(), measures: components.measures }))
    const upkeep = new Upkeep({ ...context, pipeline: this.#pipeline })
    this.#background = new Background({ context, bootstrap, introductions: options.lightPeer === undefined || addressBook === undefined ? undefined : new Introductions(context, addressBook), informers, metrics, peers: this.#peers, repinner: this.#repinner, upkeep })
    this.#parts = [
      transport,
      ...services,
      monitor,
      rpcService(context, handlers, logger),
      connector,
      // Work begins when the IPFS has answered; what is tracked before waits.
      { start: async () => {}, stop: async () => { await tracker.stop() } },
      consensus,
      this.#listener(),
      { start: async () => { this.#background.start() }, stop: async () => { await this.#background.stop() } }
    ]
  }

  get peerId (): PeerId { return this.#context.self }
  get consensus (): Consensus { return this.#context.consensus }
  get isReady (): boolean { return this.#background.isReady }

  async start (options?: AbortOptions): Promise<void> {
    if (this.#life !== 'new') throw new Error('a peer is started once')
    this.#life = 'started'
    await startAll(this.#parts, options)
  }

  async stop (): Promise<void> {
    if (this.#life !== 'started') return
    this.#life = 'stopped'
    await stopAll(this.#parts)
  }

  async ready (): Promise<void> { await this.#background.ready() }
  async announce (options: AbortOptions = {}): Promise<void> { await this.#background.announce(options) }

  version (): string { return version }

  async id (options?: AbortOptions): Promise<PeerInfo> { return await this.#peers.id(options) }
  peers (options?: AbortOptions): AsyncIterable<PeerInfo> { return this.#peers.all(options) }
  async peerAdd (peer: PeerId, options?: AbortOptions): Promise<PeerInfo> { return await this.#peers.add(peer, options) }

  async peerRemove (peer: PeerId, options?: AbortOptions): Promise<void> {
    if (!this.#context.options.followerMode) await this.#repinner.vacate(peer, options)
    await this.#context.consensus.peerset.remove(peer, options)
  }

  async join (address: Multiaddr, options: AbortOptions = {}): Promise<void> {
    const member = await this.#peers.join(address, options)
    if (member === undefined) return
    await this.#bootstrap?.add([address], options)
    this.#metrics.logFakePing(member)
    await this.#background.joined(options)
    this.#context.log.info('joined the cluster of', member.toString())
  }

  async pin (cid: CID, options?: Partial<PinOptions>, abort?: AbortOptions): Promise<Pin> { return await this.#pipeline.pin(cid, options, abort) }
  async pinPath (path: string, options?: Partial<PinOptions>, abort?: AbortOptions): Promise<Pin> { return await this.#pipeline.pinPath(path, options, abort) }
  async unpin (cid: CID, options?: AbortOptions): Promise<Pin> { return await this.#pipeline.unpin(cid, options) }
  async unpinPath (path: string, options?: AbortOptions): Promise<Pin> { return await this.#pipeline.unpinPath(path, options) }

  async pinGet (cid: CID, options?: AbortOptions): Promise<Pin> {
    const pin = await this.#context.consensus.log.pinset.get(cid, options)
    if (pin === undefined) throw new PinNotFoundError()
    return pin
  }

  pins (filter?: PinsFilter): AsyncIterable<Pin> { return this.#context.consensus.log.pinset.pins(filter) }
  pinLines (filter?: PinsFilter): AsyncIterable<readonly Uint8Array[]> { return this.#context.consensus.log.pinset.lines(filter) }
  pinCount (): number { return this.#context.consensus.log.pinset.count() }

  async status (cid: CID, options?: LocalOptions): Promise<GlobalPinInfo> { return await this.#status.status(cid, options) }
  statusAll (filter: StatusFilter, options?: LocalOptions): AsyncIterable<GlobalPinInfo> { return this.#status.statusAll(filter, options) }
  statusLines (filter: StatusFilter, options?: LocalOptions): AsyncIterable<readonly string[]> { return this.#status.statusLines(filter, options) }
  async recover (cid: CID, options?: LocalOptions): Promise<GlobalPinInfo> { return await this.#status.recover(cid, options) }
  recoverAll (options?: LocalOptions): AsyncIterable<GlobalPinInfo> { return this.#status.recoverAll(options) }

  async * add (entries: AsyncIterable<AddEntry>, options: AddOptions): AsyncGenerator<Added> {
    if (this.#context.options.followerMode) throw new FollowerModeError()
    yield * this.#adder.add(entries, options)
    // Space has changed: the next allocation should know (behaviour.md §4).
    if (this.#context.options.informerTriggerInterval > 0) this.#background.spawn('metrics', async (abort) => { await this.#background.publishInformers(abort) })
  }

  async content (path: string, options?: AbortOptions): Promise<ContentNode> {
    return await readContent(path, async (cid, abort) => await this.#context.connector.blockGet(cid, abort), options)
  }

  async graph (options?: AbortOptions): Promise<ConnectGraph> { return await connectGraph({ ...this.#context, peers: this.#peers }, options) }
  /** Followers do not care about alerts. */
  alerts (): readonly Alert[] { return this.#context.options.followerMode ? [] : this.#context.monitor.alerts() }
  sync (): SyncState {
    const { consensus, tracker } = this.#context
    return { ...consensus.progress(), pins: this.pinCount(), ...tracker.counts() }
  }

  async storage (options?: AbortOptions): Promise<StorageState> {
    const { kind, persisted } = this.#store
    const [room, kept] = await Promise.all([this.#context.connector.repoStat(options), persisted?.()])
    return { ...room, kind, persisted: kept }
  }

  bandwidth (): ReadonlyMap<string, Bandwidth> { return this.#context.transport.bandwidth() }
  metricNames (): readonly string[] { return this.#context.monitor.metricNames() }
  metrics (name: string): readonly Metric[] { return this.#context.monitor.latestValid(name) }
  async repoGc (options?: LocalOptions): Promise<ReadonlyMap<string, RepoGc>> { return await repoGc(this.#context, options) }

  addEventListener<K extends keyof ClusterEvents> (type: K, listener: (event: ClusterEvents[K]) => void): void { this.#events.addEventListener(type, listener) }
  removeEventListener<K extends keyof ClusterEvents> (type: K, listener: (event: ClusterEvents[K]) => void): void { this.#events.removeEventListener(type, listener) }

  /** Turns what the components tell into events. */
  #listener (): Startable {
    const { transport, tracker, monitor, consensus, connector, clock, options } = this.#context
    const totals = new PinTotals({ connector, spawn: (name, work) => { this.#background.spawn(name, work) } })
    const progress = new ProgressTeller(clock, () => { this.#events.emit('sync:progressed', this.sync()) })
    const undo: Array<() => void> = []
    return {
      start: async () => {
        undo.push(
          transport.onConnect((peer) => { this.#events.emit('peer:connected', peer) }),
          transport.onDisconnect((peer) => { this.#events.emit('peer:disconnected', peer) }),
          tracker.onChange((info, fetched) => {
            if (fetched !== undefined) { this.#events.emit('pin:progressed', totals.complete(fetched)); return }
            if (info.status !== 'pinning') totals.forget(info.cid)
            this.#events.emit('status:changed', info)
          }),
          tracker.onChange((_info, blocks) => { if (blocks === undefined) progress.changed() }),
          consensus.onProgress(() => { progress.changed() }),
          () => { progress.stop() },
          monitor.onAlert((alert) => { if (!options.followerMode) this.#events.emit('alert:raised', alert) })
        )
      },
      stop: async () => { for (const forget of undo.splice(0)) forget() }
    }
  }
}

/** Serves RPC while it runs; followers keep garbage collection to themselves. */
function rpcService ({ transport, consensus, clock, options, log }: PeerContext, handlers: RpcHandlers, logger: ComponentLogger): Startable {
  let end: (() => Promise<void>) | undefined
  return {
    start: async () => {
      end = await serveRpc({ transport, handlers, trust: consensus.trust, logger, clock }, { closed: options.followerMode ? ['Cluster.RepoGCLocal'] : [] })
    },
    stop: async () => {
      try { await end?.() } catch (error) { log.warn('RPC did not stop cleanly:', errorText(error)) }
      end = undefined
    }
  }
}
