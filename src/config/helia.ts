/** `ipfs_connector.helia`: the embedded IPFS store (ours; a Go peer has no such section). */
import { amount, duration, field, flag, minute, text } from './fields.ts'
import { oneOf, sizeKind } from './kinds.ts'
import { schema } from './schema.ts'
import type { SchemaValues } from './schema.ts'

export const heliaSchema = schema({
  /** `private`: content moves between members only; `public`: also over the public IPFS network. */
  network: field(oneOf('private', 'public'), 'private'),
  /** Where blocks and pins are kept, relative to the configuration folder. */
  folder: text('helia', { zeroIsDefault: true }),
  /** What `add` acknowledges and what a pin says to hold is on the disk itself (fsync) and survives power loss. Off: it survives a kill of the process. */
  sync: flag(true),
  /** Bytes that may be stored; what `freespace` counts down from. */
  storageMax: field(sizeKind, 10e9, { zeroIsDefault: true }),
  pinTimeout: duration(2 * minute),
  informerTriggerInterval: amount(0)
})

export type HeliaConfig = SchemaValues<typeof heliaSchema>
