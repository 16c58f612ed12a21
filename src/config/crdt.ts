/** `consensus.crdt` (config.md §4). */
import { amount, count, duration, field, hour, minute, optionalDuration, text } from './fields.ts'
import { trustedPeersKind } from './kinds.ts'
import type { TrustedPeers } from './kinds.ts'
import { schema } from './schema.ts'
import type { SchemaValues } from './schema.ts'

export const crdtSchema = schema({
  clusterName: text('ipfs-cluster', { zeroIsDefault: true }),
  trustedPeers: field<TrustedPeers>(trustedPeersKind, '*', { whenMissing: [] }),
  batching: schema({ maxBatchSize: amount(0), maxBatchAge: optionalDuration(0), maxQueueSize: count(50_000, { hide: 'at default', zeroIsDefault: true }) }),
  repairInterval: optionalDuration(hour),
  rebroadcastInterval: duration(minute, { hide: 'at default', zeroIsDefault: true }),
  peersetMetric: text('ping', { hide: 'at default', zeroIsDefault: true }),
  datastoreNamespace: text('/c', { hide: 'at default', zeroIsDefault: true })
})

export type CrdtConfig = SchemaValues<typeof crdtSchema>
