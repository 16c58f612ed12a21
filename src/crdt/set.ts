/** The add-wins set behind the pinset (wire.md §3.5). Pure: takes what is known of a key and a change, returns what is known then. */
import type { DeltaBlock } from './block.ts'
import { compareBytes } from '../bytes.ts'

/** An element that no tombstone has taken away. */
export interface LiveElement {
  /** Id of the block that added it. */
  readonly id: string
  readonly priority: number
  readonly value: Uint8Array
}

export interface Winner extends LiveElement {
  /** The greatest value, when the block wrote the key more than once and another one of its values was taken. */
  readonly greatest?: Uint8Array | undefined
}

/** What is known of one key. The key is in the set when there is a winner. */
export interface KeyState {
  readonly winner: Winner | undefined
  /** Live elements that did not win. */
  readonly others: readonly LiveElement[]
  /** Number of further live losers that were not read; must be 0 when tombstones are merged. */
  readonly unread: number
  /** Ids whose tombstone came before their block. */
  readonly early: ReadonlySet<string>
}

/** What one block does to one key. */
export interface KeyDelta {
  readonly id: string
  readonly priority: number
  readonly tombstones: readonly string[]
  /** Values in the order of the block; honest authors write one. */
  readonly values: readonly Uint8Array[]
}

export const unknownKey: KeyState = { winner: undefined, others: [], unread: 0, early: new Set() }

/** Ids of the live elements that were read, the winner first. */
export const liveIdsOf = ({ winner, others }: KeyState): readonly string[] => [...(winner === undefined ? [] : [winner.id]), ...others.map(({ id }) => id)]

/** The block's changes by key, in the order the keys first occur: tombstones, then elements. */
export function keyDeltas ({ id, delta }: Pick<DeltaBlock, 'id' | 'delta'>): ReadonlyMap<string, KeyDelta> {
  const deltas = new Map<string, { readonly id: string, readonly priority: number, readonly tombstones: string[], readonly values: Uint8Array[] }>()
  const of = (key: string) => {
    const known = deltas.get(key)
    if (known !== undefined) return known
    const fresh = { id, priority: delta.priority, tombstones: [], values: [] }
    deltas.set(key, fresh)
    return fresh
  }
  for (const tombstone of delta.tombstones) of(tombstone.key).tombstones.push(tombstone.id)
  for (const element of delta.elements) of(element.key).values.push(element.value)
  return deltas
}

/** Merges one block's changes of a key. `isMerged` tells the blocks merged before: a tombstone for one of them cannot be early. */
export function mergeKey (state: KeyState, delta: KeyDelta, isMerged: (id: string) => boolean): KeyState {
  return addElement(removeElements(state, delta.tombstones, isMerged), delta)
}

/** The value to fall back on, when the choice is made again. */
const settled = ({ id, priority, value, greatest }: Winner): LiveElement => ({ id, priority, value: greatest ?? value })

function removeElements (state: KeyState, tombstones: readonly string[], isMerged: (id: string) => boolean): KeyState {
  if (tombstones.length === 0) return state
  if (state.unread > 0) throw new RangeError('tombstones need every live element of their key')
  const live = new Map(state.others.map((element) => [element.id, element]))
  if (state.winner !== undefined) live.set(state.winner.id, settled(state.winner))
  const early = new Set(state.early)
  for (const id of tombstones) if (!live.delete(id) && !isMerged(id)) early.add(id)
  const winner = best(live.values())
  if (winner !== undefined) live.delete(winner.id)
  return { winner, others: [...live.values()], unread: 0, early }
}

function addElement (state: KeyState, { id, priority, values }: KeyDelta): KeyState {
  const greatest = values.reduce<Uint8Array | undefined>((most, value) => most === undefined || compareBytes(most, value) < 0 ? value : most, undefined)
  if (greatest === undefined) return state
  if (state.early.has(id)) return { ...state, early: new Set([...state.early].filter((other) => other !== id)) }
  // Each value is compared with what was stored before the block, so the last that passes stays.
  const taken = values.findLast((value) => state.winner === undefined || beats(priority, value, state.winner))
  if (taken === undefined) return { ...state, others: [...state.others, { id, priority, value: greatest }] }
  return {
    ...state,
    winner: taken === greatest ? { id, priority, value: taken } : { id, priority, value: taken, greatest },
    others: state.winner === undefined ? state.others : [...state.others, settled(state.winner)]
  }
}

/** Higher priority wins; at equal priority the bytewise greater value. */
const beats = (priority: number, value: Uint8Array, than: LiveElement): boolean => priority > than.priority || (priority === than.priority && compareBytes(value, than.value) > 0)

function best (elements: Iterable<LiveElement>): LiveElement | undefined {
  let winner: LiveElement | undefined
  for (const element of elements) {
    if (winner === undefined || beats(element.priority, element.value, winner) || (element.priority === winner.priority && element.id < winner.id && compareBytes(element.value, winner.value) === 0)) winner = element
  }
  return winner
}
