/** `ipfs-cluster-ctl id`. */
import { command } from './command.ts'
import { formatPeer } from './format/peer.ts'

export const id = command({
  usage: '', description: 'Shows the peer that answers: its ID and name, how many other members it sees, its addresses, and the IPFS behind it.',
  examples: [['id', 'who am I talking to'], ['--enc json id', 'the same for programs']], flags: {},
  run: async ({ client, out, signal }) => { await out.value(await client.id({ signal }), formatPeer) }
})
