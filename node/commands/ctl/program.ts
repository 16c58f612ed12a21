/** `ipfs-cluster-ctl`: from arguments to exit code. */
import { errorText } from '../../../src/component.ts'
import { version } from '../../../src/version.ts'
import { UsageError } from './command.ts'
import { commandNames, findCommand } from './commands.ts'
import { globalFlags } from './globals.ts'
import { commandHelp, groupHelp, programHelp } from './help.ts'
import { Output, prettyJson } from './output.ts'
import { parseFlags } from './parse.ts'
import type { JsonClient } from '../../../src/api/client/json-client.ts'
import type { Values } from './command.ts'
import type { Encoding } from './output.ts'

/** What the program needs of the process it runs in. */
export interface ProgramStreams {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly out: (text: string) => void
  readonly write: (bytes: Uint8Array) => Promise<void>
  readonly tell: (text: string) => void
  readonly onSignal: (listener: (signal: string) => void) => () => void
  readonly exitNow: (code: number) => void
}

/** Exit codes, as the reference's. */
export const exitCodes = { ok: 0, local: 1, api: 2, unknownCommand: 3, waitTimeout: 62, cancelled: 125 } as const

type Globals = Values<typeof globalFlags>
const named = (error: unknown, name: string): boolean => error instanceof Error && error.name === name

/** Loaded when there is something to ask: help should be there at once. */
async function clientOf (flags: Globals, streams: ProgramStreams): Promise<JsonClient> {
  const [{ JsonClient }, { nodeTransport }, { parseHosts, urlOf }] = await Promise.all([import('../../../src/api/client/json-client.ts'), import('../../http/client-transport.ts'), import('./endpoints.ts')])
  if (flags.secret !== '') throw new UsageError('error : --secret is for the API over libp2p, which is not available yet: use the HTTP address of the API')
  const given = flags.basicAuth === '' ? streams.environment['CLUSTER_CREDENTIALS'] ?? '' : flags.basicAuth
  const https = flags.https || (given !== '' && !flags.forceHttp)
  const endpoints = await parseHosts(flags.host === '' ? '/ip4/127.0.0.1/tcp/9094' : flags.host, https)
  const colon = given.indexOf(':')
  const credentials = given === '' ? undefined : colon < 0 ? { user: given, password: '' } : { user: given.slice(0, colon), password: given.slice(colon + 1) }
  const onRequest = flags.debug ? ({ method, url }: { method: string, url: string }) => { streams.tell(`${method}: ${url}\n`) } : undefined
  return new JsonClient({ url: urlOf(endpoints[0]), credentials, transport: nodeTransport({ endpoints, timeout: flags.timeout * 1000, checkCertificate: !flags.noCheckCertificate, onRequest }) })
}

function encodingOf (flags: Globals): Encoding {
  if (flags.encoding === '' || flags.encoding === 'text') return 'text'
  if (flags.encoding === 'json') return 'json'
  throw new UsageError('error : unsupported encoding')
}

/** Tells what went wrong, where the reference tells it, and gives the exit code. */
async function told (error: unknown, encoding: Encoding, streams: ProgramStreams): Promise<number> {
  if (named(error, 'ApiError')) {
    const { code, message } = error as Error & { readonly code: number }
    const shown = encoding === 'json' ? prettyJson({ code, message }) : `An error occurred:\n  Code: ${code}\n  Message: ${message}\n`
    await streams.write(new TextEncoder().encode(shown))
    return code === 0 ? exitCodes.local : exitCodes.api
  }
  if (named(error, 'WaitTimeoutError')) {
    streams.tell(`error waiting for pin status: ${errorText(error)}\n`)
    return exitCodes.waitTimeout
  }
  if (named(error, 'WaitFailedError')) streams.tell(`error waiting for pin status: ${errorText(error)}\n`)
  else streams.tell(errorText(error).startsWith('error ') ? `${errorText(error)}\n` : `error : ${errorText(error)}\n`)
  return exitCodes.local
}

async function runCommand (flags: Globals, words: readonly string[], streams: ProgramStreams): Promise<number> {
  const encoding = encodingOf(flags)
  const found = findCommand(words)
  if (found === undefined) { streams.tell(`No help topic for '${words.find((word, index) => !commandNames.some((name) => name.startsWith(words.slice(0, index + 1).join(' ')))) ?? words[0] ?? ''}'\n`); return exitCodes.unknownCommand }
  if (found.kind === 'group') { streams.out(groupHelp(found.name)); return exitCodes.ok }
  const command = await found.load()
  let parsed
  try { parsed = parseFlags(found.rest, command.flags) } catch (error) {
    streams.tell(`Incorrect Usage: ${errorText(error)}\nSee: ipfs-cluster-ctl ${found.name} --help\n`)
    return exitCodes.local
  }
  if (parsed.help) { streams.out(commandHelp(found.name, command)); return exitCodes.ok }
  const controller = new AbortController()
  const stopListening = streams.onSignal(() => {
    if (controller.signal.aborted) streams.exitNow(exitCodes.cancelled)
    controller.abort(new Error('cancelled'))
  })
  try {
    await command.run({ client: await clientOf(flags, streams), args: parsed.args, flags: parsed.values, out: new Output(encoding, streams.write), signal: controller.signal, tell: streams.tell })
    return exitCodes.ok
  } catch (error) {
    if (!controller.signal.aborted) return await told(error, encoding, streams)
    streams.tell('cancelled\n')
    return exitCodes.cancelled
  } finally {
    stopListening()
  }
}

/** Runs the program with these arguments; the exit code. */
export async function runCtl (args: readonly string[], streams: ProgramStreams): Promise<number> {
  let parsed
  try { parsed = parseFlags(args, globalFlags, { leading: true }) } catch (error) {
    streams.tell(`Incorrect Usage: ${errorText(error)}\nSee: ipfs-cluster-ctl --help\n`)
    return exitCodes.local
  }
  const flags = parsed.values as Globals
  if (flags.version) { streams.out(`ipfs-cluster-ctl version ${version}\n`); return exitCodes.ok }
  const [first, ...others] = parsed.args
  if (parsed.help || first === undefined) { streams.out(programHelp()); return exitCodes.ok }
  if (first === 'help' || first === 'h') {
    if (others.length === 0) { streams.out(programHelp()); return exitCodes.ok }
    return await runCommand(flags, [...others, '--help'], streams)
  }
  if (first === 'commands') { streams.out([...commandNames, 'commands', 'help'].map((name) => `ipfs-cluster-ctl ${name}\n`).join('')); return exitCodes.ok }
  try {
    return await runCommand(flags, parsed.args, streams)
  } catch (error) {
    return await told(error, 'text', streams)
  }
}
