/** The pins of the embedded IPFS: one record for each root, its value the depth. What lies below a root is found by walking, not recorded: a pin costs one write. */
import { prefixRange } from '../store/store.ts'
import { CID } from 'multiformats/cid'
import type { AbortOptions } from '../component.ts'
import type { Store } from '../store/store.ts'

const prefix = 'pin/'
const keyOf = (cid: CID): string => `${prefix}${cid}`

/** Depth as decimal text: -1 recursive, 0 direct, more for limited depth. A damaged record keeps everything: what is below may be the only copy. */
function decodeDepth (value: Uint8Array): number {
  const text = new TextDecoder().decode(value)
  return /^-?\d{1,9}$/.test(text) ? Number(text) : -1
}

function cidOf (key: string): CID | undefined {
  try { return CID.parse(key.slice(prefix.length)) } catch { return undefined }
}

export interface PinRecord { readonly cid: CID, readonly maxDepth: number }

export class PinRecords {
  readonly #store: Store
  /** Keys of what may be recorded; undefined until they are read. */
  #keys: Set<string> | undefined

  constructor (store: Store) { this.#store = store }

  /** Reads which roots are recorded, so that `mayHave` can tell. How many there are. */
  async load (options: AbortOptions = {}): Promise<number> {
    const keys = new Set<string>()
    for await (const chunk of this.#store.keys({ ...prefixRange(prefix), signal: options.signal })) for (const key of chunk) keys.add(key)
    this.#keys = keys
    return keys.size
  }

  /** False only where there is certainly no record, told without asking the store. */
  mayHave (cid: CID): boolean { return this.#keys?.has(keyOf(cid)) ?? true }

  /** The depth a CID is pinned to; undefined where it is not. */
  async get (cid: CID): Promise<number | undefined> {
    const value = await this.#store.get(keyOf(cid))
    return value === undefined ? undefined : decodeDepth(value)
  }

  async put (cid: CID, maxDepth: number): Promise<void> {
    this.#keys?.add(keyOf(cid))
    await this.#store.batch([{ type: 'put', key: keyOf(cid), value: new TextEncoder().encode(String(maxDepth)) }])
  }

  /** True when there was a record. Where there is certainly none, the store is not asked. */
  async delete (cid: CID): Promise<boolean> {
    if (!this.mayHave(cid) || await this.get(cid) === undefined) return false
    await this.#store.batch([{ type: 'del', key: keyOf(cid) }])
    return true
  }

  /** In the order of their CIDs' texts; `after` is where an earlier listing ended. */
  async * all ({ after, signal }: AbortOptions & { readonly after?: string | undefined } = {}): AsyncGenerator<PinRecord> {
    const { gte, lt } = prefixRange(prefix)
    for await (const chunk of this.#store.entries({ lt, signal, ...after === undefined ? { gte } : { gt: prefix + after } })) {
      for (const [key, value] of chunk) {
        const cid = cidOf(key)
        if (cid !== undefined) yield { cid, maxDepth: decodeDepth(value) }
      }
    }
  }
}
