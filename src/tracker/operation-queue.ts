/** What waits for a worker: first in, first out, priority first (behaviour.md §5). */

/** Grows and shrinks at its ends in constant time. */
class Fifo<T> {
  #items: T[] = []
  #head = 0

  get size (): number { return this.#items.length - this.#head }

  push (item: T): void { this.#items.push(item) }

  shift (): T | undefined {
    const item = this.#items[this.#head]
    if (this.#head < this.#items.length) this.#head++
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }
}

/** Two bounded queues that workers share; the priority one is emptied first. */
export class OperationQueue<T> {
  readonly #limit: number
  readonly #priority = new Fifo<T>()
  readonly #normal = new Fifo<T>()
  readonly #waiting = new Set<(item: T) => void>()

  /** `limit`: items that each of the two queues may hold. */
  constructor (limit: number) { this.#limit = limit }

  /** False when the queue is full. */
  push (item: T, priority = false): boolean {
    for (const wake of this.#waiting) {
      this.#waiting.delete(wake)
      wake(item)
      return true
    }
    const queue = priority ? this.#priority : this.#normal
    if (queue.size >= this.#limit) return false
    queue.push(item)
    return true
  }

  /** The next item, or undefined once the signal fires. */
  async take (signal: AbortSignal): Promise<T | undefined> {
    if (signal.aborted) return undefined
    const next = this.#priority.shift() ?? this.#normal.shift()
    if (next !== undefined) return next
    const { promise, resolve } = Promise.withResolvers<T | undefined>()
    const onAbort = (): void => { this.#waiting.delete(resolve); resolve(undefined) }
    this.#waiting.add(resolve)
    signal.addEventListener('abort', onAbort, { once: true })
    try { return await promise } finally { signal.removeEventListener('abort', onAbort) }
  }
}
