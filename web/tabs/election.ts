/** One tab of a profile runs the peer: the one that holds the lock. The browser hands it on when that tab is gone, however it went. */

export interface Election {
  /** Fires when this tab has become the leader, at once or later. */
  readonly elected: Promise<void>
  /** Whether the lock was free; settles soon. */
  readonly immediate: Promise<boolean>
  /** Gives the lock back, or stops waiting for it. */
  readonly resign: () => void
}

export function elect (lock: string, locks: Pick<LockManager, 'request'> = navigator.locks): Election {
  const elected = Promise.withResolvers<void>()
  const immediate = Promise.withResolvers<boolean>()
  const resigned = Promise.withResolvers<void>()
  const waiting = new AbortController()
  const hold = async (): Promise<void> => {
    immediate.resolve(true)
    elected.resolve()
    await resigned.promise
  }
  const run = async (): Promise<void> => {
    const got = await locks.request(lock, { ifAvailable: true }, async (held) => {
      if (held === null) return false
      await hold()
      return true
    })
    if (got || waiting.signal.aborted) return
    immediate.resolve(false)
    await locks.request(lock, { signal: waiting.signal }, hold)
  }
  run().catch((error: unknown) => {
    immediate.reject(error)
    elected.reject(error)
  })
  // Who resigns has no use for the outcome.
  elected.promise.catch(() => {})
  immediate.promise.catch(() => {})
  return {
    elected: elected.promise,
    immediate: immediate.promise,
    resign: () => {
      resigned.resolve()
      waiting.abort(new Error('no longer a candidate'))
    }
  }
}
