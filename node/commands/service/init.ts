/** `ipfs-cluster-service init [source URL]` (cli.md B): a new configuration, identity and peerstore. */
import { createFolder } from '../../folder.ts'
import { lockFolder } from '../../lock.ts'
import { exists, parsePeers, setUpFolder, setUpFromSource } from '../../setup.ts'
import type { SetupOptions } from '../../setup.ts'
import { CommandError, doing } from './context.ts'
import type { ServiceContext } from './context.ts'
import { confirm, nextLine } from './prompt.ts'

export interface InitFlags {
  readonly consensus: string
  readonly datastore: string
  readonly ipfs: string
  readonly customSecret?: boolean
  readonly peers?: string
  readonly force?: boolean
  readonly randomports?: boolean
}

const datastores = ['leveldb', 'pebble', 'badger3', 'badger']

function checkChoices (flags: InitFlags): void {
  if (flags.consensus !== 'crdt' && flags.consensus !== 'raft') throw new CommandError('choosing consensus', "flag value must be set to 'raft' or 'crdt'")
  if (flags.consensus === 'raft') throw new CommandError('choosing consensus', 'raft is not available yet: use crdt')
  if (!datastores.includes(flags.datastore)) throw new CommandError('choosing datastore', `flag value must be set to one of ${datastores.join(', ')}`)
  if (flags.ipfs !== 'kubo' && flags.ipfs !== 'helia') throw new CommandError('choosing IPFS', "flag value must be set to 'kubo' or 'helia'")
}

export async function init (context: ServiceContext, source: string | undefined, flags: InitFlags): Promise<void> {
  checkChoices(flags)
  const { folder } = context
  const peers = await doing('parsing --peers', () => flags.peers === undefined ? [] : parsePeers(flags.peers, '--peers'))
  if (await exists(folder.config) && flags.force !== true && !await confirm(context, 'The configuration file will be overwritten.')) return
  const log = context.logger.forComponent('config')
  const secret = flags.customSecret === true && source === undefined ? await askSecret(context) : undefined
  const options: SetupOptions = {
    ipfs: flags.ipfs === 'helia' ? 'helia' : 'ipfshttp', peers, secret, randomPorts: flags.randomports, environment: context.environment, warn: (message) => { log.warn(message) },
    datastore: flags.datastore === 'leveldb' ? undefined : flags.datastore
  }
  await doing('creating the configuration folder', async () => { await createFolder(folder) })
  const lock = await doing('obtaining execution lock', async () => await lockFolder(folder.path))
  try {
    log.info('Saving configuration')
    const result = await doing('saving configuration', async () => source === undefined ? await setUpFolder(folder, options) : await setUpFromSource(folder, source, options))
    context.tell(`configuration written to ${folder.config}.\n`)
    if (result.newIdentity) context.tell(`new identity written to ${folder.identity}\n`)
    context.tell(result.peers === 0 ? `new empty peerstore written to ${folder.at('peerstore')}.\n` : `peerstore written to ${folder.at('peerstore')} with ${result.peers} entries.\n`)
  } finally { await lock.release() }
}

async function askSecret (context: ServiceContext): Promise<string> {
  context.out('Enter cluster secret (32-byte hex string): ')
  const secret = (await nextLine(context) ?? '').trim()
  if (!/^[0-9a-f]{64}$/i.test(secret)) throw new CommandError('parsing user-provided secret', `expected exactly 64 hexadecimal characters, got ${secret.length} characters`)
  return secret
}
