/** Each tab that asks holds a lock of its own while it lives: the tab that answers learns that it is gone, however it went. */

type Locks = Pick<LockManager, 'request'>

const lockOf = (tab: string): string => `pinswarm-tab-${tab}`

/** Holds the lock of this tab; the promise resolves once it does, and gives back how to let go. */
export async function beThere (tab: string, locks: Locks = navigator.locks): Promise<() => void> {
  const held = Promise.withResolvers<void>()
  const over = Promise.withResolvers<void>()
  locks.request(lockOf(tab), async () => {
    held.resolve()
    await over.promise
  }).catch((error: unknown) => { held.reject(error) })
  await held.promise
  return () => { over.resolve() }
}

/** Resolves once the tab is gone; rejects when the signal fires first. */
export async function untilGone (tab: string, signal: AbortSignal, locks: Locks = navigator.locks): Promise<void> {
  await locks.request(lockOf(tab), { signal, mode: 'shared' }, () => {})
}
