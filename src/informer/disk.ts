/** Free or used space of the IPFS repository as a metric (wire.md §4). */
import type { IpfsConnector } from '../ipfs/ipfs.ts'
import type { Informer } from './informer.ts'

/** Options of the disk informer; `informer.disk` in the configuration. */
export interface DiskInformerOptions {
  /** Ms. @default 30_000 */
  readonly metricTtl?: number | undefined
  /** `freespace` prefers peers with much space left, `reposize` those that hold little. @default 'freespace' */
  readonly metricType?: 'freespace' | 'reposize' | undefined
}

/** Publishes `freespace` or `reposize` in bytes; a full repository is not valid, so that nothing is allocated to it. */
export function diskInformer ({ connector }: { readonly connector: Pick<IpfsConnector, 'repoStat'> }, { metricTtl = 30_000, metricType = 'freespace' }: DiskInformerOptions = {}): Informer {
  return {
    name: 'disk',
    metricTtl,
    metrics: async (options) => {
      const { repoSize, storageMax } = await connector.repoStat(options)
      const free = storageMax > repoSize ? storageMax - repoSize : 0n
      return [metricType === 'freespace'
        ? { name: metricType, value: free.toString(), weight: free, partitionable: false, valid: free > 0n }
        : { name: metricType, value: repoSize.toString(), weight: -repoSize, partitionable: false, valid: true }]
    }
  }
}
