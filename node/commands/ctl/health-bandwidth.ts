/** `ipfs-cluster-ctl health bandwidth`. */
import { command } from './command.ts'
import { formatBandwidth } from './format/health.ts'

export const healthBandwidth = command({
  usage: '', description: 'Shows the traffic of the peer that answers with other members, by protocol: since its start, and now. The line without a name is what no protocol accounts for.',
  examples: [['health bandwidth', 'what the cluster costs']], flags: {},
  run: async ({ client, out, signal }) => { await out.value(await client.bandwidth({ signal }), formatBandwidth) }
})
