/** Limits how long an answer may take. */
import type { AbortOptions, Clock } from '../component.ts'

/** Ms that a member has to answer a call of a broadcast (behaviour.md §11). */
export const answerTimeout = 15_000

/** Nobody answered in time. The text is the one Go gives. */
export class DeadlineError extends Error {
  override name = 'DeadlineError'
  constructor () { super('context deadline exceeded') }
}

/** The task's result, or DeadlineError after `ms`; the task's signal then fires. */
export async function within<T> (clock: Clock, ms: number, { signal }: AbortOptions, task: (options: { readonly signal: AbortSignal }) => Promise<T>): Promise<T> {
  const ended = new AbortController()
  const expired = new AbortController()
  const { promise, reject } = Promise.withResolvers<never>()
  const stopWaiting = signal === undefined ? ended.signal : AbortSignal.any([ended.signal, signal])
  const timer = clock.sleep(ms, { signal: stopWaiting }).then(() => {
    const error = new DeadlineError()
    expired.abort(error)
    reject(error)
  }, () => { if (signal?.aborted === true) reject(signal.reason as Error) })
  try {
    const options = { signal: signal === undefined ? expired.signal : AbortSignal.any([expired.signal, signal]) }
    return await Promise.race([task(options), promise])
  } finally {
    ended.abort()
    await timer
  }
}
