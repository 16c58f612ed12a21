/** Merging a group of blocks at once. Pure: what was read goes in, what changed comes out. */
import type { DeltaBlock } from './block.ts'
import { keyDeltas, mergeKey, unknownKey, type KeyState } from './set.ts'

export interface KeyChange { readonly before: KeyState, readonly after: KeyState }

/**
 * What the blocks, merged in this order, do to each key that they touch. `states` holds what is known of these keys before,
 * `isMerged` the blocks merged before. Blocks must not have been merged yet.
 */
export function mergeBlocks (states: ReadonlyMap<string, KeyState>, blocks: readonly DeltaBlock[], isMerged: (id: string) => boolean): ReadonlyMap<string, KeyChange> {
  const changes = new Map<string, KeyChange>()
  const merged = new Set<string>()
  for (const block of blocks) {
    for (const [key, delta] of keyDeltas(block)) {
      const change = changes.get(key)
      const before = change?.before ?? states.get(key) ?? unknownKey
      changes.set(key, { before, after: mergeKey(change?.after ?? before, delta, (id) => merged.has(id) || isMerged(id)) })
    }
    merged.add(block.id)
  }
  return changes
}

/** Lower blocks first, so that elements come before their tombstones. */
export const parentsFirst = (blocks: readonly DeltaBlock[]): readonly DeltaBlock[] => blocks.toSorted((one, other) => one.delta.priority - other.delta.priority)
