/** Joins the listings of all peers by CID without holding them: they come in the order of keys (behaviour.md §11). */
import { errorText } from '../component.ts'
import { cidKey } from '../pin/keys.ts'
import type { GlobalPinInfo, PinInfo } from '../pin/pin-info.ts'
import type { PingValue } from '../monitor/metric.ts'
import { isAuthorizationError } from './errors.ts'
import { GlobalInfoBuilder, globalOf, standInInfo } from './pin-infos.ts'
import type { PeerId } from '@libp2p/interface'

export interface Listing {
  readonly peer: PeerId
  readonly infos: AsyncIterable<PinInfo>
  /** False: it comes in any order and is held until it is complete. */
  readonly sorted: boolean
  /** Items that are held when it is not sorted; a peer with more is not believed. */
  readonly limit: number
}

export interface MergeOptions {
  readonly latestPing: (peer: PeerId) => PingValue | undefined
  readonly now: () => number
  /** A peer's listing failed; peers that do not let us ask are not told of. */
  readonly onFailure: (peer: PeerId, error: unknown) => void
}

/** One listing, at its current item. */
class Cursor {
  readonly peer: PeerId
  readonly #items: AsyncIterator<PinInfo>
  #head: { readonly key: string, readonly info: PinInfo } | undefined

  constructor ({ peer, infos, sorted, limit }: Listing) {
    this.peer = peer
    this.#items = (sorted ? infos : sortedByKey(infos, limit))[Symbol.asyncIterator]()
  }

  get head (): { readonly key: string, readonly info: PinInfo } | undefined { return this.#head }

  async advance (): Promise<void> {
    const last = this.#head?.key ?? ''
    this.#head = undefined
    const next = await this.#items.next()
    if (next.done === true) return
    const key = cidKey(next.value.cid)
    if (key <= last) throw new Error('listing is not in order')
    this.#head = { key, info: next.value }
  }

  async close (): Promise<void> { await this.#items.return?.() }
}

/** Of one peer: nothing to join, and any order will do. */
async function * onlyListing ({ infos }: Listing): AsyncGenerator<GlobalPinInfo> {
  for await (const info of infos) yield globalOf(info)
}

/** One answer per CID. A peer whose listing failed is in every answer from then on, as `cluster_error`. Throws when no listing worked at all. */
export async function * mergeListings (listings: readonly Listing[], options: MergeOptions): AsyncGenerator<GlobalPinInfo> {
  const [only] = listings
  if (only !== undefined && listings.length === 1) {
    yield * onlyListing(only)
    return
  }
  const cursors = listings.map((listing) => new Cursor(listing))
  const failures = new Map<PeerId, unknown>()
  const advance = async (cursor: Cursor): Promise<void> => {
    try {
      await cursor.advance()
    } catch (error) {
      if (isAuthorizationError(error)) return
      failures.set(cursor.peer, error)
      options.onFailure(cursor.peer, error)
    }
  }
  try {
    await Promise.all(cursors.map(advance))
    const [first] = failures.values()
    if (first !== undefined && failures.size === cursors.length) throw first
    for (;;) {
      const key = lowestKey(cursors)
      if (key === undefined) return
      const here = cursors.filter(({ head }) => head?.key === key)
      yield joined(here, failures, options)
      await Promise.all(here.map(advance))
    }
  } finally {
    await Promise.allSettled(cursors.map((cursor) => cursor.close()))
  }
}

function lowestKey (cursors: readonly Cursor[]): string | undefined {
  let lowest: string | undefined
  for (const { head } of cursors) if (head !== undefined && (lowest === undefined || head.key < lowest)) lowest = head.key
  return lowest
}

function joined (cursors: readonly Cursor[], failures: ReadonlyMap<PeerId, unknown>, { latestPing, now }: MergeOptions): GlobalPinInfo {
  const infos = cursors.flatMap(({ head }) => head?.info ?? [])
  const [first] = infos
  if (first === undefined) throw new Error('nothing to join')
  const builder = new GlobalInfoBuilder()
  for (const info of infos) builder.add(info)
  for (const [peer, error] of failures) builder.add(standInInfo(first.cid, { peer, ping: latestPing(peer), status: 'cluster_error', error: errorText(error), now: now() }))
  return builder.build(first.cid, now())
}

/** All of them, then by key; the last of a CID counts. */
async function * sortedByKey (infos: AsyncIterable<PinInfo>, limit: number): AsyncGenerator<PinInfo> {
  const byKey = new Map<string, PinInfo>()
  for await (const info of infos) {
    byKey.set(cidKey(info.cid), info)
    if (byKey.size > limit) throw new Error(`listing of more than ${limit} pins`)
  }
  for (const key of [...byKey.keys()].sort()) {
    const info = byKey.get(key)
    byKey.delete(key)
    if (info !== undefined) yield info
  }
}
