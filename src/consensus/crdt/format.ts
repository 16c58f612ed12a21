/** The replica's own records: format, heads and counters; rebuilding the view; removing it all. */
import type { Layout } from './layout.ts'
import type { Heads } from '../../crdt/heads.ts'
import type { Store, StoreOperation } from '../../store/store.ts'
import { CID } from 'multiformats/cid'
import { errorText } from '../../component.ts'
import { sortedHeads } from '../../crdt/heads.ts'
import { DecodeError } from '../../errors.ts'
import { multihashKey } from '../../pin/keys.ts'
import { StoreError } from '../../store/errors.ts'
import { prefixRange } from '../../store/store.ts'
import { decodeRecord, encodeRecord } from './record.ts'
import { blockOrder, rebuildOrder } from './block-order.ts'
import { indexEntries, listedOf, pinOf, viewVersion } from './view.ts'

/** Raise it when the layout changes in a way that old stores do not have. */
const storeVersion = 1

export interface ReplicaState {
  readonly heads: Heads
  /** Pins in the set. */
  readonly pins: number
  /** Tombstones whose block is not here. */
  readonly early: number
  /** Blocks merged. */
  readonly blocks: number
}

export interface LoadedReplica { readonly state: ReplicaState, readonly wanted: readonly CID[], readonly dirty: boolean }

interface Format {
  readonly store: number
  readonly view: number
  readonly clearing?: boolean
  /** Blocks are being merged anew. */
  readonly rebuilding?: boolean
}

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

export const stateOperation = (layout: Layout, state: ReplicaState): StoreOperation => ({
  type: 'put',
  key: layout.state,
  value: json({ heads: sortedHeads(state.heads).map(({ cid, height }) => [cid.toString(), height]), pins: state.pins, early: state.early, blocks: state.blocks, ordered: state.blocks })
})

const formatOperation = (layout: Layout, format: Format): StoreOperation => ({ type: 'put', key: layout.format, value: json(format) })

async function checkOwner (store: Store, layout: Layout): Promise<void> {
  if (await store.has(layout.foreign)) throw new StoreError('unavailable', `the store holds the CRDT state of another IPFS Cluster program below ${layout.all}: export it there and import it here, into a new folder`)
}

function checkVersion (format: Format): void {
  if (format.store !== storeVersion) throw new StoreError('unavailable', `the store has format ${format.store}, this program reads ${storeVersion}`)
}

/**
 * Where the replica stopped; an empty namespace becomes a new one. Ends a clearing that was cut off, and rebuilds an old view.
 * Throws DecodeError when records are missing or do not fit together: the state must then be made anew of the blocks.
 */
export async function loadReplica (store: Store, layout: Layout): Promise<LoadedReplica> {
  await checkOwner(store, layout)
  let format = await readFormat(store, layout)
  if (format?.clearing === true) {
    await clearReplica(store, layout)
    format = { store: storeVersion, view: viewVersion }
  }
  if (format?.rebuilding === true) throw new DecodeError('merging the stored blocks anew was cut off')
  if (format === undefined) {
    if (await hasAny(store, layout.all)) throw new DecodeError('the store holds no format record, but others')
    format = { store: storeVersion, view: viewVersion }
    await store.batch([formatOperation(layout, format)])
  }
  checkVersion(format)
  let state = await readState(store, layout)
  if (store.mayHaveGaps === true) await checkCount(store, layout, state)
  if (format.view !== viewVersion) state = await rebuildView(store, layout, state)
  if (!await isOrdered(store, layout)) {
    await rebuildOrder(store, layout)
    await store.batch([stateOperation(layout, state)])
  }
  const wanted: CID[] = []
  for await (const chunk of store.values(prefixRange(layout.wanted))) for (const bytes of chunk) wanted.push(readCid(bytes))
  return { state, wanted, dirty: await store.has(layout.dirty) }
}

const parseCid = (text: string): CID => {
  try { return CID.parse(text) } catch (error) { throw new DecodeError('the store holds a damaged CRDT state', { cause: error }) }
}

const readCid = (bytes: Uint8Array): CID => {
  try { return CID.decode(bytes) } catch (error) { throw new DecodeError(`the store holds a damaged record: ${errorText(error)}`, { cause: error }) }
}

async function hasAny (store: Store, prefix: string): Promise<boolean> {
  for await (const keys of store.keys({ ...prefixRange(prefix), limit: 1 })) if (keys.length > 0) return true
  return false
}

/** Each batch of blocks wrote their places and how many blocks there are since: they agree unless a batch is missing. */
async function checkCount (store: Store, layout: Layout, state: ReplicaState): Promise<void> {
  if (!await isOrdered(store, layout)) throw new DecodeError('the order of the blocks is missing after a crash')
  let blocks = 0
  for await (const places of blockOrder(store, layout)) blocks += places.length
  if (blocks !== state.blocks) throw new DecodeError(`${state.blocks} blocks were merged, and ${blocks} are here`)
}

/** Until `endRebuild` the namespace counts as being made anew, whatever happens. Throws StoreError when it is not ours; a damaged format record is. */
export async function beginRebuild (store: Store, layout: Layout): Promise<void> {
  await checkOwner(store, layout)
  const format = await readFormat(store, layout).catch((error: unknown) => {
    if (!(error instanceof DecodeError)) throw error
    return undefined
  })
  if (format?.clearing === true) await clearReplica(store, layout)
  else if (format !== undefined) checkVersion(format)
  await store.batch([formatOperation(layout, { store: storeVersion, view: viewVersion, rebuilding: true })], { sync: true })
}

export const endRebuild = async (store: Store, layout: Layout, state: ReplicaState): Promise<void> => {
  await store.batch([stateOperation(layout, state), formatOperation(layout, { store: storeVersion, view: viewVersion })], { sync: true })
}

/** Removes every key of the namespace; a next load ends what a kill cuts off. */
export async function clearReplica (store: Store, layout: Layout): Promise<void> {
  await store.batch([formatOperation(layout, { store: storeVersion, view: viewVersion, clearing: true })])
  for await (const keys of store.keys(prefixRange(layout.all))) {
    await store.batch(keys.filter((key) => key !== layout.format).map((key) => ({ type: 'del', key })))
  }
  await store.batch([formatOperation(layout, { store: storeVersion, view: viewVersion })])
}

/** Derives lines, index entries and the count anew from the values. */
async function rebuildView (store: Store, layout: Layout, state: ReplicaState): Promise<ReplicaState> {
  for await (const keys of store.keys(prefixRange(layout.indexes))) await store.batch(keys.map((key) => ({ type: 'del', key })))
  let pins = 0
  for await (const chunk of store.entries(prefixRange(layout.records))) {
    const operations: StoreOperation[] = []
    for (const [name, bytes] of chunk) {
      const key = name.slice(layout.records.length - 1)
      const record = decodeRecord(bytes)
      const pin = pinOf(key, record.winner.value)
      operations.push({ type: 'put', key: name, value: encodeRecord({ ...record, listed: pin === undefined ? undefined : listedOf(pin) }) })
      if (pin === undefined) continue
      pins++
      for (const entry of indexEntries(layout.indexes, key, pin)) operations.push({ type: 'put', key: entry, value: new Uint8Array(0) })
    }
    await store.batch(operations)
  }
  const rebuilt = { ...state, pins }
  await store.batch([stateOperation(layout, rebuilt), formatOperation(layout, { store: storeVersion, view: viewVersion })])
  return rebuilt
}

async function readFormat (store: Store, layout: Layout): Promise<Format | undefined> {
  const fields = await readJson(store, layout.format)
  return fields === undefined ? undefined : { store: numberField(fields, 'store'), view: numberField(fields, 'view'), clearing: fields['clearing'] === true, rebuilding: fields['rebuilding'] === true }
}

async function readState (store: Store, layout: Layout): Promise<ReplicaState> {
  const fields = await readJson(store, layout.state)
  if (fields === undefined) {
    if (await hasAny(store, layout.blocks)) throw new DecodeError('the store holds blocks and no CRDT state')
    return { heads: new Map(), pins: 0, early: 0, blocks: 0 }
  }
  const list: unknown = fields['heads']
  if (!Array.isArray(list)) throw new DecodeError('the store holds a damaged CRDT state')
  const heads = new Map(list.map((item: unknown) => {
    if (!Array.isArray(item) || typeof item[0] !== 'string' || typeof item[1] !== 'number') throw new DecodeError('the store holds a damaged CRDT state')
    const cid = parseCid(item[0])
    return [multihashKey(cid), { cid, height: item[1] }] as const
  }))
  return { heads, pins: numberField(fields, 'pins'), early: numberField(fields, 'early'), blocks: numberField(fields, 'blocks') }
}

/** Programs that do not keep the order of blocks do not count it either. */
async function isOrdered (store: Store, layout: Layout): Promise<boolean> {
  const fields = await readJson(store, layout.state)
  return fields === undefined || fields['ordered'] === fields['blocks']
}

async function readJson (store: Store, key: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const bytes = await store.get(key)
  if (bytes === undefined) return undefined
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>>
  } catch (error) {
    throw new DecodeError(`the store holds a damaged record: ${errorText(error)}`, { cause: error })
  }
}

function numberField (fields: Readonly<Record<string, unknown>>, name: string): number {
  const value = fields[name]
  if (typeof value !== 'number') throw new DecodeError('the store holds a damaged CRDT state')
  return value
}
