/** What listings of operations alone say: few are looked up, of many the pinset is read along. In the order of keys (behaviour.md §5). */
import { keyToCid } from '../pin/keys.ts'
import { pinWith } from '../pin/pin.ts'
import { matchesFilter } from '../pin/status.ts'
import { statusOf } from './operation.ts'
import type { AbortOptions } from '../component.ts'
import type { PinsetReader } from '../consensus/consensus.ts'
import type { Pin } from '../pin/pin.ts'
import type { StatusFilter } from '../pin/status.ts'
import type { OperationState } from './operation.ts'
import type { Operations } from './operations.ts'

/** How a listing reads the pinset along (items in the order of keys), and what it says. */
export interface OperationListingParts<Item, Said> {
  readonly pinset: Pick<PinsetReader, 'get'>
  readonly operations: Operations
  readonly items: (options: AbortOptions) => AsyncIterable<readonly Item[]>
  readonly keyOf: (item: Item) => string
  /** Undefined where the item has no operation that matches. */
  readonly ofItem: (item: Item) => Said | undefined
  readonly ofOperation: (pin: Pin, operation: OperationState) => Said
}

/** Operations up to which their pins are looked up one by one. */
const few = 5000
const chunkSize = 256
const pinStatuses = ['pin_queued', 'pinning', 'pin_error'] as const

/** The operations that match, in chunks. Pins that wait to be pinned but have left the pinset are not among many. */
export async function * listOperations<Item, Said> ({ pinset, operations, items, keyOf, ofItem, ofOperation }: OperationListingParts<Item, Said>, filter: StatusFilter, options: AbortOptions): AsyncGenerator<readonly Said[]> {
  const matches = (state: OperationState): boolean => matchesFilter(statusOf(state), filter)
  const lookUp = async (key: string): Promise<Said[]> => {
    const cid = keyToCid(key)
    const pin = operations.pinOf(cid) ?? await pinset.get(cid, options) ?? pinWith(cid)
    const operation = operations.get(cid)
    return operation !== undefined && matches(operation) ? [ofOperation(pin, operation)] : []
  }
  const isMany = operations.size > few
  const keys = operations.keys((state) => matches(state) && !(isMany && state.type === 'pin'))
  let next = 0
  /** Those of the keys that come before this one, a chunk at most. */
  const before = async (end?: string): Promise<readonly Said[]> => {
    const from = next
    while (next < keys.length && next - from < chunkSize && (end === undefined || (keys[next] ?? '') < end)) next++
    options.signal?.throwIfAborted()
    return (await Promise.all(keys.slice(from, next).map(lookUp))).flat()
  }
  if (isMany && pinStatuses.some((status) => matchesFilter(status, filter) && operations.count(status) > 0)) {
    for await (const chunk of items(options)) {
      const said: Said[] = []
      for (const item of chunk) {
        const key = next < keys.length ? keyOf(item) : ''
        while (next < keys.length && (keys[next] ?? '') < key) said.push(...await before(key))
        if (keys[next] === key) next++
        const one = ofItem(item)
        if (one !== undefined) said.push(one)
      }
      if (said.length > 0) yield said
    }
  }
  while (next < keys.length) {
    const said = await before()
    if (said.length > 0) yield said
  }
}
