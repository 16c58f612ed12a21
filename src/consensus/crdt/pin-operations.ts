/** Pins and unpins on their way into one delta. */
import type { Pin } from '../../pin/pin.ts'
import { DeltaDraft } from '../../crdt/draft.ts'
import { maxDeltaBytes } from '../../crdt/limits.ts'
import { liveIdsOf, unknownKey, type KeyState } from '../../crdt/set.ts'

/** One change for a commit. */
export type PinOperation =
  | { readonly kind: 'put', readonly key: string, readonly value: Uint8Array, readonly pin: Pin }
  /** `ids`: the live elements when the deletion was asked for, when that was earlier than the commit. */
  | { readonly kind: 'delete', readonly key: string, readonly ids?: readonly string[] | undefined }

/** A delta of at most about 1 MiB from these operations, and how many of them, from the first on, are in it. */
export function draftOf (operations: readonly PinOperation[], states: ReadonlyMap<string, KeyState>): { readonly draft: DeltaDraft, readonly done: number } {
  const draft = new DeltaDraft()
  let done = 0
  for (const operation of operations) {
    if (!draft.isEmpty && draft.size >= maxDeltaBytes) break
    if (operation.kind === 'put') {
      if (!draft.isEmpty && draft.size + operation.value.length > maxDeltaBytes) break
      draft.put(operation.key, operation.value)
    } else {
      const live = liveIdsOf(states.get(operation.key) ?? unknownKey)
      const ids = operation.ids === undefined ? live : live.filter((id) => operation.ids?.includes(id))
      const room = Math.max(1, Math.floor((maxDeltaBytes - draft.size) / 160))
      draft.delete(operation.key, ids.slice(0, room))
      if (ids.length > room) break
    }
    done++
  }
  return { draft, done }
}
