/** Random histories of several authors, honest or not. */
import type { DeltaBlock } from '../../src/crdt/block.ts'
import { encodeBlock } from '../../src/crdt/block.ts'
import { encodePin } from '../../src/pin/pin-proto.ts'
import { cidKey, multihashKey } from '../../src/pin/keys.ts'
import { testPin } from '../contract/consensus.ts'
import { testCid } from '../contract/values.ts'
import { Model } from './model.ts'

export const below = (random: () => number, end: number): number => Math.floor(random() * end)
export const pick = <T>(random: () => number, items: readonly T[]): T => items[below(random, items.length)] as T
export function shuffled<T> (random: () => number, items: readonly T[]): T[] {
  const order = [...items]
  for (let at = order.length - 1; at > 0; at--) {
    const other = below(random, at + 1);
    [order[at], order[other]] = [order[other] as T, order[at] as T]
  }
  return order
}

export const keyOf = (number: number): string => cidKey(testCid(number))
export const valueOf = (number: number, name: string): Uint8Array => encodePin(testPin(number, { name }))

/** Blocks that honest authors write while they hear of each other now and then; in the order written. */
export function honestHistory (random: () => number, { authors = 3, steps = 40, keys = 5 } = {}): DeltaBlock[] {
  const replicas = Array.from({ length: authors }, () => new Model())
  const written: DeltaBlock[] = []
  const all = new Map<string, DeltaBlock>()
  for (let step = 0; step < steps; step++) {
    const replica = pick(random, replicas)
    if (random() < 0.4 && written.length > 0) {
      replica.receive(pick(random, written).cid, all)
      continue
    }
    const operations = Array.from({ length: 1 + below(random, 3) }, () => {
      const key = below(random, keys)
      return random() < 0.35 ? [keyOf(key)] as const : [keyOf(key), valueOf(key, `name ${below(random, 4)}`)] as const
    })
    const block = replica.commit(operations)
    if (block === undefined || all.has(block.id)) continue // two authors may write the very same block
    written.push(block)
    all.set(block.id, block)
  }
  return written
}

/** Blocks that no honest author writes: a key twice in one delta, tombstones for what is not there, heights that are wrong. */
export function wildHistory (random: () => number, { blocks = 25, keys = 3 } = {}): DeltaBlock[] {
  const written: DeltaBlock[] = []
  for (let count = 0; count < blocks; count++) {
    const links = shuffled(random, written).slice(0, below(random, 3)).map(({ cid }) => cid)
    const elements = Array.from({ length: below(random, 4) }, () => {
      const key = below(random, keys)
      return { key: keyOf(key), value: valueOf(key, `name ${below(random, 5)}`) }
    })
    const tombstones = Array.from({ length: below(random, 3) }, () => ({
      key: keyOf(below(random, keys)),
      id: written.length > 0 && random() < 0.9 ? pick(random, written).id : multihashKey(testCid(1000 + below(random, 3)))
    }))
    const block = encodeBlock({ elements, tombstones, priority: 1 + below(random, 4) }, links)
    if (!written.some(({ id }) => id === block.id)) written.push(block)
  }
  return written
}
