/** Reads arguments against the flags of a command. */
import { dashed, UsageError } from './command.ts'
import type { Flag, Flags } from './command.ts'

export interface Parsed {
  readonly values: Readonly<Record<string, unknown>>
  readonly args: readonly string[]
  readonly help: boolean
}

/** Flags by every name they have. */
function byName (flags: Flags): ReadonlyMap<string, readonly [key: string, flag: Flag<unknown>]> {
  return new Map(Object.entries(flags).flatMap(([key, flag]) => [dashed(key), ...flag.names].map((name) => [name, [key, flag] as const] as const)))
}

/** Stops at the first argument that is no flag when `leading`. A single `-` is an argument, and everything after `--` is. */
export function parseFlags (given: readonly string[], flags: Flags, { leading = false }: { readonly leading?: boolean } = {}): Parsed {
  const known = byName(flags)
  const values: Record<string, unknown> = Object.fromEntries(Object.entries(flags).map(([key, flag]) => [key, flag.initial]))
  const args: string[] = []
  let help = false
  for (let i = 0; i < given.length; i++) {
    const arg = given[i] ?? ''
    const [, name, assigned] = /^--?([^-=][^=]*)(?:=([^]*))?$/.exec(arg) ?? []
    if (arg === '--') { args.push(...given.slice(i + 1)); break }
    if (name === undefined || /^-\d/.test(arg)) {
      if (leading) { args.push(...given.slice(i)); break }
      args.push(arg)
      continue
    }
    const found = known.get(name)
    if (found === undefined) {
      if (name !== 'help' && name !== 'h') throw new UsageError(`flag provided but not defined: -${name}`)
      help = true
      continue
    }
    const [key, flag] = found
    const value = assigned ?? (flag.value === undefined ? 'true' : given[++i])
    if (value === undefined) throw new UsageError(`flag needs an argument: -${name}`)
    values[key] = flag.read(value, name, values[key])
  }
  return { values, args, help }
}
