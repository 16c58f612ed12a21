/** `ipfs-cluster-ctl pin update`. */
import { command } from './command.ts'
import { parseCid, parseTarget } from './ids.ts'
import { pinFlags, pinRequest } from './pin-options.ts'
import { printOutcome, waitFlags } from './wait.ts'

export const pinUpdate = command({
  usage: '<existing CID> <new CID|path>',
  description: 'Pins new content with the options and on the peers of a pin that exists. Blocks that both have need not be fetched again. The old pin stays: remove it when the new one is pinned.',
  examples: [['pin update QmOld… QmNew…', 'the next version, where the last one is'], ['pin update --name v2 --wait QmOld… QmNew…', 'with a new name, and wait for it']],
  flags: { name: pinFlags.name, expireIn: pinFlags.expireIn, ...waitFlags },
  run: async (context) => {
    const { client, args, flags, signal } = context
    const from = parseCid(args[0] ?? '')
    const { name, expireAt } = pinRequest(flags, Date.now())
    const pin = await client.pin(parseTarget(args[1] ?? ''), { name, expireAt, pinUpdate: from }, { signal })
    await printOutcome({ pin, target: 'pinned' }, context, flags)
  }
})
