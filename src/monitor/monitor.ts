/** Shares metrics with the cluster, keeps those of others and notices when they expire. */
import type { AbortOptions, Startable } from '../component.ts'
import type { Alert, Metric, PingValue } from './metric.ts'
import type { PeerId } from '@libp2p/interface'

export interface Monitor extends Startable {
  /** Broadcasts a metric of ours and stores it here. An invalid one is not published (wire.md §4). */
  publish: (metric: Metric, options?: AbortOptions) => Promise<void>
  /** Stores a metric without publishing it (fake pings of bootstrapped peers). */
  log: (metric: Metric) => void
  /** The latest metric of each peer that is valid and not expired, sorted by peer ID bytes. */
  latestValid: (name: string) => readonly Metric[]
  /** The latest `ping` value of a peer, expired or not; undefined when none was seen. */
  latestPing: (peer: PeerId) => PingValue | undefined
  metricNames: () => readonly string[]
  /** Alerts kept, newest first (at most 1000). */
  alerts: () => readonly Alert[]
  /** Called once per alert; returns the way to stop listening. */
  onAlert: (listener: (alert: Alert) => void) => () => void
}
