/** `ipfs-cluster-ctl peers ls`. */
import { command } from './command.ts'
import { formatPeer } from './format/peer.ts'

export const peersLs = command({
  usage: '', description: 'Lists the members of the cluster. Each is asked; one that does not answer within 15 seconds is shown with its error.',
  examples: [['peers ls', 'everybody, with addresses'], ['--enc json peers ls', 'one JSON object for each']], flags: {},
  run: async ({ client, out, signal }) => { await out.values(client.peers({ signal }), formatPeer) }
})
