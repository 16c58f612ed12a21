/** `ipfs-cluster-ctl ipfs gc`. */
import { command, toggle } from './command.ts'
import { formatRepoGc } from './format/health.ts'

export const ipfsGc = command({
  usage: '', description: 'Frees the space of what is not pinned, on the IPFS of every peer, one after the other. Lists what went; large repositories take long.',
  examples: [['ipfs gc', 'everywhere'], ['ipfs gc --local', 'only behind the peer that answers']],
  flags: { local: toggle('only the IPFS of the peer that answers') },
  run: async ({ client, flags, out, signal }) => { await out.value(await client.repoGc({ local: flags.local, signal }), formatRepoGc) }
})
