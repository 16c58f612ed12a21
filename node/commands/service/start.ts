/** `npm start [-- flags]`: a peer with the embedded store, set up at its first start. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { defaultFolder, folderAt } from '../../folder.ts'
import { loggerFromEnvironment } from '../../logger.ts'
import type { NodePeer } from '../../peer.ts'
import { exists, parsePeers, setUpFolder } from '../../setup.ts'
import { webUiFolder } from '../../webui.ts'
import { version } from '../../../src/version.ts'
import { CommandError, doing } from './context.ts'
import type { ServiceContext } from './context.ts'
import type { ProcessContext } from './program.ts'
import { runPeer } from './run-peer.ts'
import { dashboardUrl, urlOf } from './urls.ts'

interface StartFlags {
  readonly config?: string
  readonly loglevel?: string
  readonly debug?: boolean
  readonly bootstrap?: string
  readonly randomports?: boolean
  readonly trust?: boolean
}

const dashboardRow = (rest: readonly string[], isTls: boolean): string =>
  existsSync(join(webUiFolder(), 'index.html')) ? dashboardUrl(rest, isTls) ?? 'off: the REST API listens on no port' : 'not built: npm run build:webui'

/** What the peer is and how to go on; the one block that a start prints. */
export function readyBlock (peer: NodePeer, folder: string, isDefaultFolder: boolean): string {
  const { ipfsConnector: ipfs, consensus, api: { restapi } } = peer.config
  const isTls = restapi !== undefined && restapi.sslCertFile !== ''
  const [rest] = peer.restAddresses()
  const environment = isDefaultFolder ? '' : `IPFS_CLUSTER_PATH=${folder} `
  const ctl = `npm run -s ctl --${rest === undefined || rest === '/ip4/127.0.0.1/tcp/9094' ? '' : ` --host ${rest}`}`
  const content = ipfs.kind === 'ipfshttp'
    ? [`kubo at ${ipfs.ipfshttp.nodeMultiaddress.toString()}, on the networks that kubo is on`]
    : ipfs.helia.network === 'private'
      ? ['embedded store, private: content moves between the members of this cluster only.', 'A CID from the public network is pinned only when a member (or its kubo) has it;', 'set ipfs_connector.helia.network to "public" to fetch from everybody.']
      : ['embedded store, public: content also moves over the public IPFS network.', 'Any CID can be pinned, and what this peer keeps can be fetched by everybody.']
  const rows: ReadonlyArray<readonly [string, readonly string[]]> = [
    ['Peer', [`${peer.peerId.toString()} (${peer.name})`]],
    ['Cluster', [consensus.crdt.clusterName]],
    ['Addresses', peer.addresses().map(String)],
    ['REST API', peer.restAddresses().length === 0 ? ['off'] : peer.restAddresses().map((address) => urlOf(address, isTls))],
    ['Dashboard', [dashboardRow(peer.restAddresses(), isTls)]],
    ['Content', content],
    ['Folder', [folder]],
    ['Add a file', [`${ctl} add FILE`]],
    ['A second peer', [`${environment}npm run -s service -- invite   (prints the command it joins with)`]]
  ]
  return ['', `pinswarm ${version} is ready. Ctrl-C stops it.`, '', ...rows.flatMap(([label, lines]) => lines.map((line, index) => `  ${(index === 0 ? label : '').padEnd(14)}${line}`)), '', ''].join('\n')
}

async function start (context: ServiceContext, flags: StartFlags): Promise<void> {
  const { folder, environment, logger } = context
  const bootstrap = await doing('parsing --bootstrap', () => parsePeers(flags.bootstrap ?? '', '--bootstrap'))
  const isNew = !await exists(folder.config)
  if (isNew) {
    await doing('saving configuration', async () => await setUpFolder(folder, { ipfs: 'helia', environment, randomPorts: flags.randomports, warn: (message) => { logger.forComponent('config').warn(message) } }))
    context.tell(`configuration written to ${folder.config}.\n`)
  } else if (flags.randomports === true) context.tell('--randomports only counts when the configuration is made: the ports in the file are used\n')
  await runPeer(context, { bootstrap, trust: flags.trust !== false, onReady: (peer) => { context.out(readyBlock(peer, folder.path, folder.path === folderAt(defaultFolder({ HOME: environment['HOME'] })).path)) } })
}

/** Runs it; its exit code. */
export async function runStart (args: readonly string[], streams: ProcessContext): Promise<number> {
  const program = new Command('npm start --')
    .description('Runs a full peer with the embedded store, and sets it up at its first start.')
    .option('-c, --config <folder>', 'configuration and data folder [$IPFS_CLUSTER_PATH] (default: ~/.ipfs-cluster)')
    .option('-j, --bootstrap <multiaddresses>', 'members to join through, separated by commas')
    .option('--no-trust', 'do not trust the members given by --bootstrap')
    .option('--randomports', 'a new configuration listens on free ports instead of the usual ones')
    .option('-l, --loglevel <levels>', 'level, or facility:level, separated by commas [$IPFS_CLUSTER_LOG_LEVEL]')
    .option('-d, --debug', 'log everything')
    .exitOverride().configureOutput({ writeOut: streams.out, writeErr: streams.tell })
  try {
    program.parse(args, { from: 'user' })
    const flags = program.opts<StartFlags>()
    const { environment } = streams
    const logger = await doing('setting the log level', () => loggerFromEnvironment({ loglevel: flags.loglevel ?? environment['IPFS_CLUSTER_LOG_LEVEL'] ?? (environment['GOLOG_LOG_LEVEL'] === undefined ? 'warn' : undefined), debug: flags.debug }, environment))
    await start({ ...streams, logger, folder: folderAt(flags.config ?? defaultFolder(environment)) }, flags)
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode
    streams.tell(`${error instanceof CommandError ? error.message : `error : ${String(error)}`}\n`)
    return 1
  }
}
