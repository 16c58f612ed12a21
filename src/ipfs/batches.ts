/** Groups what comes from a source while the taker is busy; the source waits when `limit` is reached. */

interface Buffered<T> { items: T[], size: number, ended: boolean, failure: { readonly error: unknown } | undefined }

/** Yields at once what is there, at least one item; never waits to fill a group. `sizeOf` and `limit` share a unit. */
export async function * batches<T> (source: AsyncIterable<T>, sizeOf: (item: T) => number, limit: number): AsyncGenerator<readonly T[]> {
  const iterator = source[Symbol.asyncIterator]()
  const state: Buffered<T> = { items: [], size: 0, ended: false, failure: undefined }
  let arrived = Promise.withResolvers<void>()
  let taken = Promise.withResolvers<void>()
  let stopped = false
  const pump = async (): Promise<void> => {
    try {
      while (!stopped) {
        const next = await iterator.next()
        if (next.done === true) break
        state.items.push(next.value)
        state.size += sizeOf(next.value)
        arrived.resolve()
        if (state.size >= limit) await taken.promise
      }
    } catch (error) {
      state.failure = { error }
    }
    state.ended = true
    arrived.resolve()
  }
  const pumping = pump()
  try {
    for (;;) {
      await arrived.promise
      const { items } = state
      if (items.length === 0 && state.ended) break
      state.items = []
      state.size = 0
      if (!state.ended) arrived = Promise.withResolvers<void>()
      taken.resolve()
      taken = Promise.withResolvers<void>()
      if (items.length > 0) yield items
    }
    if (state.failure !== undefined) throw state.failure.error
  } finally {
    stopped = true
    taken.resolve()
    // Not awaited when the source still owes an item: it may never come.
    if (state.ended) await pumping
    else await iterator.return?.()
  }
}
