/**
 * What a light peer keeps of the pins that everybody keeps: as much as there is room for and can be had, a few at a time, and quietly.
 * Nobody counts on it, so a pin that it does not keep is no error. It holds no list of its own: what is missing is found by comparing
 * pinset and IPFS, and only recent pins and recent failures are remembered, up to a limit.
 */
import { errorText } from '../component.ts'
import type { Clock, Logger } from '../component.ts'
import type { PinsetReader } from '../consensus/consensus.ts'
import type { IpfsConnector } from '../ipfs/ipfs.ts'
import { ProgressWatch } from '../ipfs/progress-watch.ts'
import { cidKey } from '../pin/keys.ts'
import { isEverywhere } from '../pin/pin.ts'
import type { Pin } from '../pin/pin.ts'
import { FreshPins } from './fresh-pins.ts'
import { IpfsPins } from './ipfs-pins.ts'
import { RetryLater } from './retry-later.ts'
import { RoomMaker } from './room-maker.ts'
import { Wakeable } from './wakeable.ts'
import type { CID } from 'multiformats/cid'

/** This peer is light: others do not count on it. Times in ms. */
export interface LightOptions {
  /** Keep what is pinned everywhere, as far as there is room; otherwise nothing of it. */
  readonly keepEverywhere: boolean
  /** Pins fetched at the same time. @default 4 */
  readonly concurrency?: number | undefined
  /** An attempt that gets no block for this long makes way. @default 20_000 */
  readonly patience?: number | undefined
  /** Pause where there is no room; it doubles, up to 16 times, while there is none. @default 10 minutes */
  readonly fullPause?: number | undefined
}

export interface LightKeeperParts {
  readonly pinset: Pick<PinsetReader, 'get' | 'pins'>
  readonly connector: Pick<IpfsConnector, 'pin' | 'unpin' | 'pins' | 'repoGc' | 'blockGetLocal'>
  readonly clock: Clock
  readonly log: Logger
  readonly onKept: (pin: Pin) => void
  readonly onProgress: (pin: Pin, blocks: number, bytes: number | undefined) => void
}

/** A pin that is this peer's own choice where it is light. */
export const isVoluntary = (pin: Pin): boolean => isEverywhere(pin) && pin.type !== 'meta-pin'

/** New pins that are looked for here before they have to wait their turn; one that gets no block for this long (ms) has to wait after all. */
const looksAtOnce = 16
const hurry = 1000
/** Ms between two looks at the whole pinset where not everything could be remembered. */
const rescanInterval = 3_600_000
/** Ms between two progress events of one pin. */
const progressInterval = 250
const never = 2 ** 31 - 1

/** `found`: by comparing, so that it may be outdated. */
interface Candidate { readonly pin: Pin, readonly found: boolean }
interface Attempt { readonly abort: AbortController, readonly done: Promise<void> }

export class LightKeeper {
  readonly #parts: LightKeeperParts
  readonly #options: { readonly [Key in keyof LightOptions]-?: Exclude<LightOptions[Key], undefined> }
  /** Not looked at yet, and those that have to be fetched. */
  readonly #fresh = new FreshPins()
  readonly #recent = new FreshPins()
  readonly #later: RetryLater
  readonly #running = new Map<string, Attempt>()
  #rescan = true
  /** While the pinset is compared with it: what the IPFS held then, and what was kept since. */
  #held: IpfsPins | undefined
  readonly #waiting: Wakeable
  readonly #waitingForFresh: Wakeable
  readonly #room: RoomMaker
  #signal: AbortSignal | undefined

  constructor (parts: LightKeeperParts, { keepEverywhere, concurrency = 4, patience = 20_000, fullPause = 600_000 }: LightOptions) {
    this.#parts = parts
    this.#options = { keepEverywhere, concurrency, patience, fullPause }
    this.#later = new RetryLater(parts.clock)
    this.#waiting = new Wakeable(parts.clock)
    this.#waitingForFresh = new Wakeable(parts.clock)
    this.#room = new RoomMaker(parts, fullPause)
  }

  /** Until the signal fires; never rejects. */
  async run (signal: AbortSignal): Promise<void> {
    this.#signal = signal
    const source = this.#candidates(signal)
    const { keepEverywhere, concurrency } = this.#options
    await Promise.all(keepEverywhere ? [this.#keepWhatIsHere(signal), ...Array.from({ length: concurrency }, () => this.#work(source, signal))] : [this.#release(signal)])
    await this.#room.ready()
  }

  /** The pinset holds this voluntary pin now; `after`: work on it that must end first. */
  offer (pin: Pin, after?: Promise<void>): void {
    if (!this.#options.keepEverywhere) return
    if (after !== undefined) {
      void after.then(() => { this.offer(pin) })
      return
    }
    this.#later.delete(pin.cid.toString())
    if (!this.#fresh.add(pin.cid)) {
      this.#rescan = true
      this.#waiting.wake()
    }
    this.#waitingForFresh.wake()
  }

  /** It is not wanted any more, or somebody else sees to it. The attempt that was cancelled ends with the promise. */
  drop (cid: CID): Promise<void> | undefined {
    const key = cid.toString()
    this.#fresh.delete(key)
    this.#recent.delete(key)
    this.#later.delete(key)
    const attempt = this.#running.get(key)
    attempt?.abort.abort(new Error('context canceled'))
    return attempt?.done
  }

  /** A pin found no room: what it left is removed, and what nobody counts on waits. */
  noRoom (): void { if (this.#signal !== undefined) this.#room.full(this.#signal) }

  /** Something was unpinned: there may be room. */
  freed (): void { this.#room.freed() }

  async #work (source: AsyncGenerator<Candidate, void>, signal: AbortSignal): Promise<void> {
    for (;;) {
      const next = await source.next()
      if (next.done === true || signal.aborted) return
      const { pin, found } = next.value
      // Others may have tried it since the candidate was found.
      if (!found || this.#isMissing(pin)) await this.#try(pin, this.#options.patience, signal)
      await this.#room.ready()
    }
  }

  /** Pins whose content is here already, because it was added here, wait for nobody. */
  async #keepWhatIsHere (signal: AbortSignal): Promise<void> {
    const { connector, clock } = this.#parts
    while (!signal.aborted) {
      if (this.#fresh.size === 0) await this.#waitingForFresh.sleep(never, signal)
      let looking = 0
      for (const [index, cid] of this.#fresh.take().entries()) {
        const begun = clock.now()
        const isHere = index < looksAtOnce && await connector.blockGetLocal(cid, { signal }).catch(() => undefined) !== undefined
        const pin = isHere ? await this.#current(cid) : undefined
        looking += clock.now() - begun
        if (pin === undefined || !await this.#try(pin, hurry, signal)) this.#remember(cid)
      }
      // While many come (the pinset is fetched), others need the store more.
      if (looking > 0) await clock.sleep(4 * looking, { signal }).catch(() => {})
    }
  }

  #remember (cid: CID): void {
    if (!this.#recent.add(cid)) this.#rescan = true
    this.#waiting.wake()
  }

  /** True where it is kept now; one that somebody is at already is left to them. */
  async #try (pin: Pin, patience: number, signal: AbortSignal): Promise<boolean> {
    const key = pin.cid.toString()
    if (this.#running.has(key)) return false
    const abort = new AbortController()
    let kept = false
    const done = this.#attempt(pin, patience, abort, signal).then((result) => { kept = result })
    this.#running.set(key, { abort, done })
    await done
    this.#running.delete(key)
    return kept
  }

  /** Never rejects; true where it is kept now. */
  async #attempt (pin: Pin, patience: number, abort: AbortController, signal: AbortSignal): Promise<boolean> {
    const onAbort = (): void => { abort.abort(signal.reason) }
    signal.addEventListener('abort', onAbort, { once: true })
    const watch = new ProgressWatch(pin.cid, patience, abort.signal)
    let shownAt = 0
    try {
      await this.#parts.connector.pin(pin, {
        signal: watch.signal,
        onProgress: (blocks, bytes) => {
          const now = this.#parts.clock.now()
          if (!watch.grew(blocks) || now - shownAt < progressInterval) return
          shownAt = now
          this.#parts.onProgress(pin, blocks, bytes)
        }
      })
      this.#later.delete(pin.cid.toString())
      this.#room.fitted()
      this.#held?.add(cidKey(pin.cid), pin.maxDepth === 0 ? 'direct' : 'recursive')
      if (!abort.signal.aborted) this.#parts.onKept(pin)
      return true
    } catch (error) {
      if (abort.signal.aborted) return false
      this.#parts.log.debug('%s is not kept here: %s', pin.cid, errorText(error))
      if (patience !== hurry) this.#later.add(pin)
      if (error instanceof Error && error.name === 'StorageFullError') this.noRoom()
      return false
    } finally {
      watch.clear()
      signal.removeEventListener('abort', onAbort)
    }
  }

  async * #candidates (signal: AbortSignal): AsyncGenerator<Candidate, void> {
    const { clock, log } = this.#parts
    let rescanAt = 0
    while (!signal.aborted) {
      yield * this.#known()
      if (this.#rescan || (this.#later.overflowed && clock.now() >= rescanAt)) {
        this.#rescan = false
        this.#later.forgetOverflow()
        rescanAt = clock.now() + rescanInterval
        try {
          yield * this.#scan(signal)
        } catch (error) {
          if (!signal.aborted) log.warn('what is missing here could not be found out: %s', errorText(error))
        }
      } else if (this.#recent.size === 0 && this.#later.wait() !== 0) {
        const rescanIn = this.#later.overflowed ? rescanAt - clock.now() : never
        await this.#waiting.sleep(Math.min(this.#later.wait() ?? never, rescanIn), signal)
      }
    }
  }

  /** Recent pins, then those whose time has come again; as the pinset has them now. */
  async * #known (): AsyncGenerator<Candidate, void> {
    yield * this.#currentOf(this.#recent.take(), false)
    yield * this.#currentOf(this.#later.due().map(({ cid }) => cid), true)
  }

  /** Those that were tried since they came wait for their time. */
  async * #currentOf (cids: readonly CID[], tried: boolean): AsyncGenerator<Candidate, void> {
    for (const cid of cids) {
      if (this.#recent.size > 0) yield * this.#currentOf(this.#recent.take(), false)
      if (!tried && this.#later.has(cid.toString())) continue
      const pin = await this.#current(cid)
      if (pin !== undefined) yield { pin, found: false }
    }
  }

  /** The voluntary pin that the pinset holds now. */
  async #current (cid: CID): Promise<Pin | undefined> {
    try {
      const pin = await this.#parts.pinset.get(cid)
      if (pin !== undefined && isVoluntary(pin)) return pin
      this.#later.delete(cid.toString())
    } catch (error) {
      this.#parts.log.debug('%s is not looked at: %s', cid, errorText(error))
    }
    return undefined
  }

  async * #scan (signal: AbortSignal): AsyncGenerator<Candidate, void> {
    const held = new IpfsPins()
    try {
      this.#held = held
      for await (const { cid, status } of this.#parts.connector.pins({ signal })) held.add(cidKey(cid), status)
      for await (const pin of this.#parts.pinset.pins({ signal })) {
        if (this.#recent.size > 0) yield * this.#known()
        if (isVoluntary(pin) && this.#isMissing(pin)) yield { pin, found: true }
      }
    } finally {
      this.#held = undefined
    }
  }

  /** Neither held nor tried lately. */
  #isMissing ({ cid, maxDepth }: Pin): boolean { return this.#held?.has(cidKey(cid), maxDepth) !== true && !this.#later.has(cid.toString()) }

  /** Gives up what was kept before; never rejects. */
  async #release (signal: AbortSignal): Promise<void> {
    const { connector, pinset, log } = this.#parts
    try {
      for await (const { cid } of connector.pins({ signal })) {
        const pin = await pinset.get(cid, { signal })
        if (pin !== undefined && isVoluntary(pin)) await connector.unpin(cid, { signal })
      }
    } catch (error) {
      if (!signal.aborted) log.warn('what is pinned everywhere could not be given up: %s', errorText(error))
    }
  }
}
