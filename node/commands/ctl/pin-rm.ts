/** `ipfs-cluster-ctl pin rm`. */
import { command } from './command.ts'
import { parseTarget } from './ids.ts'
import { printOutcome, waitFlags } from './wait.ts'

export const pinRm = command({
  usage: '<CID|path>',
  description: 'Takes a CID out of the pinset. Every peer unpins it; its IPFS frees the space at its next garbage collection.',
  examples: [['pin rm QmT78z…', 'the cluster need not keep it any more'], ['pin rm --wait QmT78z…', 'return when no peer has it pinned']],
  flags: waitFlags,
  run: async (context) => {
    const { client, args, flags, signal } = context
    const pin = await client.unpin(parseTarget(args[0] ?? ''), { signal })
    await printOutcome({ pin, target: 'unpinned' }, context, flags)
  }
})
