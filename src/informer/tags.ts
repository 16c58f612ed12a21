/** Tags that the operator gives a peer, as metrics that group peers (wire.md §4). */
import type { Informer, MetricValue } from './informer.ts'

/** Options of the tags informer; `informer.tags` in the configuration. */
export interface TagsInformerOptions {
  /** Ms. @default 30_000 */
  readonly metricTtl?: number | undefined
  /** @default { group: 'default' } */
  readonly tags?: Readonly<Record<string, string>> | undefined
}

/** Publishes one partitionable `tag:<key>` per tag. */
export function tagsInformer ({ metricTtl = 30_000, tags = { group: 'default' } }: TagsInformerOptions = {}): Informer {
  const values = Object.entries(tags).map(([key, value]): MetricValue => ({ name: `tag:${key}`, value, weight: 0n, partitionable: true, valid: true }))
  return { name: 'tags', metricTtl, metrics: async () => values }
}
