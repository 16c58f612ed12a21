/** Metrics as they travel on the `monitor.metrics` topic (wire.md §4). */
import { DecodeError } from '../errors.ts'
import { decode, encode } from '../rpc/msgpack.ts'
import { metric as metricSchema } from '../rpc/types.ts'
import type { Metric } from './metric.ts'

const maxMetricBytes = 1024 * 1024
/** Old peers put the multicodec `09 "/msgpack\n"` in front. */
const legacyPrefix = Uint8Array.of(9, ...new TextEncoder().encode('/msgpack\n'))

/** Bytes of a metric; fields with zero values are left out. */
export const encodeMetric = (metric: Metric): Uint8Array => encode(metricSchema, metric)

/** The metric these bytes hold, with or without the old prefix. Throws DecodeError. */
export function decodeMetric (bytes: Uint8Array): Metric {
  if (bytes.length > maxMetricBytes) throw new DecodeError(`metric of ${bytes.length} bytes`)
  const prefixed = legacyPrefix.every((byte, i) => bytes[i] === byte)
  return decode(metricSchema, prefixed ? bytes.subarray(legacyPrefix.length) : bytes)
}
