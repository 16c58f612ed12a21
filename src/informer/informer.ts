/** Produces the metrics of one kind that allocation and monitoring use. */
import type { AbortOptions } from '../component.ts'

/** A metric before the peer stamps it with its ID and expiry. */
export interface MetricValue {
  readonly name: string
  readonly value: string
  readonly weight: bigint
  readonly partitionable: boolean
  /** False when it could not be collected; it is then not published. */
  readonly valid: boolean
}

export interface Informer {
  /** Config name: disk, tags, pinqueue… */
  readonly name: string
  /** How long its metrics stay valid, in ms. */
  readonly metricTtl: number
  metrics: (options?: AbortOptions) => Promise<readonly MetricValue[]>
}
