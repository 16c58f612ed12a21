/** Finds records whose bytes are damaged, and makes those of single keys anew of the blocks that speak of them. */
import type { Layout } from './layout.ts'
import type { DeltaBlock } from '../../crdt/block.ts'
import type { KeyState } from '../../crdt/set.ts'
import type { Store, StoreOperation } from '../../store/store.ts'
import { equals } from 'multiformats/bytes'
import { readBlock } from '../../crdt/block.ts'
import { mergeBlocks } from '../../crdt/merge.ts'
import { unknownKey } from '../../crdt/set.ts'
import { prefixRange } from '../../store/store.ts'
import { blockOrder, placeId } from './block-order.ts'
import { applyChange, noEffects, type Effects } from './changes.ts'
import { readRecord } from './record.ts'
import { listedOf, pinOf } from './view.ts'

/** Keys whose record cannot be read, or lists something else than its value says. */
export async function damagedKeys (store: Store, layout: Layout): Promise<ReadonlySet<string>> {
  const keys = new Set<string>()
  for await (const chunk of store.entries(prefixRange(layout.records))) {
    for (const [name, bytes] of chunk) {
      const key = name.slice(layout.records.length - 1)
      if (!isSound(key, bytes)) keys.add(key)
    }
  }
  return keys
}

function isSound (key: string, bytes: Uint8Array): boolean {
  const record = readRecord(bytes)
  if (record === undefined) return false
  const pin = pinOf(key, record.winner.value)
  if (pin === undefined || record.listed === undefined) return pin === undefined && record.listed === undefined
  const { type, line } = listedOf(pin)
  return type === record.listed.type && equals(line, record.listed.line)
}

export interface Healed {
  readonly effects: Effects
  /** Blocks are missing or damaged: something may be left out. */
  readonly incomplete: boolean
}

/** What the records of these keys are to be, with the counters' changes. Reads every block. */
export async function healKeys (store: Store, layout: Layout, keys: ReadonlySet<string>): Promise<Healed> {
  const { blocks, incomplete } = await blocksOf(store, layout, keys)
  const own = new Set(blocks.map(({ id }) => id))
  const named = [...new Set(blocks.flatMap(({ delta }) => delta.tombstones.map(({ id }) => id)))].filter((id) => !own.has(id))
  const others = new Set(named.filter(await among(store, layout, named)))
  const states = new Map<string, KeyState>([...keys].map((key) => [key, unknownKey]))
  const changes = mergeBlocks(states, blocks, (id) => others.has(id))
  const effects = noEffects()
  for (const key of keys) {
    effects.early -= await forget(store, layout, key, effects.operations)
    // Whatever it was, it was counted as a pin: values that are none come from broken writers only.
    if (await store.has(layout.record(key))) effects.pins--
    effects.operations.push({ type: 'del', key: layout.record(key) })
    const change = changes.get(key)
    if (change !== undefined) applyChange(effects, key, { before: unknownKey, after: change.after }, { layout, records: new Map(), merged: own, known: () => undefined, listed: () => undefined })
  }
  return { effects, incomplete }
}

async function among (store: Store, layout: Layout, ids: readonly string[]): Promise<(id: string, at: number) => boolean> {
  const found = ids.length === 0 ? [] : await store.hasMany(ids.map(layout.block))
  return (_, at) => found[at] === true
}

/** Blocks that change one of the keys, parents first; of them only these changes. */
async function blocksOf (store: Store, layout: Layout, keys: ReadonlySet<string>): Promise<{ readonly blocks: readonly DeltaBlock[], readonly incomplete: boolean }> {
  const blocks: DeltaBlock[] = []
  let incomplete = false
  for await (const places of blockOrder(store, layout)) {
    for (const bytes of await store.getMany(places.map((place) => layout.block(placeId(place))))) {
      const block = bytes === undefined ? undefined : blockIn(bytes)
      if (block === undefined) {
        incomplete = true
        continue
      }
      const elements = block.delta.elements.filter(({ key }) => keys.has(key))
      const tombstones = block.delta.tombstones.filter(({ key }) => keys.has(key))
      if (elements.length + tombstones.length > 0) blocks.push({ ...block, bytes: new Uint8Array(0), delta: { ...block.delta, elements, tombstones } })
    }
  }
  return { blocks, incomplete }
}

function blockIn (bytes: Uint8Array): DeltaBlock | undefined {
  try { return readBlock(bytes) } catch { return undefined }
}

/** Removes the losers and early tombstones of a key; resolves with the number of the latter. */
async function forget (store: Store, layout: Layout, key: string, operations: StoreOperation[]): Promise<number> {
  let early = 0
  for (const [prefix, count] of [[layout.elements(key), 0], [layout.tombstone(key, '/'), 1]] as const) {
    for await (const names of store.keys(prefixRange(prefix))) {
      for (const name of names) operations.push({ type: 'del', key: name })
      early += names.length * count
    }
  }
  return early
}
