/** `ipfs-cluster-ctl health alerts`. */
import { command } from './command.ts'
import { formatAlert } from './format/health.ts'
import { prettyJson } from './output.ts'

export const healthAlerts = command({
  usage: '', description: 'Lists the metrics that ran out without a new value, newest first: a peer whose ping is here is gone.',
  examples: [['health alerts', 'is somebody missing']], flags: {},
  run: async ({ client, out, signal }) => {
    const alerts = await client.alerts({ signal })
    await out.text(out.encoding === 'json' ? prettyJson(alerts) : alerts.map(formatAlert(Date.now())).join(''))
  }
})
