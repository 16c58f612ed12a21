/** `ipfs-cluster-ctl health sync`. */
import { command } from './command.ts'
import { formatSync } from './format/health.ts'

export const healthSync = command({
  usage: '', description: 'Shows how far the pinset of the peer that answers has come: changes (blocks of the DAG) merged of those known, what is fetched now, what is missing below merged ones, and what its IPFS still has to pin.',
  examples: [['health sync', 'is the peer up to date'], ['--enc json health sync', 'the same for programs']], flags: {},
  run: async ({ client, out, signal }) => { await out.value(await client.sync({ signal }), formatSync) }
})
