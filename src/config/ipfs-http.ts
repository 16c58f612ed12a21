/** `ipfs_connector.ipfshttp`: a kubo over its HTTP API (config.md §7). */
import { multiaddr } from '@multiformats/multiaddr'
import { amount, duration, field, flag, hour, minute, optionalDuration, second } from './fields.ts'
import { multiaddrKind } from './kinds.ts'
import { schema } from './schema.ts'
import type { SchemaValues } from './schema.ts'

export const ipfsHttpSchema = schema({
  nodeMultiaddress: field(multiaddrKind, multiaddr('/ip4/127.0.0.1/tcp/5001'), { required: true }),
  connectSwarmsDelay: optionalDuration(30 * second),
  ipfsRequestTimeout: duration(5 * minute),
  pinTimeout: duration(2 * minute),
  unpinTimeout: duration(3 * hour),
  repogcTimeout: duration(24 * hour),
  informerTriggerInterval: amount(0),
  unpinDisable: flag(false, { hide: 'when zero' })
})

export type IpfsHttpConfig = SchemaValues<typeof ipfsHttpSchema>
