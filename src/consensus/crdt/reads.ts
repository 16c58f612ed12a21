/** What the pure core must know before it merges. */
import type { Layout } from './layout.ts'
import type { KeyRecord } from './record.ts'
import type { KeyState, LiveElement } from '../../crdt/set.ts'
import type { Store } from '../../store/store.ts'
import { unknownKey } from '../../crdt/set.ts'
import { DecodeError } from '../../errors.ts'
import { prefixRange } from '../../store/store.ts'
import { decodeElement, readRecord } from './record.ts'

/** What is read from the store before a merge. */
export type Reads = Pick<Store, 'getMany' | 'hasMany' | 'entries'>

/** Records of the store that cannot be read. */
export class DamagedRecordsError extends DecodeError {
  readonly keys: readonly string[]
  constructor (keys: readonly string[], options?: ErrorOptions) {
    super(`the store holds damaged records of ${keys.length} keys, the first one of ${keys[0] ?? ''}`, options)
    this.keys = keys
  }
}

export interface KeyReads {
  readonly records: ReadonlyMap<string, KeyRecord>
  /** Live losers are counted, and read where they had to be. */
  readonly states: Map<string, KeyState>
}

/** Records and states of these keys; with them the live losers of those that are about to lose elements. Throws DamagedRecordsError. */
export async function readKeys (store: Reads, layout: Layout, keys: readonly string[], losing: readonly string[]): Promise<KeyReads> {
  const found = await readRecords(store, layout, keys)
  await readOthers(store, layout, found.states, losing)
  return found
}

/** All in one read. Live losers are only counted. */
async function readRecords (store: Reads, layout: Layout, keys: readonly string[]): Promise<KeyReads> {
  const unique = [...new Set(keys)]
  const found = await store.getMany(unique.map(layout.record))
  const records = new Map<string, KeyRecord>()
  const states = new Map<string, KeyState>()
  const damaged: string[] = []
  for (const [at, key] of unique.entries()) {
    const bytes = found[at]
    if (bytes === undefined) {
      states.set(key, unknownKey)
      continue
    }
    const record = readRecord(bytes)
    if (record === undefined) {
      damaged.push(key)
      continue
    }
    records.set(key, record)
    states.set(key, { ...unknownKey, winner: record.winner, unread: record.others })
  }
  if (damaged.length > 0) throw new DamagedRecordsError(damaged)
  return { records, states }
}

/** Adds the live losers of keys that are about to lose elements. */
async function readOthers (store: Reads, layout: Layout, states: Map<string, KeyState>, keys: readonly string[]): Promise<void> {
  for (const key of new Set(keys)) {
    const state = states.get(key)
    if (state === undefined || state.unread === 0) continue
    const prefix = layout.elements(key)
    const others: LiveElement[] = []
    for await (const chunk of store.entries(prefixRange(prefix))) {
      try {
        for (const [name, bytes] of chunk) others.push(decodeElement(name.slice(prefix.length - 1), bytes))
      } catch (error) {
        throw new DamagedRecordsError([key], { cause: error })
      }
    }
    states.set(key, { ...state, others, unread: 0 })
  }
}

/** Adds the tombstones that are there before the elements that they name. */
export async function earlyTombstones (store: Reads, layout: Layout, states: Map<string, KeyState>, elements: ReadonlyArray<readonly [key: string, id: string]>): Promise<void> {
  const dead = await store.hasMany(elements.map(([key, id]) => layout.tombstone(key, id)))
  for (const [at, [key, id]] of elements.entries()) {
    const state = states.get(key)
    if (dead[at] === true && state !== undefined) states.set(key, { ...state, early: new Set([...state.early, id]) })
  }
}

/** Those of these blocks that are merged; `isKnown` spares look-ups. */
export async function mergedAmong (store: Reads, layout: Layout, ids: readonly string[], isKnown: (id: string) => boolean): Promise<ReadonlySet<string>> {
  const unique = [...new Set(ids)]
  const unknown = unique.filter((id) => !isKnown(id))
  const found = unknown.length === 0 ? [] : await store.hasMany(unknown.map(layout.block))
  const merged = new Set(unique.filter(isKnown))
  for (const [at, id] of unknown.entries()) if (found[at] === true) merged.add(id)
  return merged
}
