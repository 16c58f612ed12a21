/** Metric and Alert (rest-api.md §3.5): int64 nanoseconds stay exact. */
import { formatTime, timeOf } from './time.ts'
import { peerIdOf } from './ids.ts'
import { asBigInt, asBoolean, asObject, asText } from './json.ts'
import type { Alert, Metric } from '../../monitor/metric.ts'
import type { Json, JsonObject } from './json.ts'

export const metricToJson = (metric: Metric): JsonObject => ({
  name: metric.name, peer: metric.peer.toString(), value: metric.value, expire: metric.expire, valid: metric.valid,
  weight: metric.weight, partitionable: metric.partitionable, received_at: metric.receivedAt
})

export const alertToJson = (alert: Alert): JsonObject => ({ ...metricToJson(alert), triggered_at: formatTime(alert.triggeredAt) })

export function metricFromJson (value: Json): Metric {
  const metric = asObject(value, 'metric')
  return {
    name: asText(metric['name'], 'name'), peer: peerIdOf(metric['peer'], 'peer'), value: asText(metric['value'], 'value'),
    expire: asBigInt(metric['expire'], 'expire'), valid: asBoolean(metric['valid'], 'valid'), weight: asBigInt(metric['weight'], 'weight'),
    partitionable: asBoolean(metric['partitionable'], 'partitionable'), receivedAt: asBigInt(metric['received_at'], 'received_at')
  }
}

export const alertFromJson = (value: Json): Alert => ({ ...metricFromJson(value), triggeredAt: timeOf(asObject(value, 'alert')['triggered_at'], 'triggered_at') ?? 0 })
