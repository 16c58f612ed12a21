/** Keeps only what is in flight or failed; all else is derived from the pinset and the IPFS (behaviour.md §5). */
import { errorText, silentLogger, systemClock } from '../component.ts'
import type { AbortOptions, Clock, ComponentLogger, Logger } from '../component.ts'
import { isAllocatedTo, pinWith } from '../pin/pin.ts'
import type { Pin } from '../pin/pin.ts'
import type { PinInfo, PinInfoShort } from '../pin/pin-info.ts'
import { matchesFilter, trackerStatusBits } from '../pin/status.ts'
import type { StatusText } from '../pin/status-text.ts'
import type { StatusFilter, TrackerStatus } from '../pin/status.ts'
import type { PinsetReader } from '../consensus/consensus.ts'
import type { IpfsConnector, IpfsPinStatus } from '../ipfs/ipfs.ts'
import type { PingValue } from '../monitor/metric.ts'
import { lost, pinned, StatusListing } from './listing.ts'
import type { Listed } from './listing.ts'
import { JointPins } from './joint-pins.ts'
import { Leftovers } from './leftovers.ts'
import { isVoluntary, LightKeeper } from './light-keeper.ts'
import type { LightOptions } from './light-keeper.ts'
import { statusOf } from './operation.ts'
import type { Operation, OperationState, OperationType } from './operation.ts'
import { Operations } from './operations.ts'
import type { PinProgress, PinTracker, RecoverOptions } from './tracker.ts'
import { CID } from 'multiformats/cid'
import type { PeerId } from '@libp2p/interface'

export interface StatelessTrackerComponents {
  readonly peerId: PeerId
  readonly pinset: Pick<PinsetReader, 'get' | 'pins' | 'listed'>
  readonly connector: Pick<IpfsConnector, 'pin' | 'pinLocal' | 'unpin' | 'mayHold' | 'pinStatus' | 'pins' | 'pinnedKeys' | 'repoGc' | 'blockGetLocal'>
  /** What this peer tells of itself: its name, its IPFS and where that is. */
  readonly identity: () => PingValue
  readonly clock?: Clock | undefined
  readonly logger?: ComponentLogger | undefined
}

/** Options of the tracker; `pin_tracker.stateless` in the configuration. */
export interface StatelessTrackerOptions {
  /** Operations that each queue may hold. @default 1_000_000 */
  readonly maxPinQueueSize?: number | undefined
  /** @default 10 */
  readonly concurrentPins?: number | undefined
  /** Ms a pin stays a priority after it was submitted. @default 86_400_000 */
  readonly priorityPinMaxAge?: number | undefined
  /** Attempts after which it no longer is. @default 5 */
  readonly priorityPinMaxRetries?: number | undefined
  /** This peer is light: what is pinned everywhere it keeps as it can, and says `remote` of what it does not. @default it is not */
  readonly light?: LightOptions | undefined
}

/** A tracker of this peer's pins. Work begins with `start`; what is tracked before waits. */
export const statelessTracker = (components: StatelessTrackerComponents, options: StatelessTrackerOptions = {}): PinTracker => new StatelessTracker(components, options)

const recoverableBits = trackerStatusBits.pin_error | trackerStatusBits.unexpectedly_unpinned
/** Ms between two progress events of one pin. */
const progressInterval = 250

interface Settled { readonly status: TrackerStatus, readonly error?: string, readonly timestamp: number }
type Listener = (info: PinInfo, progress?: PinProgress) => void

class StatelessTracker implements PinTracker {
  readonly #components: StatelessTrackerComponents
  readonly #clock: Clock
  readonly #log: Logger
  readonly #options: { readonly [Key in Exclude<keyof StatelessTrackerOptions, 'light'>]-?: number }
  readonly #operations: Operations
  readonly #listeners = new Set<Listener>()
  readonly #listing: StatusListing
  /** Where this peer is light: it sees to what is pinned everywhere. */
  readonly #keeper: LightKeeper | undefined
  readonly #leftovers: Leftovers
  /** Where the IPFS pins several in one call. */
  readonly #joint: JointPins | undefined
  #abort: AbortController | undefined
  #workers: Promise<void> = Promise.resolve()

  constructor (components: StatelessTrackerComponents, { maxPinQueueSize = 1_000_000, concurrentPins = 10, priorityPinMaxAge = 86_400_000, priorityPinMaxRetries = 5, light }: StatelessTrackerOptions) {
    this.#components = components
    this.#clock = components.clock ?? systemClock
    this.#log = (components.logger ?? silentLogger).forComponent('pintracker')
    this.#options = { maxPinQueueSize, concurrentPins, priorityPinMaxAge, priorityPinMaxRetries }
    this.#operations = new Operations({
      limit: maxPinQueueSize,
      onChange: (pin, state) => { if (this.#listeners.size > 0) this.#tell(this.#ofOperation(pin, state)) }
    })
    this.#listing = new StatusListing({
      peerId: components.peerId, pinset: components.pinset, connector: components.connector, identity: components.identity,
      operations: this.#operations, infoOf: (pin, state) => this.#ofOperation(pin, state), shortOf: (state) => this.#shortOf(state), isLight: light !== undefined, clock: this.#clock, log: this.#log
    })
    if (light !== undefined) this.#keeper = this.#keeperFor(light)
    this.#leftovers = new Leftovers({ connector: components.connector, clock: this.#clock, log: this.#log })
    const pinLocal = components.connector.pinLocal?.bind(components.connector)
    if (pinLocal !== undefined) {
      this.#joint = new JointPins({
        pinLocal, operations: this.#operations, workers: concurrentPins, clock: this.#clock, log: this.#log,
        wanted: async (operation) => await this.#wanted(operation),
        pinned: (operation) => { this.#ended(operation, 'pinned') }
      })
    }
  }

  async start (): Promise<void> {
    if (this.#abort !== undefined) return
    this.#abort = new AbortController()
    const { signal } = this.#abort
    const workers = [...Array.from({ length: this.#options.concurrentPins }, () => this.#work('pin', signal)), this.#work('unpin', signal), this.#work('remote', signal), this.#keeper?.run(signal) ?? Promise.resolve()]
    this.#workers = Promise.all(workers).then(() => {})
  }

  async stop (): Promise<void> {
    this.#abort?.abort()
    this.#operations.cancelAll()
    await this.#workers
  }

  track (pin: Pin): void {
    if (pin.type === 'meta-pin') {
      void this.#operations.drop(pin.cid)
      return
    }
    if (this.#keeper !== undefined && isVoluntary(pin)) {
      this.#keeper.offer(pin, this.#operations.drop(pin.cid))
      return
    }
    const isOurs = isAllocatedTo(pin, this.#components.peerId)
    if (!isOurs && this.#hasNothingOf(pin.cid)) {
      if (this.#listeners.size > 0) this.#tell(this.#info(pin, { status: 'remote', timestamp: this.#clock.now() }))
      return
    }
    this.#enqueue(isOurs ? 'pin' : 'remote', pin)
  }

  untrack (cid: CID): void { this.#enqueue('unpin', pinWith(cid)) }

  async status (cid: CID, options?: AbortOptions): Promise<PinInfo> {
    const known = this.#operations.pinOf(cid)
    const pin = known ?? await this.#components.pinset.get(cid, options)
    const operation = this.#operations.get(cid)
    if (operation !== undefined) return this.#ofOperation(pin ?? pinWith(cid), operation)
    if (pin === undefined) return this.#info(pinWith(cid), { status: 'unpinned', timestamp: this.#clock.now() })
    const timestamp = pin.timestamp ?? 0
    if (pin.type === 'meta-pin') return this.#info(pin, { status: 'sharded', timestamp })
    if (!isAllocatedTo(pin, this.#components.peerId)) return this.#info(pin, { status: 'remote', timestamp })
    const voluntary = this.#isVoluntary(pin)
    try {
      const held = await this.#components.connector.pinStatus(pin, options)
      // An operation may have begun while the IPFS was asked.
      const begun = this.#operations.get(cid)
      return begun === undefined ? this.#settled(pin, isPinned(held, pin.maxDepth)) : this.#ofOperation(pin, begun)
    } catch (error) {
      if (voluntary) return this.#info(pin, { status: 'remote', timestamp })
      return this.#info(pin, { status: 'cluster_error', error: errorText(error), timestamp: this.#clock.now() })
    }
  }

  async * statusAll (filter: StatusFilter, options: AbortOptions = {}): AsyncGenerator<PinInfo> {
    for await (const listed of this.#listing.pins(filter, options)) yield this.#ofListed(listed)
  }

  statusTexts (filter: StatusFilter, options: AbortOptions = {}): AsyncIterable<readonly StatusText[]> { return this.#listing.texts(filter, options) }

  async recover (cid: CID, options?: AbortOptions): Promise<PinInfo> {
    const info = await this.status(cid, options)
    if (info.status === 'unpin_error') {
      this.#enqueue('unpin', pinWith(cid))
    } else if (matchesFilter(info.status, recoverableBits)) {
      const pin = await this.#components.pinset.get(cid, options)
      if (pin === undefined) return info
      this.#enqueue('pin', pin)
    } else {
      if (info.status === 'remote') await this.#retry(cid, options)
      return info
    }
    return await this.status(cid, options)
  }

  async * recoverAll ({ failedBefore = Infinity, ...options }: RecoverOptions = {}): AsyncGenerator<PinInfo> {
    // What could not be given up to others is tried again, too; it is no item of ours to report.
    for (const [cid, { type, phase }] of this.#operations.entries()) if (type === 'remote' && phase === 'failed') this.#enqueue('remote', pinWith(cid))
    let recovered = 0
    try {
      for await (const text of this.#listing.recoverable(failedBefore, options)) {
        const cid = CID.parse(text)
        const pin = await this.#components.pinset.get(cid, options)
        const operation = pin === undefined ? undefined : this.#enqueue('pin', pin)
        if (pin === undefined || operation === undefined) continue
        if (operation.phase === 'failed') {
          this.#log.warn('recovering stops early: ' + operation.error)
          return
        }
        recovered++
        yield this.#ofOperation(pin, operation)
      }
    } finally {
      if (recovered > 0) this.#log.info(`restarted pin operations: ${recovered}`)
    }
  }

  pinQueueSize (): number { return this.#operations.count('pin_queued') }

  counts (): { readonly pinQueued: number, readonly pinning: number, readonly pinError: number } {
    return { pinQueued: this.#operations.count('pin_queued'), pinning: this.#operations.count('pinning'), pinError: this.#operations.count('pin_error') }
  }

  onChange (listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  /** The new operation; undefined when one of this type is under way already. */
  #enqueue (type: OperationType, pin: Pin): OperationState | undefined {
    const now = this.#clock.now()
    const { priorityPinMaxAge, priorityPinMaxRetries } = this.#options
    if (type === 'remote') this.#leftovers.came(pin.cid)
    return this.#operations.enqueue(type, pin, {
      now,
      priority: (attempts) => type === 'pin' && now < (pin.timestamp ?? 0) + priorityPinMaxAge && attempts <= priorityPinMaxRetries,
      after: this.#keeper?.drop(pin.cid)
    })
  }

  async #work (type: OperationType, signal: AbortSignal): Promise<void> {
    for (;;) {
      const operation = await this.#operations.take(type, signal)
      if (operation === undefined) return
      const others = type === 'pin' ? this.#joint?.company(operation) ?? [] : []
      if (others.length > 0) {
        await this.#joint?.run([operation, ...others])
        continue
      }
      await operation.after
      if (operation.cancelled || signal.aborted) continue
      operation.running = this.#run(operation, signal)
      await operation.running
    }
  }

  /** Never rejects: a failure becomes the operation's. */
  async #run (operation: Operation, stopped: AbortSignal): Promise<void> {
    try {
      const pin = await this.#wanted(operation)
      if (operation.type === 'remote' && await this.#leftovers.hasNothing(operation, this.#operations.waiting('remote'), { signal: stopped })) {
        this.#operations.finish(operation)
        return
      }
      if (operation.cancelled) return
      const signal = pin === undefined ? undefined : this.#operations.begin(operation, pin, this.#clock.now())
      if (signal === undefined) {
        this.#operations.finish(operation)
        return
      }
      const done = operation.type === 'pin' ? await this.#pin(operation, signal) : await this.#unpin(operation, signal)
      if (operation.cancelled) return
      this.#ended(operation, done)
    } catch (error) {
      if (operation.cancelled) return
      this.#log.error(`${operation.type} of ${operation.key} failed:`, errorText(error))
      this.#operations.fail(operation, errorText(error), this.#clock.now())
      if (error instanceof Error && error.name === 'StorageFullError') this.#keeper?.noRoom()
    }
  }

  #ended (operation: Operation, done: 'pinned' | 'unpinned' | undefined): void {
    if (done !== undefined) this.#listing.ended(operation, done)
    if (this.#operations.finish(operation) && done !== undefined) this.#emitDone(operation, done)
    if (done === 'unpinned') this.#keeper?.freed()
  }

  /** What is to be pinned, as the pinset has it now; undefined when it is not to be pinned here any more. */
  async #wanted (operation: Operation): Promise<Pin | undefined> {
    if (operation.pin !== undefined) return operation.pin
    if (operation.type !== 'pin') return operation.pin = pinWith(operation.cid)
    const pin = await this.#components.pinset.get(operation.cid)
    // New options may have come meanwhile.
    if (operation.pin === undefined && pin !== undefined && isAllocatedTo(pin, this.#components.peerId)) operation.pin = pin
    return operation.pin
  }

  async #pin (operation: Operation, signal: AbortSignal): Promise<'pinned'> {
    for (;;) {
      const { pin } = operation
      if (pin === undefined) throw new TypeError('a pin that is not known cannot be pinned')
      await this.#components.connector.pin(pin, { signal, onProgress: (blocks, bytes) => { this.#progress(operation, blocks, bytes) } })
      if (operation.cancelled || operation.pin?.maxDepth === pin.maxDepth) return 'pinned'
    }
  }

  /** A pin that is wanted here after all is left alone: hooks may come late (wire.md §3.5). */
  async #unpin ({ cid }: Operation, signal: AbortSignal): Promise<'unpinned' | undefined> {
    const current = await this.#components.pinset.get(cid, { signal })
    if (current !== undefined && current.type !== 'meta-pin' && isAllocatedTo(current, this.#components.peerId)) return undefined
    await this.#components.connector.unpin(cid, { signal })
    return 'unpinned'
  }

  /** Neither held nor being worked on: there is nothing to remove. */
  #hasNothingOf (cid: CID): boolean {
    return this.#components.connector.mayHold?.(cid) === false && this.#operations.get(cid) === undefined && this.#keeper?.drop(cid) === undefined
  }

  #isVoluntary (pin: Pin): boolean { return this.#keeper !== undefined && isVoluntary(pin) }

  #keeperFor (light: LightOptions): LightKeeper {
    const { connector, pinset } = this.#components
    return new LightKeeper({
      connector, pinset, clock: this.#clock, log: this.#log,
      onKept: (pin) => {
        this.#listing.ended(pin, 'pinned')
        if (this.#listeners.size > 0) this.#tell(this.#info(pin, { status: 'pinned', timestamp: this.#clock.now() }))
      },
      onProgress: (pin, blocks, bytes) => {
        if (this.#listeners.size > 0) this.#tell(this.#info(pin, { status: 'remote', timestamp: this.#clock.now() }), { cid: pin.cid, blocks, bytes })
      }
    }, light)
  }

  /** A pin that a light peer does not keep is tried again now, if it keeps such pins at all. */
  async #retry (cid: CID, options?: AbortOptions): Promise<void> {
    if (this.#keeper === undefined) return
    const pin = await this.#components.pinset.get(cid, options)
    if (pin !== undefined && isVoluntary(pin)) this.#keeper.offer(pin)
  }

  #progress (operation: Operation, blocks: number, bytes: number | undefined): void {
    const { cid, cancelled, pin, progressShownAt } = operation
    const now = this.#clock.now()
    if (cancelled || pin === undefined || this.#listeners.size === 0 || now - progressShownAt < progressInterval || this.#operations.get(cid) !== operation) return
    operation.progressShownAt = now
    this.#tell(this.#ofOperation(pin, operation), { cid, blocks, bytes })
  }

  #settled (pin: Pin, isHeld: boolean): PinInfo {
    const timestamp = pin.timestamp ?? 0
    if (!isHeld && this.#isVoluntary(pin)) return this.#info(pin, { status: 'remote', timestamp })
    return this.#info(pin, { ...isHeld ? pinned : lost, timestamp })
  }

  #info (pin: Pin, settled: Settled): PinInfo { return this.#about(pin, this.#short({ ...settled, attempts: 0, priority: false })) }

  #ofListed (listed: Listed): PinInfo {
    return 'operation' in listed ? this.#ofOperation(listed.pin, listed.operation) : this.#info(listed.pin, { ...listed.derived, timestamp: listed.pin.timestamp ?? 0 })
  }

  #ofOperation (pin: Pin, state: OperationState): PinInfo { return this.#about(pin, this.#shortOf(state)) }

  #shortOf (state: OperationState): PinInfoShort { return this.#short({ ...state, status: statusOf(state) }) }

  #short ({ status, error = '', timestamp, attempts, priority }: Settled & Pick<OperationState, 'attempts' | 'priority'>): PinInfoShort {
    return { ...this.#components.identity(), status, timestamp, error, attemptCount: attempts, priorityPin: priority }
  }

  #about ({ cid, name, allocations, origins, metadata, timestamp }: Pin, short: PinInfoShort): PinInfo {
    return { ...short, cid, name, allocations, origins, metadata, created: timestamp ?? this.#clock.now(), peer: this.#components.peerId }
  }

  #emitDone ({ type, cid, pin = pinWith(cid) }: Operation, done: 'pinned' | 'unpinned'): void {
    if (this.#listeners.size === 0) return
    const status = type === 'remote' ? 'remote' : done
    this.#tell(this.#info(pin, { status, timestamp: this.#clock.now() }))
  }

  #tell (info: PinInfo, progress?: PinProgress): void {
    for (const listener of this.#listeners) {
      try { listener(info, progress) } catch (error) { this.#log.error('status listener failed', errorText(error)) }
    }
  }
}

const isPinned = (held: IpfsPinStatus, maxDepth: number): boolean => held === (maxDepth === 0 ? 'direct' : 'recursive')
