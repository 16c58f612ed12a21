/** `ipfs-cluster-ctl add`. */
import { asText } from '../../../src/api/json/json.ts'
import { command, integer, text, toggle, UsageError } from './command.ts'
import { prettyJson } from './output.ts'
import { duration, pinFlags, pinRequest } from './pin-options.ts'
import { progressBar } from './progress.ts'
import { checkPaths, entriesOf, sizeOf } from './upload.ts'
import { waitUntil } from './wait.ts'
import type { AddRequest } from '../../../src/api/client/query.ts'
import type { JsonObject } from '../../../src/api/json/json.ts'
import type { CommandContext, Values } from './command.ts'

const { replicationMin, replicationMax, allocations, name, expireIn, metadata } = pinFlags
const flags = {
  recursive: toggle('add directories with what is in them', 'r'),
  quiet: toggle('print CIDs only', 'q'),
  quieter: toggle('print the last CID only: that of the whole', 'Q'),
  noStream: toggle('print when all is done; with --enc json, one array'),
  local: toggle('store on the peer that answers, and let the others fetch: done sooner, not yet replicated'),
  name, replicationMin, replicationMax, expireIn, metadata, allocations,
  noPin: toggle('store the blocks, pin nothing'),
  wait: toggle('return when it is pinned on enough peers'),
  waitTimeout: duration('how long to --wait: 30s, 5m (default: as long as it takes)', 'wt'),
  wrapWithDirectory: toggle('put it into a directory of its own, so that names are kept; always so with several paths', 'w'),
  format: text('unixfs|car', 'make a UnixFS of it, or import a CAR file as it is (default: unixfs)'),
  layout: text('balanced|trickle', 'shape of the DAG of a file (default: balanced)'),
  hidden: toggle('also names that begin with a dot, inside directories', 'H'),
  chunker: text('chunker', 'size-<bytes>, rabin-<min>-<avg>-<max> or buzhash (default: size-262144)', 's'),
  rawLeaves: toggle('raw blocks as leaves'),
  cidVersion: integer('version of CIDs; 1 turns on --raw-leaves'),
  hash: text('name', 'hash function; any but sha2-256 turns on --cid-version 1 (default: sha2-256)')
} as const
type AddFlags = Values<typeof flags>

function requestOf (given: AddFlags, paths: readonly string[]): AddRequest {
  const isCar = given.format === 'car'
  if (isCar && (paths.length > 1 || given.wrapWithDirectory)) throw new UsageError('error : only a single CAR file can be added and wrap-with-directory is not supported')
  const cidVersion = given.cidVersion === 0 && given.hash !== '' && given.hash !== 'sha2-256' ? 1 : given.cidVersion
  if (cidVersion !== 0 && cidVersion !== 1) throw new UsageError(`error : bad CID Version: unknown CID version: ${cidVersion}`)
  return {
    ...pinRequest(given, Date.now()),
    // The server names a format or layout that it does not know.
    format: given.format as AddRequest['format'], layout: given.layout as AddRequest['layout'], chunker: given.chunker, hash: given.hash, cidVersion,
    rawLeaves: given.rawLeaves || cidVersion > 0, wrapWithDirectory: given.wrapWithDirectory || (paths.length > 1 && !isCar), local: given.local, noPin: given.noPin
  }
}

async function printOne (added: JsonObject, given: AddFlags, out: CommandContext<typeof flags>['out']): Promise<void> {
  const cid = asText(added['cid'], 'cid')
  await out.value(added, () => given.quiet || given.quieter ? `${cid}\n` : `added ${cid} ${asText(added['name'], 'name')}\n`)
}

export const add = command({
  usage: '<path>…',
  description: `Adds files and directories, and pins them. Blocks go to every peer that is to hold them while they are read, so that when this returns the content is replicated.
A path may be a file, a directory (with -r), an http(s) URL, or - for stdin.`,
  examples: [
    ['add report.pdf', 'one file'],
    ['add -r --name photos ~/photos', 'a directory, under a name'],
    ['add -r -Q site', 'only the CID of the whole, for scripts'],
    ['add --replication-min 2 --replication-max 3 data.bin', 'two to three copies'],
    ['add - < backup.tar', 'from another program']
  ],
  flags,
  run: async (context) => {
    const { client, args, flags: given, out, signal, tell } = context
    if (args.length === 0) throw new UsageError('error : need at least one path')
    const request = requestOf(given, args)
    await checkPaths(args, given)
    const bar = process.stderr.isTTY && !given.quiet && !given.quieter ? progressBar(await sizeOf(args, given), tell) : undefined
    const added: JsonObject[] = []
    let last: JsonObject | undefined
    const entries = entriesOf(args, given.name === '' ? 'stdin' : given.name, given, signal)
    for await (const one of client.add(entries, { ...request, signal, onUpload: bar?.update })) {
      last = one
      bar?.clear()
      if (given.noStream && !given.quieter) added.push(one)
      else if (!given.quieter) await printOne(one, given, out)
    }
    bar?.clear()
    if (last === undefined) return
    if (given.wait && !given.noPin) await waitUntil(context, asText(last['cid'], 'cid'), 'pinned', Math.max(0, given.replicationMin), given.waitTimeout)
    if (given.quieter) await printOne(last, given, out)
    else if (given.noStream && out.encoding === 'json') await out.text(prettyJson(added))
    else for (const one of added) await printOne(one, given, out)
  }
})
