/** Notices metrics whose newest value expired (wire.md §4, "Failure detection"). */
import { isExpired } from './metric-store.ts'
import type { Alert, Metric } from './metric.ts'

/** Failed checks after which a metric that stays dead alerts again. */
const alertAgainAfter = 300

/** One alert per (peer, metric) until a valid value resets it. */
export class FailureDetector {
  #failures = new Map<string, number>()

  /** Judges the newest metrics; what is no longer among them is forgotten. */
  check (newest: Iterable<Metric>, nowMs: number): readonly Alert[] {
    const alerts: Alert[] = []
    const failures = new Map<string, number>()
    for (const metric of newest) {
      if (!isExpired(metric, nowMs)) continue
      const key = `${metric.peer.toString()} ${metric.name}`
      const failed = (this.#failures.get(key) ?? 0) + 1
      if (failed === 1) alerts.push({ ...metric, triggeredAt: nowMs })
      if (failed < alertAgainAfter) failures.set(key, failed)
    }
    this.#failures = failures
    return alerts
  }
}
