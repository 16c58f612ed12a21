import type { Clock } from '../../component.ts'

/** Runs `work` with a signal that fires after `ms` by this clock, or with `outer`. */
export async function withDeadline<T> (clock: Clock, ms: number, outer: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = new AbortController()
  const done = new AbortController()
  const timer = clock.sleep(ms, { signal: AbortSignal.any([done.signal, outer]) }).then(() => { deadline.abort(new Error(`no answer within ${ms} ms`)) }, () => {})
  try {
    return await work(AbortSignal.any([deadline.signal, outer]))
  } finally {
    done.abort()
    await timer
  }
}
