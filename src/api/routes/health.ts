/** Health, metrics, collection of garbage. */
import { bandwidthToJson, graphToJson, repoGcToJson } from '../json/cluster.ts'
import { storageToJson, syncToJson } from '../json/events.ts'
import { alertToJson, metricToJson } from '../json/metric.ts'
import { isLocal } from '../query.ts'
import { json, noContent } from '../response.ts'
import type { Route } from './route.ts'

export const healthRoutes: readonly Route[] = [
  ['GET', '/health', () => noContent()],
  ['GET', '/health/graph', async ({ cluster, request }) => json(graphToJson(await cluster.graph(request)))],
  ['GET', '/health/alerts', ({ cluster }) => json(cluster.alerts().map(alertToJson))],
  ['GET', '/health/bandwidth', ({ cluster }) => json(bandwidthToJson(cluster.bandwidth()))],
  ['GET', '/sync', ({ cluster }) => json(syncToJson(cluster.sync()))],
  ['GET', '/storage', async ({ cluster, request }) => json(storageToJson(await cluster.storage(request)))],
  ['GET', '/monitor/metrics', ({ cluster }) => json(cluster.metricNames())],
  ['GET', '/monitor/metrics/:name', ({ cluster, param }) => json(cluster.metrics(param('name')).map(metricToJson))],
  ['POST', '/ipfs/gc', async ({ cluster, request, query }) => json(repoGcToJson(await cluster.repoGc({ signal: request.signal, local: isLocal(query) })))]
]
