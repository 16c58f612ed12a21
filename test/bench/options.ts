/** The command line of the bench of servers. */
import { existsSync } from 'node:fs'
import { goPresent } from '../interop/programs.ts'
import { builtProgram, given, go, ours } from './kinds.ts'
import type { RowSettings } from './rows/row.ts'
import type { Kind } from './server.ts'

export const rowNames = ['accept', 'list', 'one', 'memory', 'restart', 'newcomer', 'add'] as const
export type RowName = typeof rowNames[number]

/** As `parseArgs` gives them. */
export interface RawOptions {
  readonly pins?: string | undefined
  readonly clients: string
  readonly rounds?: string | undefined
  readonly add: string
  readonly only: string
  readonly url: readonly string[]
  readonly pid: readonly string[]
  readonly 'only-urls': boolean
  readonly 'newcomer-pins'?: string | undefined
  readonly 'newcomer-limit'?: string | undefined
  readonly million: boolean
  readonly go: boolean
  readonly built: boolean
  readonly profile?: string | undefined
}

export interface ServerBenchOptions {
  readonly kinds: readonly Kind[]
  readonly pins: number
  readonly clients: number
  readonly rounds: number
  readonly rows: ReadonlySet<RowName>
  readonly settings: RowSettings
}

const pair = (text: string): [string, string] => {
  const at = text.indexOf('=')
  if (at < 1) throw new Error(`expected name=value, got ${text}`)
  return [text.slice(0, at), text.slice(at + 1)]
}

/** A whole number above nothing, or an error that names the option. */
function count (name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a whole number above 0, got ${text}`)
  return value
}

function rowsOf (only: string): ReadonlySet<RowName> {
  const names = only.split(',').filter((name) => name !== '')
  const known = rowNames.filter((name) => names.includes(name))
  if (known.length < names.length) throw new Error(`--only takes ${rowNames.join(', ')}; got ${only}`)
  return new Set(known.length === 0 ? rowNames : known)
}

/** Ours first, then Go where it is and is wanted, then what was given by URL. */
function kindsOf (options: RawOptions): readonly Kind[] {
  const pids = new Map(options.pid.map(pair))
  const others = options.url.map(pair).map(([name, base]) => given(name, base, pids.has(name) ? count('pid', pids.get(name) ?? '') : undefined))
  if (options['only-urls']) return others
  // Hours of Go at a million pins are nothing to run into by accident.
  if (options.built && !existsSync(builtProgram)) throw new Error('--built needs `npm run build` first')
  return [ours(options.built ? builtProgram : undefined), ...goPresent && (!options.million || options.go) ? [go] : [], ...others]
}

/** What is to be run; throws with the name of the option that is wrong. */
export function serverBenchOptions (options: RawOptions): ServerBenchOptions {
  const pins = count('pins', options.pins ?? (options.million ? '1000000' : '20000'))
  const kinds = kindsOf(options)
  if (kinds.length === 0) throw new Error('--only-urls needs a --url')
  return {
    kinds, pins,
    clients: count('clients', options.clients),
    rounds: count('rounds', options.rounds ?? (options.million ? '1' : '3')),
    rows: rowsOf(options.only === '' && options.million ? 'accept,list,one,memory,restart,newcomer' : options.only),
    settings: {
      addMebibytes: count('add', options.add),
      newcomerPins: count('newcomer-pins', options['newcomer-pins'] ?? String(options.million ? pins : Math.min(pins, 20_000))),
      joinRound: options.million,
      newcomerLimit: count('newcomer-limit', options['newcomer-limit'] ?? (options.million ? '900' : '150')),
      profile: options.profile,
      newcomers: kinds.filter((kind) => kind.controlled)
    }
  }
}
