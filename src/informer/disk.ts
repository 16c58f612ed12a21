/** Free or used space of the IPFS repository as a metric (wire.md §4). */
import type { IpfsConnector } from '../ipfs/ipfs.ts'
import { newMeasures } from '../observations/measures.ts'
import type { Measures } from '../observations/measures.ts'
import type { Informer, MetricValue } from './informer.ts'

/** Options of the disk informer; `informer.disk` in the configuration. */
export interface DiskInformerOptions {
  /** Ms. @default 30_000 */
  readonly metricTtl?: number | undefined
  /** `freespace` prefers peers with much space left, `reposize` those that hold little. @default 'freespace' */
  readonly metricType?: 'freespace' | 'reposize' | undefined
}

export interface DiskInformerComponents {
  readonly connector: Pick<IpfsConnector, 'repoStat'>
  /** @default nobody reads them */
  readonly measures?: Measures | undefined
}

/** Publishes `freespace` or `reposize` in bytes; a full repository is not valid, so that nothing is allocated to it. */
export function diskInformer ({ connector, measures = newMeasures() }: DiskInformerComponents, { metricTtl = 30_000, metricType = 'freespace' }: DiskInformerOptions = {}): Informer {
  return {
    name: 'disk',
    metricTtl,
    metrics: async (options) => {
      const { repoSize, storageMax } = await connector.repoStat(options).catch((error: unknown) => {
        measures.diskWeight = 0
        throw error
      })
      const free = storageMax > repoSize ? storageMax - repoSize : 0n
      const metric: MetricValue = metricType === 'freespace'
        ? { name: metricType, value: free.toString(), weight: free, partitionable: false, valid: free > 0n }
        : { name: metricType, value: repoSize.toString(), weight: -repoSize, partitionable: false, valid: true }
      measures.diskWeight = Number(metric.weight)
      return [metric]
    }
  }
}
