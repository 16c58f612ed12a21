/** `ipfs-cluster-ctl peers rm`. */
import { command } from './command.ts'
import { parsePeer } from './ids.ts'

export const peersRm = command({
  usage: '<peer ID>', description: 'Removes a member. In a CRDT cluster members come and go by themselves: stop the peer instead.',
  examples: [['peers rm 12D3KooW…', 'remove this member']], flags: {},
  run: async ({ client, args, signal }) => { await client.peerRemove(parsePeer(args[0] ?? '', 'parsing peer ID'), { signal }) }
})
