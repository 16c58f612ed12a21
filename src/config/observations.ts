/** `observations`: figures for Prometheus, and tracing (config.md §8). */
import { multiaddr } from '@multiformats/multiaddr'
import { field, flag, optionalDuration, second, text } from './fields.ts'
import { multiaddrKind, numberKind } from './kinds.ts'
import { schema } from './schema.ts'
import type { SchemaValues } from './schema.ts'

export const metricsSchema = schema({
  enableStats: flag(false),
  prometheusEndpoint: field(multiaddrKind, multiaddr('/ip4/127.0.0.1/tcp/8888'), { required: true }),
  reportingInterval: optionalDuration(30 * second, { unused: 'figures are read at the moment they are asked for' })
})
export type MetricsConfig = SchemaValues<typeof metricsSchema>

const noTracing = 'tracing is not available here'

export const tracingSchema = schema({
  enableTracing: flag(false, { unused: noTracing }),
  jaegerAgentEndpoint: field(multiaddrKind, multiaddr('/ip4/0.0.0.0/udp/6831'), { required: true }),
  samplingProb: field(numberKind, 0.3, { whenMissing: 0, check: (value) => value >= 0 ? undefined : 'must not be negative' }),
  serviceName: text('cluster-daemon', { whenMissing: '' })
})
export type TracingConfig = SchemaValues<typeof tracingSchema>
