/** Joins the listings of all peers by CID without holding them: they come in the order of keys (behaviour.md §11). */
import { isAuthorizationError } from './errors.ts'
import type { PeerId } from '@libp2p/interface'

/** What one peer says of one pin; `key` is the pin's (`cidKey`). */
export interface Keyed { readonly key: string }

export interface Listing<T extends Keyed> {
  readonly peer: PeerId
  /** In chunks. */
  readonly items: AsyncIterable<readonly T[]>
  /** False: it comes in any order and is held until it is complete. */
  readonly sorted: boolean
  /** Items that are held when it is not sorted; a peer with more is not believed. */
  readonly limit: number
}

export type Answers<T> = ReadonlyArray<readonly [peer: PeerId, item: T]>

export interface MergeOptions<T extends Keyed, R> {
  /** One answer from what peers say of one CID (never nothing) and from the peers whose listings failed. */
  readonly join: (answers: Answers<T>, failures: ReadonlyMap<PeerId, unknown>) => R
  /** A peer's listing failed; peers that do not let us ask are not told of. */
  readonly onFailure: (peer: PeerId, error: unknown) => void
}

/** Answers that are handed on together, at most. */
const chunkSize = 1000
const noFailures: ReadonlyMap<PeerId, unknown> = new Map()

/** One listing, at its current item. */
class Cursor<T extends Keyed> {
  readonly peer: PeerId
  readonly #chunks: AsyncIterator<readonly T[]>
  #chunk: readonly T[] = []
  #at = -1
  #last = ''

  constructor ({ peer, items, sorted, limit }: Listing<T>) {
    this.peer = peer
    this.#chunks = (sorted ? items : sortedByKey(items, limit))[Symbol.asyncIterator]()
  }

  get head (): T | undefined { return this.#chunk[this.#at] }

  /** Goes to the next item of what has come already; false where more must come first. */
  step (): boolean {
    this.#last = this.head?.key ?? this.#last
    this.#at++
    this.#check()
    return this.#at < this.#chunk.length
  }

  /** Waits for the next chunk, if there is one. */
  async load (): Promise<void> {
    this.#chunk = []
    this.#at = 0
    for (let next = await this.#chunks.next(); next.done !== true; next = await this.#chunks.next()) {
      if (next.value.length === 0) continue
      this.#chunk = next.value
      this.#check()
      return
    }
  }

  /** There is nothing more to say. */
  end (): void { this.#chunk = [] }

  async close (): Promise<void> { await this.#chunks.return?.() }

  #check (): void { if (this.head !== undefined && this.head.key <= this.#last) throw new Error('listing is not in order') }
}

/** Chunks of one answer per CID. A peer whose listing failed is in every answer from then on. Throws when no listing worked at all. */
export async function * mergeListings<T extends Keyed, R> (listings: ReadonlyArray<Listing<T>>, { join, onFailure }: MergeOptions<T, R>): AsyncGenerator<readonly R[]> {
  const [only] = listings
  if (only !== undefined && listings.length === 1) {
    // Nothing to join, and any order will do.
    for await (const chunk of only.items) yield chunk.map((item) => join([[only.peer, item]], noFailures))
    return
  }
  const cursors = listings.map((listing) => new Cursor(listing))
  const failures = new Map<PeerId, unknown>()
  const failed = (cursor: Cursor<T>, error: unknown): void => {
    cursor.end()
    if (isAuthorizationError(error)) return
    failures.set(cursor.peer, error)
    onFailure(cursor.peer, error)
  }
  const load = async (cursor: Cursor<T>): Promise<void> => { try { await cursor.load() } catch (error) { failed(cursor, error) } }
  const step = (cursor: Cursor<T>): boolean => {
    try {
      return cursor.step()
    } catch (error) {
      failed(cursor, error)
      return true
    }
  }
  try {
    await Promise.all(cursors.map(load))
    const [first] = failures.values()
    if (first !== undefined && failures.size === cursors.length) throw first
    let joined: R[] = []
    for (let here = lowest(cursors); here.length > 0; here = lowest(cursors)) {
      joined.push(join(here.flatMap(({ peer, head }) => head === undefined ? [] : [[peer, head] as const]), failures))
      const empty = here.filter((cursor) => !step(cursor))
      if (empty.length === 0 && joined.length < chunkSize) continue
      yield joined
      joined = []
      await Promise.all(empty.map(load))
    }
    if (joined.length > 0) yield joined
  } finally {
    await Promise.allSettled(cursors.map((cursor) => cursor.close()))
  }
}

/** The cursors at the lowest key. */
function lowest<T extends Keyed> (cursors: ReadonlyArray<Cursor<T>>): ReadonlyArray<Cursor<T>> {
  let key: string | undefined
  for (const { head } of cursors) if (head !== undefined && (key === undefined || head.key < key)) key = head.key
  return key === undefined ? [] : cursors.filter(({ head }) => head?.key === key)
}

/** All of them, then by key; the last of a CID counts. */
async function * sortedByKey<T extends Keyed> (chunks: AsyncIterable<readonly T[]>, limit: number): AsyncGenerator<readonly T[]> {
  const byKey = new Map<string, T>()
  for await (const chunk of chunks) {
    for (const item of chunk) byKey.set(item.key, item)
    if (byKey.size > limit) throw new Error(`listing of more than ${limit} pins`)
  }
  const keys = [...byKey.keys()].sort()
  for (let at = 0; at < keys.length; at += chunkSize) {
    const chunk: T[] = []
    for (const key of keys.slice(at, at + chunkSize)) {
      const item = byKey.get(key)
      byKey.delete(key)
      if (item !== undefined) chunk.push(item)
    }
    yield chunk
  }
}
