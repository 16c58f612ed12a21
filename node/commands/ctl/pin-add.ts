/** `ipfs-cluster-ctl pin add`. */
import { command, integer, text } from './command.ts'
import { parseTarget } from './ids.ts'
import { pinFlags, pinRequest } from './pin-options.ts'
import { printOutcome, waitFlags } from './wait.ts'

export const pinAdd = command({
  usage: '<CID|path>',
  description: 'Makes the cluster keep a CID, or what a path leads to. Returns when the pin is part of the pinset; the peers then fetch the content. Prints where that stands.',
  examples: [
    ['pin add QmT78z…', 'keep it, as the cluster is configured'],
    ['pin add -r 2 --name photos QmT78z…', 'on two peers, with a name'],
    ['pin add --wait --wait-timeout 10m bafy…', 'return when it is held'],
    ['pin add /ipns/docs.example.org', 'what a name leads to now']
  ],
  flags: {
    replication: integer('peers that must hold it: sets --replication-min and --replication-max', 'r'), ...pinFlags,
    mode: text('recursive|direct', 'everything below the CID, or its own block alone (default: recursive)'), ...waitFlags
  },
  run: async (context) => {
    const { client, args, flags, signal } = context
    const target = parseTarget(args[0] ?? '')
    const factors = flags.replication === 0 ? {} : { replicationFactorMin: flags.replication, replicationFactorMax: flags.replication }
    const pin = await client.pin(target, { ...pinRequest(flags, Date.now()), ...factors, mode: flags.mode === 'direct' ? 'direct' : 'recursive' }, { signal })
    await printOutcome({ pin, target: 'pinned' }, context, flags)
  }
})
