/**
 * The replica in its store: blocks, set, view, heads and counters, changed by one atomic batch per merge or commit.
 * It knows no network; the store must not be shared with a second replica of the same namespace.
 */
import type { Logger } from '../../component.ts'
import type { Pin } from '../../pin/pin.ts'
import type { Store, StoreOperation } from '../../store/store.ts'
import { code as dagPbCode } from '@ipld/dag-pb'
import { base32upper } from 'multiformats/bases/base32'
import { CID } from 'multiformats/cid'
import { decode as decodeDigest } from 'multiformats/hashes/digest'
import { errorText } from '../../component.ts'
import { decodeBlock, encodeBlock, type DeltaBlock } from '../../crdt/block.ts'
import { advanceHeads, nextPriority, sortedHeads, type Heads } from '../../crdt/heads.ts'
import { maxLinks } from '../../crdt/limits.ts'
import { mergeBlocks, parentsFirst } from '../../crdt/merge.ts'
import { liveIdsOf, unknownKey } from '../../crdt/set.ts'
import { multihashKey } from '../../pin/keys.ts'
import { prefixRange } from '../../store/store.ts'
import { blockOrder, orderOperations, placeId, type Place } from './block-order.ts'
import { applyChange, noEffects, type PinsetChange } from './changes.ts'
import { beginRebuild, clearReplica, endRebuild, loadReplica, stateOperation, type ReplicaState } from './format.ts'
import { damagedKeys, healKeys } from './heal.ts'
import { layoutOf, type Layout } from './layout.ts'
import { draftOf, type PinOperation } from './pin-operations.ts'
import { Mutex } from './mutex.ts'
import { StoredPinset } from './pinset.ts'
import { DamagedRecordsError, earlyTombstones, mergedAmong, readKeys, type KeyReads, type Reads } from './reads.ts'
import { blocksAside, setAside } from './rebuild.ts'
import { Sieve } from './sieve.ts'
import type { Listed } from './record.ts'
import { listedOf, pinOf } from './view.ts'

/** Delta entries that one batch merges at most, unless a single block has more. */
const maxBatchEntries = 4000
/** Stored blocks that are looked through in one turn: commits come in between. */
const lookedAtOnce = 100
/** Known but missing blocks; a DAG that is wider than this is refused. */
const maxWanted = 200_000

export interface ReplicaOptions {
  /** `crdt.datastore_namespace`. @default '/c' */
  readonly namespace?: string | undefined
  /** What this peer commits survives power loss, too; what it merges from others can be fetched again. @default false */
  readonly sync?: boolean | undefined
  /** Told, in order, each change of the pinset once it is durable. */
  readonly onChange?: ((change: PinsetChange) => void) | undefined
  /** Told when blocks were merged, after their changes. */
  readonly onMerged?: (() => void) | undefined
}

export interface Commit {
  /** Operations done, from the first on; the others did not fit into the delta. */
  readonly done: number
  /** Absent when nothing changed. */
  readonly block: DeltaBlock | undefined
}

export class Replica {
  readonly pinset: StoredPinset
  readonly #store: Store
  readonly #layout: Layout
  readonly #options: ReplicaOptions
  readonly #logger: Logger
  readonly #mutex = new Mutex()
  readonly #wanted = new Map<string, CID>()
  /** Pins of values that this peer encoded itself or prepared. */
  readonly #known = new WeakMap<Uint8Array, Pin>()
  readonly #listed = new WeakMap<Pin, Listed>()
  /** What merges read: the store, or what of it is left to ask. */
  #reads: Reads
  #sieve: Sieve | undefined
  #state: ReplicaState = { heads: new Map(), pins: 0, early: 0, blocks: 0 }
  #dirty = false
  /** A batch failed: what is remembered may be behind the store. */
  #stale = false
  #rebuilding = false
  /** Damaged records are being looked for. */
  #healing: Promise<void> | undefined

  constructor (components: { readonly store: Store, readonly logger: Logger }, options: ReplicaOptions = {}) {
    this.#store = components.store
    this.#reads = components.store
    this.#logger = components.logger
    this.#options = options
    this.#layout = layoutOf(options.namespace ?? '/c')
    this.pinset = new StoredPinset(this.#store, this.#layout, () => this.#state.pins, () => { this.#healLater() })
  }

  get heads (): Heads { return this.#state.heads }
  /** Blocks merged. */
  get blocks (): number { return this.#state.blocks }
  /** Blocks that merged ones link to and that are not here, by id. */
  get wanted (): ReadonlyMap<string, CID> { return this.#wanted }
  /** Something is missing, or may be. */
  get dirty (): boolean { return this.#dirty || this.#wanted.size > 0 }
  get markedDirty (): boolean { return this.#dirty }

  /** Reads where it stopped; a state that does not fit together is made anew of the blocks. Throws StoreError when the namespace is not ours. */
  async open (): Promise<void> {
    try {
      await this.#mutex.run(async () => { await this.#load() })
    } catch (error) {
      if (!(error instanceof Error && error.name === 'DecodeError')) throw error
      this.#logger.error('the CRDT state is damaged and is being made anew of the stored blocks:', errorText(error))
      await this.rebuild()
    }
  }

  async #load (): Promise<void> {
    const { state, wanted, dirty } = await loadReplica(this.#store, this.#layout)
    this.#state = state
    this.#dirty = dirty
    this.#wanted.clear()
    for (const cid of wanted) this.#wanted.set(multihashKey(cid), cid)
    this.#stale = false
  }

  /** Throws away what is derived and merges the stored blocks anew: damaged and missing ones are wanted afterwards. Nobody may read or write meanwhile. */
  async rebuild (): Promise<void> {
    this.#rebuilding = true
    try {
      const count = await this.#mutex.run(async () => {
        await beginRebuild(this.#store, this.#layout)
        this.#state = { heads: new Map(), pins: 0, early: 0, blocks: 0 }
        this.#wanted.clear()
        return await setAside(this.#store, this.#layout, this.#logger)
      })
      await this.expectMany(count)
      for await (const blocks of blocksAside(this.#store, this.#layout)) await this.merge(blocks)
      await this.#mutex.run(async () => {
        await endRebuild(this.#store, this.#layout, this.#state)
        await this.#load()
      })
      this.#logger.info('made the CRDT state anew: blocks', this.blocks, 'pins', this.pinset.count(), 'missing blocks', this.#wanted.size)
    } finally {
      this.expectFew()
      this.#rebuilding = false
    }
  }

  async isMerged (cid: CID): Promise<boolean> {
    const id = multihashKey(cid)
    return !this.#wanted.has(id) && (this.#state.heads.has(id) || await this.#store.has(this.#layout.block(id)))
  }

  async block (cid: CID): Promise<Uint8Array | undefined> { return await this.#store.get(this.#layout.block(multihashKey(cid))) }

  /** Places of all merged blocks, parents first, in chunks. */
  order (options: { readonly signal?: AbortSignal | undefined } = {}): AsyncIterable<readonly Place[]> { return blockOrder(this.#store, this.#layout, options) }

  /** The blocks at these places. */
  async blocksAt (places: readonly Place[]): Promise<ReadonlyArray<Uint8Array | undefined>> { return await this.#store.getMany(places.map((place) => this.#layout.block(placeId(place)))) }

  /** Links that are neither merged nor among `others`. */
  async missingLinks (block: DeltaBlock, isAmong: (id: string) => boolean): Promise<readonly CID[]> {
    const unknown = block.links.filter((link) => !isAmong(multihashKey(link)))
    const merged = await mergedAmong(this.#reads, this.#layout, unknown.map(multihashKey), (id) => this.#state.heads.has(id))
    return unknown.filter((link) => !merged.has(multihashKey(link)))
  }

  /** Does now what the merge of this block will need: while the store is busy with those before. */
  prepare ({ delta }: DeltaBlock): void {
    for (const { key, value } of delta.elements) {
      const pin = pinOf(key, value)
      if (pin === undefined) continue
      this.#known.set(value, pin)
      this.#listed.set(pin, listedOf(pin))
    }
  }

  /** How many blocks these ones link to that are neither merged nor among them. */
  async openLinks (blocks: readonly DeltaBlock[]): Promise<number> {
    const own = new Set(blocks.map(({ id }) => id))
    const links = new Set(blocks.flatMap((block) => block.links.map(multihashKey)).filter((id) => !own.has(id) && !this.#state.heads.has(id)))
    return links.size - (await mergedAmong(this.#reads, this.#layout, [...links], () => false)).size
  }

  /** Merges blocks that were fetched, parents first; those merged before are left out. */
  async merge (blocks: readonly DeltaBlock[]): Promise<void> {
    let group: DeltaBlock[] = []
    let entries = 0
    for (const block of parentsFirst(blocks)) {
      const size = block.delta.elements.length + block.delta.tombstones.length
      if (group.length > 0 && entries + size > maxBatchEntries) {
        await this.#mergeGroup(group)
        group = []
        entries = 0
      }
      group.push(block)
      entries += size
    }
    if (group.length > 0) await this.#mergeGroup(group)
  }

  /** About so many blocks will be merged soon: what is surely new is then not looked up in the store, until `expectFew`. */
  async expectMany (blocks: number): Promise<void> {
    await this.#mutex.run(async () => {
      const has = this.#state.blocks + this.#state.pins
      // Looking through what is here must pay.
      if (blocks < 1000 || blocks < this.#state.blocks / 4) return
      this.#sieve = await Sieve.of(this.#store, this.#layout, has, 2 * blocks)
      this.#reads = this.#sieve.reading(this.#store)
    })
  }

  expectFew (): void {
    this.#sieve = undefined
    this.#reads = this.#store
  }

  /** Writes one delta of at most about 1 MiB from the operations that `take` gives when it is this commit's turn. */
  async commit (take: () => readonly PinOperation[]): Promise<Commit> {
    return await this.#mutex.run(async () => {
      await this.#refresh()
      const operations = take()
      const losing = operations.filter(({ kind }) => kind === 'delete').map(({ key }) => key)
      const reads = await this.#healed(async () => await readKeys(this.#reads, this.#layout, operations.map(({ key }) => key), losing))
      const { draft, done } = draftOf(operations, reads.states)
      for (const operation of operations.slice(0, done)) if (operation.kind === 'put') this.#known.set(operation.value, operation.pin)
      if (draft.isEmpty) return { done, block: undefined }
      const links = sortedHeads(this.#state.heads).slice(0, maxLinks).map(({ cid }) => cid)
      const block = encodeBlock(draft.delta(nextPriority(this.#state.heads)), links)
      await this.#write([block], reads, this.#options.sync)
      return { done, block }
    })
  }

  /** Ids of the live elements of a key, as a deletion asked for now would name them. */
  async liveIds (key: string): Promise<readonly string[]> {
    const read = async (): Promise<KeyReads> => await readKeys(this.#reads, this.#layout, [key], [key])
    const { states } = await read().catch(async (error: unknown) => {
      if (!(error instanceof DamagedRecordsError)) throw error
      return await this.#mutex.run(async () => await this.#healed(read))
    })
    return liveIdsOf(states.get(key) ?? unknownKey)
  }

  async setDirty (dirty: boolean): Promise<void> {
    await this.#mutex.run(async () => {
      await this.#refresh()
      await this.#batch([dirty ? { type: 'put', key: this.#layout.dirty, value: new Uint8Array(0) } : { type: 'del', key: this.#layout.dirty }])
      this.#dirty = dirty
    })
  }

  /** Looks through every merged block for links to missing ones, which are then wanted. */
  async findMissing (options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    for await (const chunk of this.#store.entries({ ...prefixRange(this.#layout.blocks), signal: options.signal })) {
      for (let from = 0; from < chunk.length; from += lookedAtOnce) await this.#wantMissing(chunk.slice(from, from + lookedAtOnce))
    }
  }

  /** Removes everything; the replica is empty and open afterwards. */
  async clear (): Promise<void> {
    await this.#mutex.run(async () => {
      this.expectFew()
      await clearReplica(this.#store, this.#layout)
      this.#state = { heads: new Map(), pins: 0, early: 0, blocks: 0 }
      this.#wanted.clear()
      this.#dirty = false
    })
  }

  async #mergeGroup (group: readonly DeltaBlock[]): Promise<void> {
    await this.#mutex.run(async () => {
      await this.#refresh()
      const merged = await mergedAmong(this.#reads, this.#layout, group.map(({ id }) => id), (id) => this.#state.heads.has(id))
      await this.#restore(group.filter(({ id }) => merged.has(id) && this.#wanted.has(id)))
      const fresh = [...new Map(group.map((block) => [block.id, block])).values()].filter(({ id }) => !merged.has(id))
      if (fresh.length === 0) return
      const elements = fresh.flatMap(({ id, delta }) => delta.elements.map(({ key }) => [key, id] as const))
      const tombstones = fresh.flatMap(({ delta }) => delta.tombstones)
      const losing = tombstones.map(({ key }) => key)
      const reads = await this.#healed(async () => await readKeys(this.#reads, this.#layout, [...elements.map(([key]) => key), ...losing], losing))
      if (this.#state.early > 0) await earlyTombstones(this.#reads, this.#layout, reads.states, elements)
      await this.#write(fresh, reads)
    })
  }

  /** Resolves once what was noticed before, and goes on in the background, is done. */
  async settled (): Promise<void> { await this.#healing }

  /** Somebody came across a damaged record: all of them are looked for, once. */
  #healLater (): void {
    this.#healing ??= this.#mutex.run(async () => {
      await this.#refresh()
      await this.#heal(await damagedKeys(this.#store, this.#layout))
    }).catch((error: unknown) => { this.#logger.error('damaged records could not be made anew', errorText(error)) }).finally(() => { this.#healing = undefined })
  }

  /** Reads; damaged records are made anew first. */
  async #healed<T> (read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof DamagedRecordsError)) throw error
      await this.#heal(new Set(error.keys))
      return await read()
    }
  }

  async #heal (keys: ReadonlySet<string>): Promise<void> {
    if (keys.size === 0) return
    this.#logger.error('damaged records in the store are being made anew of its blocks:', keys.size, [...keys].slice(0, 3).join(' '))
    const { effects, incomplete } = await healKeys(this.#store, this.#layout, keys)
    const state = { ...this.#state, pins: this.#state.pins + effects.pins, early: this.#state.early + effects.early }
    const mark: StoreOperation[] = incomplete ? [{ type: 'put', key: this.#layout.dirty, value: new Uint8Array(0) }] : []
    await this.#batch([...effects.operations, ...mark, stateOperation(this.#layout, state)])
    this.#state = state
    if (incomplete) this.#dirty = true
  }

  async #batch (operations: readonly StoreOperation[], sync = false): Promise<void> {
    try {
      await this.#store.batch(operations, { sync })
    } catch (error) {
      this.#stale = true
      throw error
    }
  }

  /** A batch that failed may be in the store all the same. */
  async #refresh (): Promise<void> {
    if (!this.#stale) return
    await this.#store.mend?.()
    await this.#load()
  }

  async #write (blocks: readonly DeltaBlock[], { states, records }: KeyReads, sync = false): Promise<void> {
    const ids = new Set(blocks.map(({ id }) => id))
    // Tombstones for merged blocks either find their element or have nothing left to do; the others are early.
    const live = new Set([...states.values()].flatMap(liveIdsOf))
    const named = blocks.flatMap(({ delta }) => delta.tombstones.map(({ id }) => id)).filter((id) => !ids.has(id))
    const merged = await mergedAmong(this.#reads, this.#layout, named, (id) => live.has(id))
    const effects = noEffects()
    const context = { layout: this.#layout, records, merged: ids, known: (value: Uint8Array) => this.#known.get(value), listed: (pin: Pin) => this.#listed.get(pin) }
    for (const [key, change] of mergeBlocks(states, blocks, (id) => merged.has(id))) applyChange(effects, key, change, context)
    const missing = await this.#missing(blocks, ids)
    const state: ReplicaState = {
      heads: advanceHeads(this.#state.heads, blocks, multihashKey, (id) => this.#wanted.has(id)),
      pins: this.#state.pins + effects.pins,
      early: this.#state.early + effects.early,
      blocks: this.#state.blocks + blocks.length
    }
    const operations: StoreOperation[] = effects.operations
    for (const block of blocks) {
      operations.push({ type: 'put', key: this.#layout.block(block.id), value: block.bytes })
      if (this.#wanted.has(block.id)) operations.push({ type: 'del', key: this.#layout.want(block.id) })
    }
    for (const [id, cid] of missing) operations.push({ type: 'put', key: this.#layout.want(id), value: cid.bytes })
    operations.push(...orderOperations(this.#layout, blocks), stateOperation(this.#layout, state))
    if (this.#sieve !== undefined) for (const operation of operations) if (operation.type === 'put') this.#sieve.add(operation.key)
    await this.#batch(operations, sync)
    this.#state = state
    for (const id of ids) this.#wanted.delete(id)
    for (const [id, cid] of missing) this.#wanted.set(id, cid)
    for (const change of effects.changes) this.#tell(change)
    this.#options.onMerged?.()
  }

  /** Blocks that were merged and whose stored bytes were damaged. */
  async #restore (blocks: readonly DeltaBlock[]): Promise<void> {
    if (blocks.length === 0) return
    await this.#batch(blocks.flatMap(({ id, bytes }) => [{ type: 'put', key: this.#layout.block(id), value: bytes }, { type: 'del', key: this.#layout.want(id) }]))
    for (const { id } of blocks) this.#wanted.delete(id)
    this.#options.onMerged?.()
  }

  #tell (change: PinsetChange): void {
    if (this.#rebuilding) return
    try {
      this.#options.onChange?.(change)
    } catch (error) {
      this.#logger.error('the hook of a pinset change failed', errorText(error))
    }
  }

  /** Links of these blocks that are neither merged, wanted before, nor among the blocks. */
  async #missing (blocks: readonly DeltaBlock[], ids: ReadonlySet<string>): Promise<ReadonlyMap<string, CID>> {
    const links = new Map<string, CID>()
    for (const block of blocks) {
      for (const link of block.links) {
        const id = multihashKey(link)
        if (!ids.has(id) && !this.#wanted.has(id) && !this.#state.heads.has(id)) links.set(id, link)
      }
    }
    for (const id of await mergedAmong(this.#reads, this.#layout, [...links.keys()], () => false)) links.delete(id)
    if (links.size + this.#wanted.size > maxWanted) throw new RangeError(`more than ${maxWanted} blocks of the DAG are missing`)
    return links
  }

  /** What these stored blocks link to and is not here; damaged ones themselves. */
  async #wantMissing (entries: ReadonlyArray<readonly [key: string, bytes: Uint8Array]>): Promise<void> {
    await this.#mutex.run(async () => {
      await this.#refresh()
      const blocks: DeltaBlock[] = []
      const missing = new Map<string, CID>()
      for (const [key, bytes] of entries) {
        let cid: CID | undefined
        try {
          cid = CID.createV1(dagPbCode, decodeDigest(base32upper.baseDecode(key.slice(this.#layout.blocks.length))))
          blocks.push(decodeBlock(cid, bytes))
        } catch (error) {
          this.#logger.error('a stored block is damaged and will be fetched again', key, errorText(error))
          if (cid !== undefined && !this.#wanted.has(multihashKey(cid))) missing.set(multihashKey(cid), cid)
        }
      }
      for (const [id, cid] of await this.#missing(blocks, new Set())) missing.set(id, cid)
      if (missing.size === 0) return
      await this.#batch([...missing].map(([id, cid]) => ({ type: 'put', key: this.#layout.want(id), value: cid.bytes })))
      for (const [id, cid] of missing) this.#wanted.set(id, cid)
    })
  }
}
