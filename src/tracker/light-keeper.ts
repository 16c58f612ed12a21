/**
 * What a light peer keeps of the pins that everybody keeps: as much as there is room for and can be had, a few at a time, and quietly.
 * Nobody counts on it, so a pin that it does not keep is no error. It holds no list of its own: what is missing is found by comparing
 * pinset and IPFS, and only recent pins and recent failures are remembered, up to a limit.
 */
import { errorText } from '../component.ts'
import type { AbortOptions, Clock, Logger } from '../component.ts'
import type { PinsetReader } from '../consensus/consensus.ts'
import type { IpfsConnector } from '../ipfs/ipfs.ts'
import { ProgressWatch } from '../ipfs/progress-watch.ts'
import { isEverywhere } from '../pin/pin.ts'
import type { Pin } from '../pin/pin.ts'
import { IpfsPins } from './ipfs-pins.ts'
import { RetryLater } from './retry-later.ts'
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
  readonly connector: Pick<IpfsConnector, 'pin' | 'unpin' | 'pins' | 'repoGc'>
  readonly clock: Clock
  readonly log: Logger
  readonly onKept: (pin: Pin) => void
  readonly onProgress: (pin: Pin, blocks: number, bytes: number | undefined) => void
}

/** A pin that is this peer's own choice where it is light. */
export const isVoluntary = (pin: Pin): boolean => isEverywhere(pin) && pin.type !== 'meta-pin'

/** New pins remembered until they are fetched; beyond it the pinset is read again. */
const maxRecent = 1000
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
  readonly #recent = new Map<string, Pick<Pin, 'cid'>>()
  readonly #later: RetryLater
  readonly #running = new Map<string, Attempt>()
  #rescan = true
  /** While the pinset is compared with it: what the IPFS held then, and what was kept since. */
  #held: IpfsPins | undefined
  #wake: () => void = () => {}
  #signal: AbortSignal | undefined
  #makingRoom: Promise<void> | undefined
  #freed: () => void = () => {}
  /** Pauses in a row without a pin that fitted. */
  #pauses = 0
  #triedAgain = false

  constructor (parts: LightKeeperParts, { keepEverywhere, concurrency = 4, patience = 20_000, fullPause = 600_000 }: LightOptions) {
    this.#parts = parts
    this.#options = { keepEverywhere, concurrency, patience, fullPause }
    this.#later = new RetryLater(parts.clock)
  }

  /** Until the signal fires; never rejects. */
  async run (signal: AbortSignal): Promise<void> {
    this.#signal = signal
    const source = this.#candidates(signal)
    const { keepEverywhere, concurrency } = this.#options
    await Promise.all(keepEverywhere ? Array.from({ length: concurrency }, () => this.#work(source, signal)) : [this.#release(signal)])
    await this.#makingRoom
  }

  /** The pinset holds this voluntary pin now; `after`: work on it that must end first. */
  offer (pin: Pin, after?: Promise<void>): void {
    if (!this.#options.keepEverywhere) return
    if (after !== undefined) {
      void after.then(() => { this.offer(pin) })
      return
    }
    if (this.#recent.size < maxRecent) this.#recent.set(pin.cid.toString(), { cid: pin.cid })
    else this.#rescan = true
    this.#wake()
  }

  /** It is not wanted any more, or somebody else sees to it. The attempt that was cancelled ends with the promise. */
  drop (cid: CID): Promise<void> | undefined {
    const key = cid.toString()
    this.#recent.delete(key)
    this.#later.delete(key)
    const attempt = this.#running.get(key)
    attempt?.abort.abort(new Error('context canceled'))
    return attempt?.done
  }

  /** A pin found no room: what it left is removed, and what nobody counts on waits. */
  noRoom (): void {
    const signal = this.#signal
    if (signal !== undefined && !signal.aborted) this.#makingRoom ??= this.#makeRoom(signal).finally(() => { this.#makingRoom = undefined })
  }

  /** Something was unpinned: there may be room. */
  freed (): void { this.#freed() }

  async #work (source: AsyncGenerator<Candidate, void>, signal: AbortSignal): Promise<void> {
    for (;;) {
      const next = await source.next()
      if (next.done === true || signal.aborted) return
      const { pin, found } = next.value
      const key = pin.cid.toString()
      // Others may have tried it since the candidate was found.
      if (this.#running.has(key) || (found && !this.#isMissing(pin))) continue
      const abort = new AbortController()
      const done = this.#attempt(pin, abort, signal)
      this.#running.set(key, { abort, done })
      await done
      this.#running.delete(key)
      await this.#makingRoom
    }
  }

  /** Never rejects. */
  async #attempt (pin: Pin, abort: AbortController, signal: AbortSignal): Promise<void> {
    const onAbort = (): void => { abort.abort(signal.reason) }
    signal.addEventListener('abort', onAbort, { once: true })
    const watch = new ProgressWatch(pin.cid, this.#options.patience, abort.signal)
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
      this.#pauses = 0
      this.#triedAgain = false
      this.#held?.add(pin.cid, pin.maxDepth === 0 ? 'direct' : 'recursive')
      if (!abort.signal.aborted) this.#parts.onKept(pin)
    } catch (error) {
      if (abort.signal.aborted) return
      this.#parts.log.debug('%s is not kept here: %s', pin.cid, errorText(error))
      this.#later.add(pin)
      if (error instanceof Error && error.name === 'StorageFullError') this.noRoom()
    } finally {
      watch.clear()
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** What failed attempts left must not fill the store; never rejects. */
  async #makeRoom (signal: AbortSignal): Promise<void> {
    try {
      let removed = 0
      for await (const { error } of this.#parts.connector.repoGc({ signal, keepRecent: true })) if (error === '') removed++
      // Without what failed attempts left, the next pin may fit. After that only time or an unpin helps.
      if (removed > 0 && !this.#triedAgain) this.#triedAgain = true
      else {
        const pause = this.#options.fullPause * 2 ** Math.min(4, this.#pauses++)
        this.#parts.log.info('no room for more of what is pinned everywhere: next look in %d s', pause / 1000)
        await this.#sleep(pause, signal, (wake) => { this.#freed = wake })
      }
    } catch (error) {
      if (!signal.aborted) this.#parts.log.warn('could not make room: %s', errorText(error))
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
        await this.#sleep(Math.min(this.#later.wait() ?? never, rescanIn), signal, (wake) => { this.#wake = wake })
      }
    }
  }

  /** Recent pins, then those whose time has come again; as the pinset has them now. */
  async * #known (): AsyncGenerator<Candidate, void> {
    for (const [key, { cid }] of this.#recent) {
      this.#recent.delete(key)
      yield * this.#current(cid)
    }
    for (const { cid } of this.#later.due()) yield * this.#current(cid)
  }

  async * #current (cid: CID): AsyncGenerator<Candidate, void> {
    try {
      const pin = await this.#parts.pinset.get(cid)
      if (pin !== undefined && isVoluntary(pin)) yield { pin, found: false }
      else this.#later.delete(cid.toString())
    } catch (error) {
      this.#parts.log.debug('%s is not looked at: %s', cid, errorText(error))
    }
  }

  async * #scan (signal: AbortSignal): AsyncGenerator<Candidate, void> {
    const held = new IpfsPins()
    try {
      this.#held = held
      for await (const { cid, status } of this.#parts.connector.pins({ signal })) held.add(cid, status)
      for await (const pin of this.#parts.pinset.pins({ signal })) {
        if (this.#recent.size > 0) yield * this.#known()
        if (isVoluntary(pin) && this.#isMissing(pin)) yield { pin, found: true }
      }
    } finally {
      this.#held = undefined
    }
  }

  /** Neither held nor tried lately. */
  #isMissing ({ cid, maxDepth }: Pin): boolean { return this.#held?.has(cid, maxDepth) !== true && !this.#later.has(cid.toString()) }

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

  /** Until the time is over, the signal fires or the function that `expose` gets is called. */
  async #sleep (ms: number, signal: AbortSignal, expose: (wake: () => void) => void): Promise<void> {
    const ended = new AbortController()
    const end = (): void => { ended.abort(new Error('woken')) }
    expose(end)
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
    const options: AbortOptions = { signal: ended.signal }
    await this.#parts.clock.sleep(ms, options).catch(() => {})
    signal.removeEventListener('abort', end)
  }
}
