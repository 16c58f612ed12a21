/** `ipfs-cluster-service`: what its commands and flags are (cli.md B). One file per command beside this one. */
import { Command, CommanderError } from 'commander'
import { errorText } from '../../../src/component.ts'
import { version } from '../../../src/version.ts'
import { defaultFolder, folderAt } from '../../folder.ts'
import { loggerFromEnvironment } from '../../logger.ts'
import { twoDashes } from '../arguments.ts'
import { CommandError, doing } from './context.ts'
import type { ServiceContext } from './context.ts'
import type { DaemonFlags } from './daemon.ts'
import { init } from './init.ts'
import type { InitFlags } from './init.ts'
import { invite, inviteHelp } from './invite.ts'
import type { InviteFlags } from './invite.ts'
import { stateCleanup } from './state-cleanup.ts'
import { crdtDot, crdtInfo, crdtMark, crdtRepair, dotHelp, infoHelp, markCleanHelp, markDirtyHelp, repairHelp } from './state-crdt.ts'
import { stateExport } from './state-export.ts'
import { stateImport } from './state-import.ts'
import type { ImportFlags } from './state-import.ts'
import { printVersion } from './version.ts'

export type ProcessContext = Pick<ServiceContext, 'stdin' | 'out' | 'write' | 'tell' | 'environment' | 'onSignal' | 'exitNow'>
interface GlobalFlags { readonly config?: string, readonly loglevel?: string, readonly debug?: boolean }

/** The program; `context` is made when a command runs, since it depends on the global flags. */
export function serviceProgram (streams: ProcessContext): Command {
  const program = new Command('ipfs-cluster-service')
  const context = async (): Promise<ServiceContext> => {
    const flags = program.opts<GlobalFlags>()
    const { environment } = streams
    const loglevel = flags.loglevel ?? environment['IPFS_CLUSTER_LOG_LEVEL']
    const logger = await doing('setting the log level', () => loggerFromEnvironment({ loglevel, debug: flags.debug }, environment))
    return { ...streams, logger, folder: folderAt(flags.config ?? defaultFolder(environment)) }
  }
  program
    .description('A peer of an IPFS cluster: keeps a shared set of pins with the other members and makes its own IPFS hold its share.')
    .option('-c, --config <folder>', 'configuration and data folder [$IPFS_CLUSTER_PATH] (default: ~/.ipfs-cluster)')
    .option('-f, --force', 'accepted for compatibility: commands have a --force of their own')
    .option('-d, --debug', 'log everything')
    .option('-l, --loglevel <levels>', 'level, or facility:level, separated by commas [$IPFS_CLUSTER_LOG_LEVEL]')
    .version(`ipfs-cluster-service version ${version}`, '-v, --version', 'print the version')
    .enablePositionalOptions()
    // no command, or one that does not exist
    .allowExcessArguments()
    .action(() => { throw new CommanderError(1, 'commander.help', program.helpInformation()) })
  program.command('init').argument('[source]', 'URL of a configuration to use instead of a file')
    .description('create a configuration, and an identity unless there is one')
    .option('--consensus <name>', 'consensus component: crdt', 'crdt')
    .option('--datastore <name>', 'leveldb; the sections of pebble, badger3 and badger are kept for a Go peer, the state is in LevelDB all the same', 'leveldb')
    .option('--ipfs <name>', 'kubo (over HTTP) or helia (the embedded store)', 'kubo')
    .option('-s, --custom-secret', 'ask for the cluster secret')
    .option('--peers <multiaddresses>', 'members to know and trust, separated by commas')
    .option('-f, --force', 'overwrite a configuration without asking')
    .option('--randomports', 'listen on free ports instead of the usual ones')
    .action(async (source: string | undefined, flags: InitFlags) => { await init(await context(), source, flags) })
  program.command('daemon').description('run the peer')
    .option('-j, --bootstrap <multiaddresses>', 'members to join through, separated by commas')
    .option('--no-trust', 'do not trust the members given by --bootstrap')
    .option('--stats', 'serve figures to Prometheus, as observations.metrics.enable_stats does')
    .option('--tracing', 'accepted for compatibility: tracing is not available here')
    .option('-u, --upgrade', 'accepted for compatibility')
    .option('-x, --leave', 'accepted for compatibility')
    .action(async (flags: DaemonFlags) => {
      // the peer and its libraries take a while to load: only when it runs
      const { daemon } = await import('./daemon.ts')
      await daemon(await context(), flags)
    })
  program.command('invite').description('print how another peer or a browser joins, with the secret')
    .option('--role <role>', 'of browsers, and of the peers in the commands: member or reader', 'member')
    .option('--no-secret', 'leave the secret out: whoever opens the link is asked for it')
    .option('--url <url>', 'a dashboard that is deployed elsewhere (default: the one this peer serves)')
    .addHelpText('after', inviteHelp)
    .action(async (flags: InviteFlags) => { await invite(await context(), flags) })
  const state = program.command('state').description('the pinset of this peer; its daemon must be stopped')
  state.command('export').description('write the pinset, one JSON object a line').option('-f, --file <path>', 'where to (default: stdout)')
    .action(async (flags: { readonly file?: string }) => { await stateExport(await context(), flags.file) })
  state.command('import').description('replace the pinset by an export').argument('[file]', 'where from (default: stdin)')
    .option('-f, --force', 'do not ask')
    .option('--rmin, --replication-min <n>', 'replication factor min of every pin')
    .option('--rmax, --replication-max <n>', 'replication factor max of every pin')
    .option('--allocs, --allocations <peers>', 'allocations of every pin: peer IDs, separated by commas')
    .action(async (file: string | undefined, flags: ImportFlags) => { await stateImport(await context(), file, flags) })
  state.command('cleanup').description('remove the pinset').option('-f, --force', 'do not ask')
    .action(async (flags: { readonly force?: boolean }) => { await stateCleanup(await context(), flags.force === true) })
  const crdt = state.command('crdt').description('the CRDT state behind the pinset: what it is, and mending it')
  crdt.command('info').description('print heads, height and whether blocks are missing').addHelpText('after', infoHelp)
    .action(async () => { await crdtInfo(await context()) })
  crdt.command('dot').description('write the DAG of changes as a Graphviz file').option('-f, --file <path>', 'where to (default: stdout)').addHelpText('after', dotHelp)
    .action(async (flags: { readonly file?: string }) => { await crdtDot(await context(), flags.file) })
  crdt.command('mark-dirty').description('have the next start look for missing blocks').addHelpText('after', markDirtyHelp)
    .action(async () => { await crdtMark(await context(), true) })
  crdt.command('mark-clean').description('take that mark away').addHelpText('after', markCleanHelp)
    .action(async () => { await crdtMark(await context(), false) })
  crdt.command('repair').description('mend a damaged store: keep what is readable, make the pinset anew of its blocks').addHelpText('after', repairHelp)
    .action(async () => { await crdtRepair(await context()) })
  program.command('version').description('print the version').action(async () => { printVersion(await context()) })
  return program
}

const longNames = (command: Command): string[] => [...command.options.flatMap((option) => [option.long, option.short].flatMap((name) => name?.startsWith('--') === true ? [name.slice(2)] : [])), ...command.commands.flatMap(longNames)]

/** Runs the program; its exit code. */
export async function runService (args: readonly string[], streams: ProcessContext): Promise<number> {
  const program = serviceProgram(streams)
  const quiet = (command: Command): void => {
    command.exitOverride().configureOutput({ writeOut: streams.out, writeErr: streams.tell })
    for (const inner of command.commands) quiet(inner)
  }
  quiet(program)
  const normal = twoDashes(args, new Set(longNames(program)))
  try {
    await program.parseAsync(normal, { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommandError) { streams.tell(`${error.message}\n`); return error.exitCode }
    if (!(error instanceof CommanderError)) { streams.tell(`error : ${errorText(error)}\n`); return 1 }
    if (error.code === 'commander.help' && error.exitCode === 1 && error.message !== '(outputHelp)') streams.out(error.message)
    return error.exitCode
  }
}
