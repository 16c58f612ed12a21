/** The pinset of a peer that does not run: export, import and cleaning (wire.md §8). */
import type { PinOperation } from './replica.ts'
import type { AbortOptions, ComponentLogger } from '../../component.ts'
import type { Pin } from '../../pin/pin.ts'
import type { Store } from '../../store/store.ts'
import type { PinsetReader } from '../consensus.ts'
import { silentLogger } from '../../component.ts'
import { maxDeltaBytes } from '../../crdt/limits.ts'
import { PinRefusedError } from '../../errors.ts'
import { cidKey } from '../../pin/keys.ts'
import { asStored } from '../../pin/pin-json.ts'
import { encodePin } from '../../pin/pin-proto.ts'
import { Replica } from './replica.ts'

export interface OfflineCrdtState {
  readonly pinset: PinsetReader
  /** Adds pins in deltas of about 1 MiB; the next start announces them. Resolves with their number. */
  importPins: (pins: AsyncIterable<Pin>, options?: AbortOptions) => Promise<number>
  /** Removes the whole state. */
  clear: () => Promise<void>
}

/** Opens the state in `store`, which the caller closes. No peer may run on it. */
export async function openOfflineCrdtState (components: { readonly store: Store, readonly logger?: ComponentLogger | undefined }, options: { readonly namespace?: string | undefined } = {}): Promise<OfflineCrdtState> {
  const replica = new Replica({ store: components.store, logger: (components.logger ?? silentLogger).forComponent('crdt') }, options)
  await replica.open()
  return {
    pinset: replica.pinset,
    importPins: async (pins, abort) => await importPins(replica, pins, abort),
    clear: async () => { await replica.clear() }
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
