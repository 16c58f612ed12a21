/** The log on stderr, in go-log's format, with a level per facility (config.md §10). */
import { createWriteStream } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { ComponentLogger, Logger } from '../src/component.ts'
import type { Environment } from '../src/config/config.ts'
import { InvalidConfigError } from '../src/errors.ts'

const levels = ['debug', 'info', 'warn', 'error', 'fatal'] as const
export type Level = typeof levels[number]
const aliases: Readonly<Record<string, Level>> = { warning: 'warn', notice: 'info', critical: 'fatal', dpanic: 'fatal', panic: 'fatal' }
const colours: Readonly<Record<Level, string>> = { debug: '\u001b[35m', info: '\u001b[34m', warn: '\u001b[33m', error: '\u001b[31m', fatal: '\u001b[31m' }

/** Facilities of the cluster: a bare level means all of them. Others keep `quiet` until they are named. */
const clusterFacilities = new Set(['cluster', 'service', 'restapi', 'restapilog', 'pinsvcapi', 'pinsvcapilog', 'ipfsproxy', 'ipfsproxylog', 'ipfshttp', 'helia', 'monitor', 'dsstate', 'raft', 'crdt', 'pintracker', 'diskinfo', 'tags', 'apitypes', 'config', 'shardingdags', 'singledags', 'adder', 'optracker', 'pstoremgr', 'allocator', 'exchange', 'transport', 'rpc', 'datastore', 'informer'])
const quiet: Readonly<Record<string, Level>> = { 'p2p-gorpc': 'error', swarm2: 'error', raftlib: 'error', 'libp2p-raft': 'fatal', pebble: 'warn' }

export interface LoggerOptions {
  /** `level` or `facility:level`, separated by commas. @default 'info' */
  readonly levels?: string | undefined
  /** Everything at debug level. @default false */
  readonly debug?: boolean | undefined
  /** @default 'nocolor', or 'color' on a terminal */
  readonly format?: 'color' | 'nocolor' | 'json' | undefined
  /** Where a finished line goes. @default stderr */
  readonly write?: ((line: string) => void) | undefined
  /** Texts that no line may hold: the cluster secret, private keys. */
  readonly hidden?: readonly string[] | undefined
}

export interface NodeLogger extends ComponentLogger {
  /** Adds a text that no line may hold from now on. */
  readonly hide: (text: string) => void
}

const levelOf = (word: string): Level => {
  const level = levels.find((candidate) => candidate === word.toLowerCase()) ?? aliases[word.toLowerCase()]
  if (level === undefined) throw new InvalidConfigError('loglevel', `${JSON.stringify(word)} is not a level: debug, info, warn, error or fatal`)
  return level
}

/** Level of each facility from `level,facility:level,…`; the entry `''` is the overall one. */
export function parseLevels (text: string): ReadonlyMap<string, Level> {
  const found = new Map<string, Level>()
  for (const part of text.split(',').map((item) => item.trim()).filter((item) => item !== '')) {
    const at = part.indexOf(':')
    found.set(at < 0 ? '' : part.slice(0, at), levelOf(part.slice(at + 1)))
  }
  return found
}

const textOf = (value: unknown): string => {
  if (value instanceof Error) return value.cause === undefined ? value.message : `${value.message}: ${textOf(value.cause)}`
  if (typeof value === 'string') return value
  if (typeof value === 'object' && value !== null && value.toString === Object.prototype.toString) {
    try { return JSON.stringify(value, (_, inner: unknown) => typeof inner === 'bigint' ? String(inner) : inner) } catch { return '[object]' }
  }
  return String(value)
}

/** Each `%s` and its kin takes a value; the values left over follow. */
function fill (message: string, values: readonly unknown[]): string {
  let used = 0
  const text = message.replaceAll(/%[sdiocp]/gi, (place) => used < values.length ? textOf(values[used++]) : place)
  return [text, ...values.slice(used).map(textOf)].join(' ')
}

/** `folder/file.ts:12` of whoever called the logger. */
function callerOf (): string {
  const frame = (new Error('where').stack ?? '').split('\n')[4] ?? ''
  const [, path = '', line = ''] = /\(?((?:file:\/\/)?[^()\s]+):(\d+):\d+\)?$/.exec(frame) ?? []
  return path === '' ? '-' : `${basename(dirname(path))}/${basename(path)}:${line}`
}

/** A logger whose levels come from the options. Throws InvalidConfigError for a level that does not exist. */
export function createLogger (options: LoggerOptions = {}): NodeLogger {
  const chosen = parseLevels(options.levels ?? 'info')
  const hidden = (options.hidden ?? []).filter((text) => text !== '')
  const write = options.write ?? ((line: string): void => { process.stderr.write(line) })
  const format = options.format ?? (options.write === undefined && process.stderr.isTTY ? 'color' : 'nocolor')
  const overall = chosen.get('') ?? 'info'

  const thresholdOf = (facility: string): number => {
    if (options.debug === true) return 0
    const level = chosen.get(facility) ?? (clusterFacilities.has(facility) ? overall : quiet[facility] ?? (overall === 'debug' ? 'info' : overall))
    return levels.indexOf(level)
  }
  const line = (facility: string, level: Level, message: string, values: readonly unknown[]): void => {
    let text = fill(message, values).replaceAll('\n', ' ')
    for (const secret of hidden) text = text.replaceAll(secret, 'XXX_hidden_XXX')
    const time = new Date().toISOString()
    const caller = callerOf()
    if (format === 'json') write(`${JSON.stringify({ level, ts: time, logger: facility, caller, msg: text })}\n`)
    else write(`${[time, format === 'color' ? `${colours[level]}${level.toUpperCase()}\u001b[0m` : level.toUpperCase(), facility, caller, text].join('\t')}\n`)
  }
  const facilities = new Map<string, Logger>()
  const forComponent = (facility: string): Logger => {
    const known = facilities.get(facility)
    if (known !== undefined) return known
    const threshold = thresholdOf(facility)
    const at = (level: Level) => levels.indexOf(level) < threshold ? () => {} : (message: string, ...values: unknown[]) => { line(facility, level, message, values) }
    const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
    facilities.set(facility, logger)
    return logger
  }
  return { forComponent, hide: (text) => { if (text !== '') hidden.push(text) } }
}

/** What the programs use: `--loglevel`, `--debug`, and go-log's own variables where no flag is given. */
export function loggerFromEnvironment (settings: { readonly loglevel?: string | undefined, readonly debug?: boolean | undefined }, environment: Environment): NodeLogger {
  const gologLevels = environment['GOLOG_LOG_LEVEL']?.replaceAll('=', ':')
  const wanted = environment['GOLOG_LOG_FMT']
  const file = environment['GOLOG_FILE']
  const output = environment['GOLOG_OUTPUT']?.split('+')
  const toFile = file === undefined || file === '' ? undefined : createWriteStream(file, { flags: 'a' })
  const write = toFile === undefined && output === undefined
    ? undefined
    : (line: string): void => {
        toFile?.write(line)
        if (output?.includes('stdout') === true) process.stdout.write(line)
        if (output?.includes('stderr') === true || (output === undefined && toFile === undefined)) process.stderr.write(line)
      }
  return createLogger({ levels: settings.loglevel ?? gologLevels, debug: settings.debug, format: wanted === 'json' || wanted === 'nocolor' || wanted === 'color' ? wanted : undefined, write })
}
