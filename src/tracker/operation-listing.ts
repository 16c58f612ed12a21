/** What listings of operations alone say: few are looked up, of many the pinset is read along. In the order of keys (behaviour.md §5). */
import { cidKey, keyToCid } from '../pin/keys.ts'
import { pinWith } from '../pin/pin.ts'
import { matchesFilter } from '../pin/status.ts'
import { statusOf } from './operation.ts'
import type { AbortOptions } from '../component.ts'
import type { PinsetReader } from '../consensus/consensus.ts'
import type { Pin } from '../pin/pin.ts'
import type { StatusFilter } from '../pin/status.ts'
import type { OperationState } from './operation.ts'
import type { Operations } from './operations.ts'

export interface OperationListingParts {
  readonly pinset: Pick<PinsetReader, 'get' | 'pins'>
  readonly operations: Operations
}

export interface ListedOperation { readonly pin: Pin, readonly operation: OperationState }

/** Operations up to which their pins are looked up one by one. */
const few = 5000
const chunkSize = 256

/** The operations that match, in chunks. Pins that wait to be pinned but have left the pinset are not among many. */
export async function * listOperations ({ pinset, operations }: OperationListingParts, filter: StatusFilter, options: AbortOptions): AsyncGenerator<readonly ListedOperation[]> {
  const matches = (state: OperationState): boolean => matchesFilter(statusOf(state), filter)
  const known = async (key: string): Promise<ListedOperation[]> => {
    const cid = keyToCid(key)
    const pin = operations.pinOf(cid) ?? await pinset.get(cid, options) ?? pinWith(cid)
    const operation = operations.get(cid)
    return operation !== undefined && matches(operation) ? [{ pin, operation }] : []
  }
  const isMany = operations.size > few
  const keys = operations.keys((state) => matches(state) && !(isMany && state.type === 'pin'))
  const hasMore = isMany && pinStatuses.some((status) => matchesFilter(status, filter) && operations.count(status) > 0)
  let next = 0
  const before = async (end?: string): Promise<readonly ListedOperation[]> => {
    const from = next
    while (next < keys.length && next - from < chunkSize && (end === undefined || (keys[next] ?? '') < end)) next++
    options.signal?.throwIfAborted()
    return (await Promise.all(keys.slice(from, next).map(known))).flat()
  }
  if (hasMore) {
    let chunk: ListedOperation[] = []
    for await (const pin of pinset.pins(options)) {
      const key = cidKey(pin.cid)
      while (next < keys.length && (keys[next] ?? '') < key) chunk.push(...await before(key))
      const operation = operations.get(pin.cid)
      if (operation !== undefined && matches(operation)) {
        chunk.push({ pin, operation })
        if (keys[next] === key) next++
      }
      if (chunk.length < chunkSize) continue
      yield chunk
      chunk = []
    }
    if (chunk.length > 0) yield chunk
  }
  while (next < keys.length) {
    const chunk = await before()
    if (chunk.length > 0) yield chunk
  }
}

const pinStatuses = ['pin_queued', 'pinning', 'pin_error'] as const
