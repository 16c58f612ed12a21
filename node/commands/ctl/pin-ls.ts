/** `ipfs-cluster-ctl pin ls`. */
import { command, text } from './command.ts'
import { formatPin } from './format/pin.ts'
import { parseCid } from './ids.ts'

export const pinLs = command({
  usage: '[CID]',
  description: 'Lists the pinset: what the cluster keeps, with how many copies and where. Says nothing about how far the peers are: see status.',
  examples: [['pin ls', 'everything'], ['pin ls QmT78z…', 'one pin'], ['pin ls --filter pin', 'without the parts of sharded adds'], ['--enc json pin ls', 'one JSON object for each']],
  flags: { filter: text('types', 'comma list of pin, meta-pin, clusterdag-pin, shard-pin, all (default: all)') },
  run: async ({ client, args, flags, out, signal }) => {
    const [cid] = args
    if (cid !== undefined) await out.value(await client.allocation(parseCid(cid), { signal }), formatPin)
    else await out.values(client.allocations({ filter: flags.filter === '' ? 'all' : flags.filter, signal }), formatPin)
  }
})
