/** Group commit: what comes while a turn is under way shares the next one. Transactions cost more than what is in them. */

interface Waiting<Item, Result> {
  readonly item: Item
  readonly size: number
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

export class Groups<Item, Result> {
  readonly #run: (items: readonly Item[]) => Promise<readonly Result[]>
  readonly #limit: number
  readonly #waiting: Array<Waiting<Item, Result>> = []
  #working: Promise<void> | undefined

  /** `run` gives one result for each item, in order; `limit` bounds the sizes of one group, whose first item may be bigger. */
  constructor (run: (items: readonly Item[]) => Promise<readonly Result[]>, limit: number) {
    this.#run = run
    this.#limit = limit
  }

  /** Items run in the order in which they are added; the size is in the unit of the limit. */
  async add (item: Item, size: number): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    this.#waiting.push({ item, size, resolve, reject })
    this.#working ??= this.#drain()
    return await promise
  }

  /** Resolves when nothing waits or runs. */
  async idle (): Promise<void> { await this.#working }

  async #drain (): Promise<void> {
    // Whoever adds in the same turn of the event loop goes along with the first.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      let size = 0
      const end = this.#waiting.findIndex((waiting) => (size += waiting.size) > this.#limit)
      await this.#settle(this.#waiting.splice(0, end < 0 ? this.#waiting.length : Math.max(1, end)))
    }
    this.#working = undefined // in the same step as the last look at the queue
  }

  /** An item that fails takes none of those along that shared its group. */
  async #settle (group: ReadonlyArray<Waiting<Item, Result>>): Promise<void> {
    try {
      const results = await this.#run(group.map(({ item }) => item))
      for (const [index, { resolve }] of group.entries()) resolve(results[index] as Result)
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error)
      else for (const waiting of group) await this.#settle([waiting])
    }
  }
}
