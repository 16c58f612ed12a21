/** A queue between a writer and a reader: the writer waits while it holds `limit` or more. */
export class Channel<T> implements AsyncIterable<T> {
  readonly #sizeOf: (item: T) => number
  readonly #limit: number
  readonly #items: T[] = []
  #held = 0
  #end: { readonly error?: unknown } | undefined
  #arrived = Promise.withResolvers<void>()
  #taken = Promise.withResolvers<void>()

  /** `sizeOf` and `limit` share a unit. @default one for each item */
  constructor (limit: number, sizeOf: (item: T) => number = () => 1) {
    this.#limit = limit
    this.#sizeOf = sizeOf
  }

  /** True once nothing more will be read. */
  get ended (): boolean { return this.#end !== undefined }

  /** True while a writer would have to wait. */
  get full (): boolean { return this.#held >= this.#limit }

  /** Resolves when there is room for the next one, or nobody reads any more. */
  async push (item: T): Promise<void> {
    if (this.#end !== undefined) return
    this.#items.push(item)
    this.#held += this.#sizeOf(item)
    this.#arrived.resolve()
    while (this.#held >= this.#limit && this.#end === undefined) await this.#taken.promise
  }

  /** The reader gets what is left, then the end, or the error. */
  end (...error: [] | [error: unknown]): void {
    this.#end ??= error.length === 0 ? {} : { error: error[0] }
    this.#arrived.resolve()
    this.#taken.resolve()
  }

  async * [Symbol.asyncIterator] (): AsyncGenerator<T> {
    try {
      for (;;) {
        const item = this.#items.shift()
        if (item !== undefined) {
          this.#held -= this.#sizeOf(item)
          this.#taken.resolve()
          this.#taken = Promise.withResolvers<void>()
          yield item
        } else if (this.#end !== undefined) {
          if ('error' in this.#end) throw this.#end.error
          return
        } else {
          this.#arrived = Promise.withResolvers<void>()
          await this.#arrived.promise
        }
      }
    } finally {
      this.end()
      this.#items.length = 0
    }
  }
}
