/** CRDT consensus: every trusted member may change the pinset at any time, and all come to the same one (wire.md §3). */
import type { AbortOptions, Clock, ComponentLogger, Logger } from '../../component.ts'
import type { Head } from '../../crdt/heads.ts'
import type { BlockExchange, LocalBlocks } from '../../exchange/exchange.ts'
import type { Monitor } from '../../monitor/monitor.ts'
import type { Pin } from '../../pin/pin.ts'
import type { Store } from '../../store/store.ts'
import type { PubSub, PubSubMessage } from '../../transport/transport.ts'
import type { Consensus, ConsensusProgress, Peerset, PinLog, PinsetHooks, Trust } from '../consensus.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { errorText } from '../../component.ts'
import { decodeBroadcast } from '../../crdt/broadcast.ts'
import { sortedHeads } from '../../crdt/heads.ts'
import { maxDeltaBytes } from '../../crdt/limits.ts'
import { topicOf } from '../../crdt/topic.ts'
import { PinRefusedError } from '../../errors.ts'
import { newMeasures } from '../../observations/measures.ts'
import type { Measures } from '../../observations/measures.ts'
import { cidKey } from '../../pin/keys.ts'
import { asStored } from '../../pin/pin-json.ts'
import { encodePin } from '../../pin/pin-proto.ts'
import { BulkSync, type BulkSyncOptions, type SyncStreams } from './bulk-sync.ts'
import { DagSync, type DagSyncOptions } from './dag-sync.ts'
import { HeadBroadcaster } from './head-broadcaster.ts'
import { createMetricPeerset } from './metric-peerset.ts'
import { createPinWriter, type BatchingOptions, type PinWriter } from './pin-writer.ts'
import { Replica } from './replica.ts'
import { logProgress } from './sync-log.ts'
import { createTrust, type TrustedPeers } from './trust.ts'

export interface CrdtConsensusComponents {
  readonly store: Store
  /** Fetches CRDT blocks; must serve `blocks` to others. */
  readonly exchange: BlockExchange
  readonly pubsub: PubSub
  readonly monitor: Pick<Monitor, 'latestValid'>
  readonly peerId: PeerId
  readonly hooks: PinsetHooks
  readonly clock: Clock
  readonly logger: ComponentLogger
  /** Where commits are counted. @default nobody reads them */
  readonly measures?: Measures | undefined
  /** Hears of each peer that is trusted by name: its connections and addresses are to be kept (wire.md §3.8). */
  readonly onTrusted?: ((peer: PeerId) => void) | undefined
  /** Tells of new connections, which the heads greet. Returns the way to stop listening. */
  readonly onConnect?: ((listener: () => void) => () => void) | undefined
  /** Streams between members: much of the pinset then comes from members of ours in bulk. @default block by block from everybody */
  readonly streams?: SyncStreams | undefined
  /** Numbers in [0, 1). @default Math.random */
  readonly random?: (() => number) | undefined
}

export interface CrdtConsensusOptions {
  /** @default 'ipfs-cluster' */
  readonly clusterName?: string | undefined
  /** @default '*' */
  readonly trustedPeers?: TrustedPeers | undefined
  readonly batching?: BatchingOptions | undefined
  /** Pause in ms between repairs of a dirty replica; 0 = only at start. @default 3_600_000 */
  readonly repairInterval?: number | undefined
  /** Pause in ms, ± 30 %, between announcements of heads that nobody else announced. @default 60_000 */
  readonly rebroadcastInterval?: number | undefined
  /** Metric whose senders are the members. @default 'ping' */
  readonly peersetMetric?: string | undefined
  /** Prefix of every key in the store. @default '/c' */
  readonly namespace?: string | undefined
  /** What this peer commits survives power loss, not only a killed process. @default false */
  readonly sync?: boolean | undefined
  readonly fetching?: DagSyncOptions | undefined
  readonly bulk?: BulkSyncOptions | undefined
}

export interface CrdtStats {
  readonly heads: readonly Head[]
  /** Priority of the highest head. */
  readonly height: number
  /** Something is missing, or may be. */
  readonly dirty: boolean
  /** Blocks merged. */
  readonly merged: number
  /** Blocks known to exist and not merged. */
  readonly missing: number
}

export interface CrdtConsensus extends Consensus {
  readonly name: 'crdt'
  /** The CRDT blocks that this peer serves. */
  readonly blocks: LocalBlocks
  readonly topic: string
  stats: () => CrdtStats
  /** Fetches what is missing now, instead of at the next interval. */
  repair: () => Promise<void>
  /** Makes the next repair look through the whole DAG; or says that it need not. */
  setDirty: (dirty: boolean) => Promise<void>
}

export const createCrdtConsensus = (components: CrdtConsensusComponents, options: CrdtConsensusOptions = {}): CrdtConsensus => new MerkleCrdtConsensus(components, options)

class MerkleCrdtConsensus implements CrdtConsensus {
  readonly name = 'crdt'
  readonly blocks: LocalBlocks
  readonly log: PinLog
  readonly peerset: Peerset
  readonly trust: Trust
  readonly topic: string
  readonly #components: CrdtConsensusComponents
  readonly #options: CrdtConsensusOptions
  readonly #logger: Logger
  readonly #replica: Replica
  readonly #sync: DagSync
  readonly #broadcaster: HeadBroadcaster
  readonly #listeners = new Set<() => void>()
  readonly #ready = Promise.withResolvers<void>()
  #running: Running | undefined

  constructor (components: CrdtConsensusComponents, options: CrdtConsensusOptions) {
    const { store, exchange, pubsub, monitor, peerId, hooks, clock, streams } = components
    this.#components = components
    this.#options = options
    this.#logger = components.logger.forComponent('crdt')
    const logger = this.#logger
    this.#replica = new Replica({ store, logger }, {
      namespace: options.namespace,
      sync: options.sync,
      onChange: (change) => { if (change.kind === 'pinned') hooks.pinned(change.pin); else hooks.unpinned(change.cid) },
      onMerged: () => { for (const listener of this.#listeners) listener() }
    })
    this.topic = topicOf(options.clusterName ?? 'ipfs-cluster')
    this.#broadcaster = new HeadBroadcaster({ pubsub, clock, logger, random: components.random ?? Math.random, heads: () => sortedHeads(this.#replica.heads) }, this.topic)
    this.trust = createTrust(peerId, options.trustedPeers ?? '*', components.onTrusted)
    const bulk = streams === undefined ? undefined : new BulkSync({ replica: this.#replica, streams, trust: this.trust, clock, logger }, options.bulk)
    this.#sync = new DagSync({ replica: this.#replica, exchange, bulk, clock, logger }, options.fetching)
    this.peerset = createMetricPeerset({ self: peerId, monitor }, options.peersetMetric ?? 'ping')
    this.blocks = { get: async (cid) => await this.#replica.block(cid) }
    this.log = { put: async (pin, abort) => { await this.#put(pin, abort) }, delete: async (cid, abort) => { await this.#delete(cid, abort) }, pinset: this.#replica.pinset }
  }

  async start (): Promise<void> {
    if (this.#running !== undefined) return
    await this.#replica.open()
    const { clock, pubsub, onConnect, measures = newMeasures() } = this.#components
    const abort = new AbortController()
    let greeting = Promise.resolve()
    const stopGreeting = onConnect?.(() => {
      greeting = this.#broadcaster.greet(abort.signal)
      this.#sync.memberCame()
    })
    const writer = createPinWriter({ replica: this.#replica, measures, clock, logger: this.#logger, announce: async ({ cid }) => { await this.#announce(cid) } }, this.#options.batching)
    await this.#sync.start()
    this.#running = {
      abort,
      writer,
      unsubscribe: pubsub.subscribe(this.topic, (message) => { this.#receive(message) }, (message) => this.#accepts(message)),
      stopGreeting: async () => {
        stopGreeting?.()
        await greeting
      },
      loops: Promise.all([this.#broadcaster.run(this.#options.rebroadcastInterval ?? 60_000, abort.signal), this.#broadcaster.repeatAfterBursts(abort.signal), this.#repairLoop(abort.signal), logProgress({ clock, logger: this.#logger, progress: () => this.progress() }, abort.signal)])
    }
    this.#ready.resolve()
  }

  async stop (): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    this.#running = undefined
    running.unsubscribe()
    running.abort.abort(new Error('stopped'))
    await running.stopGreeting()
    await running.writer.stop()
    await this.#sync.stop()
    await running.loops
    await this.#replica.settled()
  }

  async ready ({ signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    const { promise, reject } = Promise.withResolvers<void>()
    const onAbort = (): void => { reject(signal?.reason) }
    signal?.addEventListener('abort', onAbort, { once: true })
    try { await Promise.race([this.#ready.promise, promise]) } finally { signal?.removeEventListener('abort', onAbort) }
  }

  async clean (): Promise<void> {
    if (this.#running !== undefined) throw new Error('the state can only be cleaned while the consensus is stopped')
    await this.#replica.clear()
  }

  stats (): CrdtStats {
    const heads = sortedHeads(this.#replica.heads)
    return {
      heads,
      height: heads.reduce((most, { height }) => Math.max(most, height), 0),
      dirty: this.#replica.dirty,
      merged: this.#replica.blocks,
      missing: this.#sync.pending
    }
  }

  progress (): ConsensusProgress {
    const { heads, height, merged, missing, dirty } = this.stats()
    // Below each head is at least one block of each lower priority: known long before they are seen.
    const known = missing === 0 ? merged : Math.max(merged + missing, height)
    return { heads: heads.length, height, synced: merged, known, queue: this.#sync.queued, wanted: this.#replica.wanted.size, dirty }
  }

  onProgress (listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  async repair (): Promise<void> {
    this.#writer()
    await this.#sync.repair()
  }

  async setDirty (dirty: boolean): Promise<void> { await this.#replica.setDirty(dirty) }

  #writer (): PinWriter {
    if (this.#running === undefined) throw new Error('the consensus is not started')
    return this.#running.writer
  }

  async #put (pin: Pin, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    const value = encodePin(pin)
    if (value.length > maxDeltaBytes - 4096) throw new PinRefusedError(`the pin's options take ${value.length} bytes, more than fits into one change of the pinset`)
    await this.#writer().write({ kind: 'put', key: cidKey(pin.cid), value, pin: asStored(pin) })
  }

  async #delete (cid: CID, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    await this.#writer().write({ kind: 'delete', key: cidKey(cid) })
  }

  /** Whoever waits for the block gets it at once; everybody else hears of it. */
  async #announce (cid: CID): Promise<void> {
    this.#components.exchange.offer?.(cid)
    await this.#broadcaster.announce([cid])
  }

  /** What is no broadcast is not passed on either. */
  #accepts ({ from, data }: PubSubMessage): boolean {
    if (!this.trust.isTrusted(from)) return false
    try {
      decodeBroadcast(data)
      return true
    } catch (error) {
      this.#logger.debug('ignored a broadcast', from, errorText(error))
      this.#components.streams?.penalize(from, 'broadcasts that do not decode', 5)
      return false
    }
  }

  #receive ({ from, data }: PubSubMessage): void {
    const heads = decodeBroadcast(data)
    for (const cid of heads) this.#broadcaster.saw(cid)
    this.#sync.announce(heads, from)
  }

  async #repairLoop (signal: AbortSignal): Promise<void> {
    const interval = this.#options.repairInterval ?? 3_600_000
    while (true) {
      try {
        if (this.#replica.dirty) await this.#sync.repair()
      } catch (error) {
        if (!signal.aborted) this.#logger.error('repair', errorText(error))
      }
      if (interval <= 0) return
      try { await this.#components.clock.sleep(interval, { signal }) } catch { return }
    }
  }
}

interface Running {
  readonly abort: AbortController
  readonly writer: PinWriter
  readonly unsubscribe: () => void
  readonly stopGreeting: () => Promise<void>
  readonly loops: Promise<unknown>
}
