/** `ipfs-cluster-ctl status`. */
import { parseStatusFilter } from '../../../src/pin/status.ts'
import { command, text, toggle, UsageError } from './command.ts'
import { formatStatus } from './format/pin.ts'
import { parseCid } from './ids.ts'

export const status = command({
  usage: '[CID]…',
  description: `Shows how far each peer is with each pin, or with these. A filter shows pins that have one of these statuses somewhere:
cluster_error, error, pin_error, pin_queued, pinned, pinning, queued, remote, sharded, unexpectedly_unpinned, unpin_error, unpin_queued, unpinned, unpinning.`,
  examples: [['status', 'every pin'], ['status QmT78z…', 'one'], ['status --filter error,queued', 'what is not done'], ['status --local --filter pinning', 'what the peer that answers is fetching']],
  flags: { local: toggle('only what the peer that answers has to say'), filter: text('statuses', 'comma list of statuses') },
  run: async ({ client, args, flags, out, signal }) => {
    if (flags.filter !== '' && parseStatusFilter(flags.filter) === 0) throw new UsageError('error parsing filter flag: invalid filter name')
    const cids = args.map(parseCid)
    const [only] = cids
    if (only !== undefined && cids.length === 1) await out.value(await client.status(only, { local: flags.local, signal }), formatStatus)
    else await out.values(client.statusAll({ local: flags.local, filter: cids.length === 0 ? flags.filter : '', cids, signal }), formatStatus)
  }
})
