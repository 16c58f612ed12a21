/** Length of the pin queue as a metric, so that busy peers get fewer pins (wire.md §4). */
import type { Informer } from './informer.ts'

/** Options of the pin queue informer; `informer.pinqueue` in the configuration. */
export interface PinQueueInformerOptions {
  /** Ms. @default 30_000 */
  readonly metricTtl?: number | undefined
  /** Queues that differ by less than this weigh the same; 0 = every pin counts. @default 100_000 */
  readonly weightBucketSize?: number | undefined
}

/** Publishes `pinqueue`, weighing less the longer the queue is. */
export function pinQueueInformer ({ pinQueueSize }: { readonly pinQueueSize: () => number }, { metricTtl = 30_000, weightBucketSize = 100_000 }: PinQueueInformerOptions = {}): Informer {
  return {
    name: 'pinqueue',
    metricTtl,
    metrics: async () => {
      const queued = BigInt(pinQueueSize())
      const weight = weightBucketSize > 0 ? -(queued / BigInt(weightBucketSize)) : -queued
      return [{ name: 'pinqueue', value: queued.toString(), weight, partitionable: false, valid: true }]
    }
  }
}
