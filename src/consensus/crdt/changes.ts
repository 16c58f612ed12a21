/** From what the core says changed to what the store writes and the peer is told. */
import type { Layout } from './layout.ts'
import type { KeyChange } from '../../crdt/merge.ts'
import type { LiveElement } from '../../crdt/set.ts'
import type { Pin } from '../../pin/pin.ts'
import type { StoreOperation } from '../../store/store.ts'
import type { CID } from 'multiformats/cid'
import { equals } from 'multiformats/bytes'
import { keyToCid } from '../../pin/keys.ts'
import { encodeElement, encodeRecord, type KeyRecord, type Listed } from './record.ts'
import { indexEntries, listedOf, pinOf } from './view.ts'

export type PinsetChange = { readonly kind: 'pinned', readonly pin: Pin } | { readonly kind: 'unpinned', readonly cid: CID }

export interface Effects {
  readonly operations: StoreOperation[]
  readonly changes: PinsetChange[]
  /** Change in the number of pins. */
  pins: number
  /** Change in the number of tombstones that came before their block. */
  early: number
}

export interface ChangeContext {
  readonly layout: Layout
  readonly records: ReadonlyMap<string, KeyRecord>
  /** Ids of the blocks merged now: a value they brought is announced even when it equals the old one. */
  readonly merged: ReadonlySet<string>
  /** The pin of a value, where it is known already. */
  readonly known: (value: Uint8Array) => Pin | undefined
  /** What lists a pin, where it was made already. */
  readonly listed: (pin: Pin) => Listed | undefined
}

export const noEffects = (): Effects => ({ operations: [], changes: [], pins: 0, early: 0 })

/** Adds to `effects` what a change of one key means. */
export function applyChange (effects: Effects, key: string, { before, after }: KeyChange, context: ChangeContext): void {
  const { layout, records } = context
  const old = records.get(key)
  diffElements(effects, key, before.others, after.others, layout)
  for (const id of before.early) if (!after.early.has(id)) { effects.operations.push({ type: 'del', key: layout.tombstone(key, id) }); effects.early-- }
  for (const id of after.early) if (!before.early.has(id)) { effects.operations.push({ type: 'put', key: layout.tombstone(key, id), value: new Uint8Array(0) }); effects.early++ }
  const { winner } = after
  if (winner === undefined) {
    if (old !== undefined) remove(effects, key, old, layout)
    return
  }
  const others = after.unread + after.others.length
  if (old !== undefined && old.winner.id === winner.id && equals(old.winner.value, winner.value)) {
    if (others !== old.others || old.winner.greatest !== winner.greatest) effects.operations.push({ type: 'put', key: layout.record(key), value: encodeRecord({ winner, others, listed: old.listed }) })
    return
  }
  const sameValue = old !== undefined && equals(old.winner.value, winner.value)
  const pin = context.known(winner.value) ?? pinOf(key, winner.value)
  const listed = sameValue ? old.listed : pin === undefined ? undefined : context.listed(pin) ?? listedOf(pin)
  effects.operations.push({ type: 'put', key: layout.record(key), value: encodeRecord({ winner, others, listed }) })
  if (!sameValue) reindex(effects, key, old, pin, layout)
  effects.pins += countOf(listed) - countOf(old?.listed)
  if (pin !== undefined && (!sameValue || context.merged.has(winner.id))) effects.changes.push({ kind: 'pinned', pin })
}

const countOf = (listed: Listed | undefined): number => listed === undefined ? 0 : 1

function remove (effects: Effects, key: string, old: KeyRecord, layout: Layout): void {
  effects.operations.push({ type: 'del', key: layout.record(key) })
  reindex(effects, key, old, undefined, layout)
  effects.pins -= countOf(old.listed)
  if (old.listed !== undefined) effects.changes.push({ kind: 'unpinned', cid: keyToCid(key) })
}

function reindex (effects: Effects, key: string, old: KeyRecord | undefined, pin: Pin | undefined, layout: Layout): void {
  const oldPin = old?.listed === undefined ? undefined : pinOf(key, old.winner.value)
  const before = new Set(oldPin === undefined ? [] : indexEntries(layout.indexes, key, oldPin))
  for (const entry of pin === undefined ? [] : indexEntries(layout.indexes, key, pin)) {
    if (!before.delete(entry)) effects.operations.push({ type: 'put', key: entry, value: new Uint8Array(0) })
  }
  for (const entry of before) effects.operations.push({ type: 'del', key: entry })
}

function diffElements (effects: Effects, key: string, before: readonly LiveElement[], after: readonly LiveElement[], layout: Layout): void {
  if (before === after) return
  const kept = new Set(after.map(({ id }) => id))
  const had = new Set(before.map(({ id }) => id))
  for (const { id } of before) if (!kept.has(id)) effects.operations.push({ type: 'del', key: layout.element(key, id) })
  for (const element of after) if (!had.has(element.id)) effects.operations.push({ type: 'put', key: layout.element(key, element.id), value: encodeElement(element) })
}
