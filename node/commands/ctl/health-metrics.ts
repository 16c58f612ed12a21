/** `ipfs-cluster-ctl health metrics`. */
import { command } from './command.ts'
import { formatMetric } from './format/health.ts'
import { prettyJson } from './output.ts'

export const healthMetrics = command({
  usage: '[name]', description: 'Lists the names of the metrics that peers publish, or the latest value of one for each peer. Where a pin goes is decided by these.',
  examples: [['health metrics', 'names'], ['health metrics freespace', 'room on each peer'], ['health metrics ping', 'who is alive']], flags: {},
  run: async ({ client, args, out, signal }) => {
    const [name] = args
    const json = out.encoding === 'json'
    if (name === undefined) {
      const names = await client.metricNames({ signal })
      await out.text(json ? prettyJson(names) : names.map((each) => `${each}\n`).join(''))
    } else {
      const metrics = await client.metrics(name, { signal })
      await out.text(json ? prettyJson(metrics) : metrics.map(formatMetric(Date.now())).join(''))
    }
  }
})
