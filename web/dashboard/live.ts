/** Keeps one stream of events open for the whole page, and opens it again when it breaks. */
import { errorText, systemClock } from '../../src/component.ts'
import type { AbortOptions, Clock } from '../../src/component.ts'
import type { ApiEvent } from '../../src/api/events.ts'
import type { EventType, Live, LiveState } from './session.ts'

export interface LiveSource {
  readonly events: (options: AbortOptions) => AsyncIterable<ApiEvent>
  /** Resolves when the peer answers at all. */
  readonly probe: (options: AbortOptions) => Promise<unknown>
  /** After a member went away: for how long `probe` may take, in ms, before this counts as offline. @default not asked */
  readonly recheckAfter?: number | undefined
}

export interface LiveOptions {
  /** First wait before trying again, in ms; it doubles up to 15 s. @default 500 */
  readonly retryAfter?: number | undefined
  /** @default systemClock */
  readonly clock?: Clock | undefined
}

/** Why a peer that lost its last member counts as offline. */
export const noMember = 'no member is in reach'

const longestWait = 15_000
const answersWithin = 5_000

/** A `Live` over a client's event stream; runs until `stop`. */
export class LiveStream implements Live {
  state: LiveState = 'connecting'
  failure: string | undefined
  readonly #source: LiveSource
  readonly #clock: Clock
  readonly #firstWait: number
  readonly #abort = new AbortController()
  readonly #states = new Set<() => void>()
  readonly #listeners = new Set<{ readonly types: readonly EventType[], readonly listener: (event: ApiEvent) => void }>()
  #wake = new AbortController()
  #wasInterrupted = false
  #hasEnded = false

  constructor (source: LiveSource, { retryAfter = 500, clock = systemClock }: LiveOptions = {}) {
    this.#source = source
    this.#clock = clock
    this.#firstWait = retryAfter
  }

  /** Opens the stream and keeps it open; resolves after `stop`. */
  async run (): Promise<void> {
    let wait = this.#firstWait
    while (!this.#abort.signal.aborted) {
      await this.#once()
      if (this.state === 'live') wait = this.#firstWait
      if (this.#abort.signal.aborted) return
      this.#wasInterrupted = true
      this.#set('offline')
      this.#wake = new AbortController()
      await this.#clock.sleep(wait, { signal: AbortSignal.any([this.#abort.signal, this.#wake.signal]) }).catch(() => {})
      wait = Math.min(wait * 2, longestWait)
    }
  }

  /** Tries again now; a peer that ended in this page starts with the page. */
  readonly retry = (): void => {
    if (this.#hasEnded) location.reload()
    else this.#wake.abort()
  }

  stop (): void { this.#abort.abort() }

  /** The peer is gone for good, for this reason. */
  end (reason: string): void {
    this.#hasEnded = true
    this.stop()
    this.failure = reason
    this.#set('offline')
  }

  readonly onState = (listener: () => void): (() => void) => {
    this.#states.add(listener)
    return () => { this.#states.delete(listener) }
  }

  readonly subscribe = (types: readonly EventType[], listener: (event: ApiEvent) => void): (() => void) => {
    const entry = { types, listener }
    this.#listeners.add(entry)
    return () => { this.#listeners.delete(entry) }
  }

  /** One stream, from its start to its break. */
  async #once (): Promise<void> {
    const broken = new AbortController()
    const signal = AbortSignal.any([this.#abort.signal, broken.signal])
    const reading = this.#read(signal)
    try {
      // The stream says nothing until something happens: that the peer answers tells that it is open.
      await Promise.race([this.#source.probe({ signal }), reading.then(() => { throw new Error('the stream of events ended') })])
      this.#opened()
      await Promise.race([reading, this.#lost(signal)])
      this.failure = 'the stream of events ended'
    } catch (error) {
      if (!this.#hasEnded) this.failure = errorText(error)
    } finally {
      broken.abort()
      await reading.catch(() => {})
    }
  }

  /** Rejects once what is asked does not answer: a broken network ends no stream, and a member that leaves may have been the last. */
  async #lost (signal: AbortSignal): Promise<never> {
    const { recheckAfter, probe } = this.#source
    const { promise, reject } = Promise.withResolvers<never>()
    const check = (): void => {
      probe({ signal: AbortSignal.any([signal, AbortSignal.timeout(recheckAfter ?? answersWithin)]) }).catch(() => { reject(new Error(recheckAfter === undefined ? 'no answer' : noMember)) })
    }
    for (const type of ['online', 'offline', 'visibilitychange']) addEventListener(type, check, { signal, capture: true })
    const unsubscribe = recheckAfter === undefined ? undefined : this.subscribe(['peer:disconnected'], check)
    signal.addEventListener('abort', () => { unsubscribe?.(); reject(signal.reason as Error) }, { once: true })
    return await promise
  }

  async #read (signal: AbortSignal): Promise<void> {
    for await (const event of this.#source.events({ signal })) this.#tell(event)
  }

  #opened (): void {
    this.failure = undefined
    this.#set('live')
    if (this.#wasInterrupted) this.#tell({ type: 'events:dropped', data: 0 })
    this.#wasInterrupted = false
  }

  #tell (event: ApiEvent): void {
    for (const { types, listener } of this.#listeners) if (types.includes(event.type)) listener(event)
  }

  #set (state: LiveState): void {
    if (this.state === state) return
    this.state = state
    for (const listener of this.#states) listener()
  }
}
