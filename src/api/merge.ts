/** Runs `work` on all inputs, a few at a time; yields answers as they come. What failed is thrown after the rest has been yielded. */
export async function * merged<I, O> (inputs: Iterable<I>, work: (input: I) => Promise<O>, concurrency: number): AsyncGenerator<O> {
  const waiting = inputs[Symbol.iterator]()
  const running = new Map<number, Promise<{ readonly key: number, readonly value?: O, readonly error?: unknown }>>()
  const failures: unknown[] = []
  let key = 0
  for (;;) {
    while (running.size < concurrency) {
      const next = waiting.next()
      if (next.done === true) break
      const mine = key++
      running.set(mine, work(next.value).then((value) => ({ key: mine, value }), (error: unknown) => ({ key: mine, error })))
    }
    if (running.size === 0) break
    const settled = await Promise.race(running.values())
    running.delete(settled.key)
    if ('error' in settled) failures.push(settled.error)
    else yield settled.value as O
  }
  if (failures.length === 1) throw failures[0]
  if (failures.length > 1) throw new AggregateError(failures, failures.map((failure) => failure instanceof Error ? failure.message : String(failure)).join('; '))
}
