/** What a peer does by itself while it runs; owned, cancelled and awaited in one place. */
import { errorText, every } from '../component.ts'
import type { AbortOptions } from '../component.ts'
import type { Informer } from '../informer/informer.ts'
import type { Bootstrapping, PeerContext } from './components.ts'
import { introductionInterval } from './introductions.ts'
import type { Introductions } from './introductions.ts'
import type { MetricsPublisher } from './metrics.ts'
import type { PeersService } from './peers.ts'
import { waitForIpfs } from './readiness.ts'
import type { Repinner } from './repin.ts'
import type { Upkeep } from './upkeep.ts'

/** Ms to collect new connections before one more ping greets them. */
const greetingDelay = 1_000

export interface BackgroundParts {
  readonly context: PeerContext
  readonly bootstrap: Bootstrapping | undefined
  /** Of a light peer. */
  readonly introductions: Introductions | undefined
  readonly informers: readonly Informer[]
  readonly metrics: MetricsPublisher
  readonly peers: PeersService
  readonly repinner: Repinner
  readonly upkeep: Upkeep
}

export class Background {
  readonly #parts: BackgroundParts
  readonly #abort = new AbortController()
  readonly #tasks = new Set<Promise<void>>()
  readonly #ready = Promise.withResolvers<void>()
  readonly #undo: Array<() => void> = []
  #isReady = false
  #greeting = false
  #triggers = 0

  constructor (parts: BackgroundParts) {
    this.#parts = parts
    this.#ready.promise.catch(() => {})
  }

  get isReady (): boolean { return this.#isReady }

  /** Resolves once the IPFS answered and everything runs; rejects when the peer stops before. */
  async ready (): Promise<void> { await this.#ready.promise }

  start (): void {
    const { bootstrap, context: { monitor, transport, tracker, options } } = this.#parts
    this.#undo.push(
      monitor.onAlert(({ name, peer, value }) => {
        // A ping that was made up (no value) says nothing when it expires: that member may just not have reached us yet.
        if (name === 'ping' && value !== '') this.spawn('repinning', async (abort) => { await this.#parts.repinner.peerLost(peer, abort) })
      }),
      transport.onConnect(() => { this.#greet() }),
      tracker.onChange(({ status }, progress) => { if (progress === undefined && (status === 'pinned' || status === 'unpinned')) this.trigger(1) })
    )
    if (bootstrap !== undefined) this.spawn('bootstrap', async (abort) => { await this.#bootstrap(bootstrap, abort) })
    this.spawn('start', async ({ signal }) => { await this.#becomeReady(signal) })
    if (options.followerMode) this.#parts.context.log.info('this peer follows: it changes nothing in the cluster')
  }

  async stop (): Promise<void> {
    for (const undo of this.#undo.splice(0)) undo()
    const reason = new Error('the peer stops')
    this.#abort.abort(reason)
    this.#ready.reject(reason)
    while (this.#tasks.size > 0) await Promise.all(this.#tasks)
    if (this.#parts.bootstrap !== undefined) await this.#parts.bootstrap.stop()
  }

  /** Runs until it is done or the peer stops; a failure is logged. */
  spawn (name: string, work: (options: { readonly signal: AbortSignal }) => Promise<void>): void {
    const { signal } = this.#abort
    if (signal.aborted) return
    const task = work({ signal }).catch((error: unknown) => {
      if (!signal.aborted) this.#parts.context.log.error(`${name} failed:`, errorText(error))
    }).finally(() => { this.#tasks.delete(task) })
    this.#tasks.add(task)
  }

  /** Counts pins, unpins and blocks put, for the metrics that follow them. */
  trigger (count: number): void {
    const { context: { options: { informerTriggerInterval } } } = this.#parts
    if (informerTriggerInterval === 0 || !this.#isReady) return
    this.#triggers += count
    if (this.#triggers < informerTriggerInterval) return
    this.#triggers = 0
    this.spawn('metrics', async (abort) => { await this.publishInformers(abort) })
  }

  /** Every informer's metrics, now. */
  async publishInformers (options: AbortOptions): Promise<void> { await this.#parts.metrics.publishInformers(this.#parts.informers, options) }

  /** Tells everybody of this peer now. A peer that is not ready publishes nothing. */
  async announce (options: AbortOptions): Promise<void> {
    if (!this.#isReady) return
    await this.publishInformers(options)
    await this.#parts.metrics.publishPing(options)
  }

  /** After joining: tell everybody of us now, and catch up. */
  async joined (options: AbortOptions): Promise<void> {
    // A peer that is not ready publishes nothing; all of this then follows with readiness.
    if (!this.#isReady) return
    const { upkeep, peers, context: { clock, options: { monitorPingInterval } } } = this.#parts
    await this.announce(options)
    this.spawn('connecting swarms', async (abort) => {
      await clock.sleep(monitorPingInterval, abort)
      await peers.connectSwarms(abort)
    })
    this.spawn('recovery', async (abort) => { await upkeep.recover(abort) })
  }

  async #bootstrap (bootstrap: Bootstrapping, options: AbortOptions): Promise<void> {
    for (const peer of await bootstrap.bootstrap(options)) this.#parts.metrics.logFakePing(peer)
    options.signal?.throwIfAborted()
    await bootstrap.start()
  }

  async #becomeReady (signal: AbortSignal): Promise<void> {
    const { context, metrics } = this.#parts
    const { consensus, tracker, log } = context
    await consensus.ready({ signal })
    await waitForIpfs(context, metrics, signal)
    await tracker.start()
    this.#isReady = true
    this.#startLoops()
    log.info('** IPFS Cluster is READY **')
    this.#ready.resolve()
  }

  #startLoops (): void {
    const { context: { clock, log, options }, introductions, informers, metrics, peers, upkeep } = this.#parts
    const repeat = (name: string, interval: number, now: boolean, work: (options: AbortOptions) => Promise<void>): void => {
      const onError = (error: unknown): void => { log.error(`${name} failed:`, errorText(error)) }
      this.spawn(name, async ({ signal }) => {
        if (now) await work({ signal }).catch((error: unknown) => { if (!signal.aborted) onError(error) })
        await every(clock, interval, work, { signal, onError })
      })
    }
    for (const informer of informers) this.spawn(informer.name, async ({ signal }) => { await metrics.runInformer(informer, signal) })
    repeat('ping', options.monitorPingInterval, true, async (abort) => {
      const wasUp = metrics.ipfsAnswers
      await metrics.publishPing(abort)
      if (!wasUp && metrics.ipfsAnswers) this.#ipfsIsBack()
    })
    if (introductions !== undefined) repeat('meeting members', introductionInterval, false, async (abort) => { await introductions.round(abort) })
    repeat('recovery', options.pinRecoverInterval, true, async (abort) => { await upkeep.recover(abort) })
    repeat('state sync', options.stateSyncInterval, false, async (abort) => { await upkeep.syncState(abort) })
    if (options.connectSwarmsDelay > 0) {
      this.spawn('connecting swarms', async (abort) => {
        await clock.sleep(options.connectSwarmsDelay, abort)
        await peers.connectSwarms(abort)
      })
    }
  }

  /** A restarted IPFS knows nobody, and what it could not do meanwhile is in error. */
  #ipfsIsBack (): void {
    const { context: { log, options }, peers, upkeep } = this.#parts
    log.info('IPFS answers again')
    this.spawn('recovery', async (abort) => {
      if (options.connectSwarmsDelay > 0) await peers.connectSwarms(abort)
      await upkeep.recover(abort)
    })
  }

  /** A newcomer should not wait for our next ping to know us. */
  #greet (): void {
    if (this.#greeting || !this.#isReady) return
    this.#greeting = true
    this.spawn('greeting', async (abort) => {
      await this.#parts.context.clock.sleep(greetingDelay, abort)
      this.#greeting = false
      await this.#parts.metrics.publishPing(abort)
    })
  }
}
