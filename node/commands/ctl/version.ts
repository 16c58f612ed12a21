/** `ipfs-cluster-ctl version`. */
import { asText } from '../../../src/api/json/json.ts'
import { command } from './command.ts'

export const version = command({
  usage: '', description: 'Shows the version of the peer that answers; --version before the command shows that of this program.',
  examples: [['version', 'what runs there'], ['--version', 'what runs here']], flags: {},
  run: async ({ client, out, signal }) => { await out.value(await client.version({ signal }), (value) => `${asText(value['version'], 'version')}\n`) }
})
