/** What a member has of the DAG, told in little: compared with what another one has, it shows where they differ. */
import type { Place } from './block-order.ts'
import { placeHash, placePriority } from './block-order.ts'
import { hashLength, maxRanges, type RangeSummary } from './sync-frames.ts'

interface Sum { blocks: number, hash: Uint8Array }

const newSum = (): Sum => ({ blocks: 0, hash: new Uint8Array(hashLength) })

function add (sum: Sum, place: Place): void {
  const hash = placeHash(place)
  for (let at = 0; at < hashLength; at++) sum.hash[at] = (sum.hash[at] ?? 0) ^ (hash[at] ?? 0)
  sum.blocks++
}

/** The blocks in about equal ranges; blocks of one priority are never in two. */
export async function summarize (order: AsyncIterable<readonly Place[]>, blocks: number): Promise<readonly RangeSummary[]> {
  const most = Math.max(1, Math.ceil(blocks / (maxRanges / 2)))
  const ranges: RangeSummary[] = []
  let sum = newSum()
  let upTo = -1
  for await (const places of order) {
    for (const place of places) {
      const priority = placePriority(place)
      if (priority !== upTo && sum.blocks >= most && ranges.length < maxRanges - 1) {
        ranges.push({ upTo, ...sum })
        sum = newSum()
      }
      upTo = priority
      add(sum, place)
    }
  }
  return sum.blocks === 0 ? ranges : [...ranges, { upTo, ...sum }]
}

/** A part of the DAG by priority, both ends included. */
export interface PriorityRange { readonly from: number, readonly upTo: number }

export interface Difference { readonly ranges: readonly PriorityRange[], readonly blocks: number }

/** The ranges in which the other one's blocks are not the same as those in this order, and how many are there. */
export async function difference (order: AsyncIterable<readonly Place[]>, theirs: readonly RangeSummary[]): Promise<Difference> {
  const all = [...theirs, { upTo: Number.MAX_SAFE_INTEGER, ...newSum() }]
  const sums = all.map(newSum)
  let at = 0
  for await (const places of order) {
    for (const place of places) {
      const priority = placePriority(place)
      while (at < all.length - 1 && priority > (all[at]?.upTo ?? 0)) at++
      const sum = sums[at]
      if (sum !== undefined) add(sum, place)
    }
  }
  const ranges: PriorityRange[] = []
  let blocks = 0
  for (const [index, { upTo, ...their }] of all.entries()) {
    const ours = sums[index] ?? newSum()
    if (ours.blocks === 0 || (ours.blocks === their.blocks && ours.hash.every((byte, position) => byte === their.hash[position]))) continue
    ranges.push({ from: (all[index - 1]?.upTo ?? -1) + 1, upTo })
    blocks += ours.blocks
  }
  return { ranges, blocks }
}
