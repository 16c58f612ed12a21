/** What `observations.metrics` switches on: the figures of a peer and of its process as Prometheus reads them. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import { ApiResponse, empty } from '../src/api/response.ts'
import type { Api } from '../src/api/api.ts'
import type { Cluster } from '../src/cluster/cluster.ts'
import type { ComponentLogger, Startable } from '../src/component.ts'
import type { MetricsConfig } from '../src/config/observations.ts'
import { clusterMetrics } from '../src/observations/cluster-metrics.ts'
import type { ClusterMetric, Readings } from '../src/observations/cluster-metrics.ts'
import type { Measures } from '../src/observations/measures.ts'
import { createHttpServer } from './http/server.ts'

export interface MetricsParts {
  readonly cluster: Pick<Cluster, 'sync' | 'bandwidth'>
  readonly measures: Measures
  readonly logger: ComponentLogger
}

/** Of this process, whatever peers it runs: its observers cannot be taken back. */
let processFigures: Registry | undefined
function ofProcess (): Registry {
  if (processFigures === undefined) {
    processFigures = new Registry()
    collectDefaultMetrics({ register: processFigures })
  }
  return processFigures
}

/** Registers the metric; the function brings it up to date. */
function register ({ name, help, type, read }: ClusterMetric, registry: Registry, sample: Readings): (from: Readings) => void {
  const labelNames = typeof read(sample) === 'number' ? [] : ['protocol']
  const metric = type === 'counter' ? new Counter({ name, help, labelNames, registers: [registry] }) : new Gauge({ name, help, labelNames, registers: [registry] })
  return (from) => {
    const now = read(from)
    metric.reset()
    if (typeof now === 'number') metric.inc(now)
    else for (const [protocol, value] of now) metric.inc({ protocol }, value)
  }
}

/** The figures as text, made for each request out of numbers that are kept anyway. */
export function metricsText ({ cluster, measures }: Pick<MetricsParts, 'cluster' | 'measures'>): () => Promise<string> {
  const readings = (): Readings => ({ measures, sync: cluster.sync(), bandwidth: cluster.bandwidth() })
  const registry = new Registry()
  const first = readings()
  const processRegistry = ofProcess()
  const updates = clusterMetrics.map((metric) => register(metric, registry, first))
  return async () => {
    const now = readings()
    for (const update of updates) update(now)
    return `${await registry.metrics()}${await processRegistry.metrics()}`
  }
}

/** `GET /metrics` on the configured address. Not listening yet. */
export function openMetricsEndpoint ({ cluster, measures, logger }: MetricsParts, { prometheusEndpoint }: MetricsConfig): Startable {
  const text = metricsText({ cluster, measures })
  const log = logger.forComponent('observations')
  const api: Api = {
    fetch: async ({ method, url }) => {
      if (new URL(url).pathname !== '/metrics') return empty(404)
      if (method !== 'GET' && method !== 'HEAD') return new ApiResponse({ status: 405, headers: [['allow', 'GET, HEAD']] })
      return new ApiResponse({ status: 200, headers: [['content-type', Registry.PROMETHEUS_CONTENT_TYPE]], body: await text() })
    },
    close: () => {}
  }
  const server = createHttpServer({ api, logger }, { listen: [prometheusEndpoint.toString()], listenKey: 'observations.metrics.prometheus_endpoint', accessLog: (line) => { log.debug(line) } })
  return {
    start: async () => {
      await server.start()
      for (const address of server.addresses()) log.info(`stats collection enabled on ${address}`)
    },
    stop: async () => { await server.stop() }
  }
}
