/** Keeps garbage collection away from blocks that pins in progress and new blocks need, without stopping either. */

export interface Protection {
  /** This block is needed from now on. */
  readonly visited: (key: string) => void
  readonly done: () => void
}

export interface Sweep {
  readonly keep: (key: string) => void
  /** Removes unless the block is needed; false where it was kept or not there. */
  readonly remove: (key: string, remove: () => Promise<boolean>) => Promise<boolean>
  readonly end: () => void
}

export class GcGuard {
  readonly #walks = new Set<Set<string>>()
  readonly #sweeps = new Set<Set<string>>()
  readonly #removing = new Map<string, Promise<boolean>>()

  /** For one pin, until `done`. */
  protect (): Protection {
    const keys = new Set<string>()
    this.#walks.add(keys)
    return {
      visited: (key) => {
        keys.add(key)
        this.visited(key)
      },
      done: () => { this.#walks.delete(keys) }
    }
  }

  /** A sweep that runs now leaves this block alone. */
  visited (key: string): void { for (const kept of this.#sweeps) kept.add(key) }

  /** Resolves when a removal of this block that has begun is over. */
  async deleted (key: string): Promise<void> { await this.#removing.get(key)?.catch(() => {}) }

  beginSweep (): Sweep {
    const kept = new Set<string>([...this.#walks].flatMap((keys) => [...keys]))
    this.#sweeps.add(kept)
    return {
      keep: (key) => { kept.add(key) },
      remove: async (key, remove) => {
        if (kept.has(key)) return false
        const removing = remove()
        this.#removing.set(key, removing)
        try { return await removing } finally { this.#removing.delete(key) }
      },
      end: () => { this.#sweeps.delete(kept) }
    }
  }
}
