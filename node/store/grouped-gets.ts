/** Reads that are asked for while others run share the next one: a read of many costs hardly more than a read of one, and wakes one thread. */
interface Waiting<K, V> { readonly key: K, readonly resolve: (value: V) => void, readonly reject: (error: unknown) => void }

/** Reads under way at the same time: one that waits for the disk does not hold up all. */
const maxRunning = 3
const maxGroup = 1000

export class GroupedGets<K, V> {
  readonly #getMany: (keys: K[]) => Promise<readonly V[]>
  #waiting: Array<Waiting<K, V>> = []
  #running = 0

  /** `getMany`: one value for each key, in order. */
  constructor (getMany: (keys: K[]) => Promise<readonly V[]>) { this.#getMany = getMany }

  async get (key: K): Promise<V> {
    const { promise, resolve, reject } = Promise.withResolvers<V>()
    this.#waiting.push({ key, resolve, reject })
    this.#next()
    return await promise
  }

  #next (): void {
    if (this.#running >= maxRunning || this.#waiting.length === 0) return
    const group = this.#waiting.splice(0, maxGroup)
    this.#running++
    void this.#read(group).finally(() => {
      this.#running--
      this.#next()
    })
  }

  async #read (group: ReadonlyArray<Waiting<K, V>>): Promise<void> {
    try {
      const values = await this.#getMany(group.map(({ key }) => key))
      for (const [at, { resolve }] of group.entries()) resolve(values[at] as V)
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
}
