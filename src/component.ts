/** What every room shares: lifecycle, cancellation, time and logging. */

/** A part of a peer that is started once and stopped once; `stop` is idempotent. */
export interface Startable {
  start: (options?: AbortOptions) => Promise<void>
  stop: () => Promise<void>
}

export interface AbortOptions {
  /** Ends the work; the call then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

/** Leveled log of one component; values are appended to the message, never secrets. */
export interface Logger {
  debug: (message: string, ...values: unknown[]) => void
  info: (message: string, ...values: unknown[]) => void
  warn: (message: string, ...values: unknown[]) => void
  error: (message: string, ...values: unknown[]) => void
}

/** Hands each component its own logger, named by facility (`shared` names: cluster, crdt, pintracker…). */
export interface ComponentLogger {
  forComponent: (facility: string) => Logger
}

/** Time as the peer sees it; tests inject their own. */
export interface Clock {
  /** Unix time, in ms. */
  now: () => number
  /** Resolves after `ms`; rejects with the signal's reason when that fires first. */
  sleep: (ms: number, options?: AbortOptions) => Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, { signal } = {}) => {
    signal?.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    const onAbort = (): void => { clearTimeout(timer); reject(signal?.reason as Error) }
    signal?.addEventListener('abort', onAbort, { once: true })
    try { await promise } finally { signal?.removeEventListener('abort', onAbort) }
  }
}

const nothing = (): void => {}
const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }
export const silentLogger: ComponentLogger = { forComponent: () => silent }

/** Starts in order; when one fails, stops those already started, in reverse, and rethrows. */
export async function startAll (components: readonly Startable[], options?: AbortOptions): Promise<void> {
  const started: Startable[] = []
  for (const component of components) {
    try {
      await component.start(options)
      started.push(component)
    } catch (error) {
      await stopAll([...started, component]).catch(nothing)
      throw error
    }
  }
}

/** Stops in reverse order; no failing step skips the next. */
export async function stopAll (components: readonly Startable[]): Promise<void> {
  const failures: unknown[] = []
  for (const component of components.toReversed()) {
    try { await component.stop() } catch (error) { failures.push(error) }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'peer did not stop cleanly')
}

/** The text of anything thrown. */
export const errorText = (error: unknown): string => error instanceof Error ? error.message : String(error)

export interface EveryOptions {
  /** Ends the loop; the promise then resolves. */
  readonly signal: AbortSignal
  /** Hears of a failed run; the loop goes on. */
  readonly onError: (error: unknown) => void
}

/** Waits, runs the task, and again until the signal fires. The wait is in ms, or asked for each time. Runs never overlap. */
export async function every (clock: Clock, wait: number | (() => number), task: (options: AbortOptions) => void | Promise<void>, { signal, onError }: EveryOptions): Promise<void> {
  const stopped = (): boolean => signal.aborted
  while (!stopped()) {
    try { await clock.sleep(typeof wait === 'number' ? wait : wait(), { signal }) } catch { return }
    try { await task({ signal }) } catch (error) { if (!stopped()) onError(error) }
  }
}
