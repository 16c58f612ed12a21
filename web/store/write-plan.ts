/** What one transaction over the blocks does, decided change by change. */
import { StorageFullError } from '../../src/ipfs/errors.ts'
import { tight } from './database.ts'
import type { CID } from 'multiformats/cid'

/** `check`: removes the block if it is broken. */
export type Change =
  | { readonly type: 'put', readonly key: string, readonly bytes: Uint8Array }
  | { readonly type: 'delete', readonly key: string }
  | { readonly type: 'check', readonly key: string, readonly cid: CID }

/** What became of a change: true where it did something; an error where there was no room. */
export type Outcome = boolean | StorageFullError

const sizeOf = (storedKey: string): number => Number(storedKey.slice(storedKey.indexOf('.') + 1))

export class WritePlan {
  readonly #blocks: IDBObjectStore
  readonly #there: Map<string, string | undefined>
  readonly #limit: number
  #used: number

  /** `there`: the stored keys of all blocks that will be named; `used` and `limit` in bytes. */
  constructor (blocks: IDBObjectStore, there: Map<string, string | undefined>, used: number, limit: number) {
    this.#blocks = blocks
    this.#there = there
    this.#used = used
    this.#limit = limit
  }

  get used (): number { return this.#used }

  /** In their order; the blocks of `broken` keys make way first. */
  carryOut (changes: readonly Change[], broken: ReadonlySet<string>): readonly Outcome[] {
    for (const key of broken) this.#remove(key)
    return changes.map((change) => {
      switch (change.type) {
        case 'put': return this.#put(change.key, change.bytes)
        case 'delete': return this.#remove(change.key)
        case 'check': return broken.has(change.key)
      }
    })
  }

  /** A block that is there already stays as it is. */
  #put (key: string, bytes: Uint8Array): Outcome {
    if (this.#there.get(key) !== undefined) return false
    if (this.#used + bytes.length > this.#limit) return new StorageFullError(BigInt(this.#used), BigInt(Math.floor(this.#limit)))
    const storedKey = `${key}.${bytes.length}`
    this.#blocks.put(tight(bytes), storedKey)
    this.#there.set(key, storedKey)
    this.#used += bytes.length
    return true
  }

  #remove (key: string): boolean {
    const storedKey = this.#there.get(key)
    if (storedKey === undefined) return false
    this.#blocks.delete(storedKey)
    this.#there.set(key, undefined)
    this.#used -= sizeOf(storedKey)
    return true
  }
}
