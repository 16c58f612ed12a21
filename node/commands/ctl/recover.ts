/** `ipfs-cluster-ctl recover`. */
import { command, toggle } from './command.ts'
import { formatStatus } from './format/pin.ts'
import { parseCid } from './ids.ts'

export const recover = command({
  usage: '[CID]',
  description: 'Tries again what is in error or should be pinned and is not: one pin, or all of them. Without a CID only what is tried again is shown.',
  examples: [['recover', 'everything that needs it'], ['recover QmT78z…', 'one pin'], ['recover --local', 'only on the peer that answers']],
  flags: { local: toggle('only on the peer that answers') },
  run: async ({ client, args, flags, out, signal }) => {
    const [cid] = args
    if (cid !== undefined) await out.value(await client.recover(parseCid(cid), { local: flags.local, signal }), formatStatus)
    else await out.values(client.recoverAll({ local: flags.local, signal }), formatStatus)
  }
})
