/** The CRDT state of a peer that does not run: export, import and cleaning (wire.md §8), its DAG, and mending it. */
import type { PinOperation } from './pin-operations.ts'
import type { AbortOptions, ComponentLogger } from '../../component.ts'
import type { Pin } from '../../pin/pin.ts'
import type { Store } from '../../store/store.ts'
import type { PinsetReader } from '../consensus.ts'
import type { DeltaBlock } from '../../crdt/block.ts'
import { silentLogger } from '../../component.ts'
import { readBlock } from '../../crdt/block.ts'
import { sortedHeads, type Head } from '../../crdt/heads.ts'
import { maxDeltaBytes } from '../../crdt/limits.ts'
import { DecodeError, PinRefusedError } from '../../errors.ts'
import { cidKey } from '../../pin/keys.ts'
import { asStored } from '../../pin/pin-json.ts'
import { encodePin } from '../../pin/pin-proto.ts'
import { Replica } from './replica.ts'

/** Each may have about a MiB. */
const blocksAtOnce = 16

export interface CrdtInfo {
  readonly heads: readonly Head[]
  readonly pins: number
  /** Blocks merged. */
  readonly blocks: number
  /** Blocks known to be missing; a running peer fetches them. */
  readonly missing: number
  /** Something is missing, or may be. */
  readonly dirty: boolean
}

export interface OfflineCrdtState {
  readonly pinset: PinsetReader
  readonly info: () => CrdtInfo
  /** Every merged block, parents first; damaged ones are left out. */
  readonly blocks: (options?: AbortOptions) => AsyncIterable<DeltaBlock>
  /** A dirty state is looked through for missing blocks at the next start. */
  readonly setDirty: (dirty: boolean) => Promise<void>
  /** Adds pins in deltas of about 1 MiB; the next start announces them. Resolves with their number. */
  importPins: (pins: AsyncIterable<Pin>, options?: AbortOptions) => Promise<number>
  /** Removes the whole state. */
  clear: () => Promise<void>
}

export interface OfflineCrdtOptions {
  /** `crdt.datastore_namespace`. @default '/c' */
  readonly namespace?: string | undefined
  /** Throw away everything but the blocks and make it anew of them. @default only where the state is damaged */
  readonly rebuild?: boolean | undefined
}

/** Opens the state in `store`, which the caller closes. No peer may run on it. */
export async function openOfflineCrdtState (components: { readonly store: Store, readonly logger?: ComponentLogger | undefined }, { namespace, rebuild = false }: OfflineCrdtOptions = {}): Promise<OfflineCrdtState> {
  const replica = new Replica({ store: components.store, logger: (components.logger ?? silentLogger).forComponent('crdt') }, { namespace, sync: true })
  if (rebuild) await replica.rebuild()
  else await replica.open()
  return {
    pinset: replica.pinset,
    info: () => ({ heads: sortedHeads(replica.heads), pins: replica.pinset.count(), blocks: replica.blocks, missing: replica.wanted.size, dirty: replica.dirty }),
    blocks: (abort) => storedBlocks(replica, abort),
    setDirty: async (dirty) => { await replica.setDirty(dirty) },
    importPins: async (pins, abort) => await importPins(replica, pins, abort),
    clear: async () => { await replica.clear() }
  }
}

async function * storedBlocks (replica: Replica, options: AbortOptions = {}): AsyncGenerator<DeltaBlock> {
  for await (const places of replica.order(options)) {
    for (let from = 0; from < places.length; from += blocksAtOnce) {
      for (const bytes of await replica.blocksAt(places.slice(from, from + blocksAtOnce))) {
        if (bytes === undefined) continue
        try { yield readBlock(bytes) } catch (error) { if (!(error instanceof DecodeError)) throw error }
      }
    }
  }
}

async function importPins (replica: Replica, pins: AsyncIterable<Pin>, { signal }: AbortOptions = {}): Promise<number> {
  const queue: PinOperation[] = []
  let bytes = 0
  let count = 0
  const commit = async (): Promise<void> => {
    const { done } = await replica.commit(() => queue)
    queue.splice(0, done)
    bytes = 0
  }
  for await (const pin of pins) {
    signal?.throwIfAborted()
    const value = encodePin(pin)
    if (value.length > maxDeltaBytes - 4096) throw new PinRefusedError(`the options of ${pin.cid} take ${value.length} bytes, more than fits into one change of the pinset`)
    const key = cidKey(pin.cid)
    queue.push({ kind: 'put', key, value, pin: asStored(pin) })
    bytes += key.length + value.length
    count++
    if (bytes >= maxDeltaBytes) await commit()
  }
  while (queue.length > 0) await commit()
  return count
}
