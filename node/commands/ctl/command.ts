/**
 * What a command of the program is: its words, its flags, what it does.
 *
 * Not commander: Go's flags have several names each, take one dash or two before a long name, and `=false` after a boolean; and this is read
 * by every run of the program, which should start at once.
 */
import type { JsonClient } from '../../../src/api/client/json-client.ts'
import type { Output } from './output.ts'

/** Wrong use of the program: told on stderr, exit 1. */
export class UsageError extends Error {
  override name = 'UsageError'
}

export interface Flag<T> {
  /** Long names and a short one besides the flag's own. */
  readonly names: readonly string[]
  /** What its value is called in help; undefined for switches. */
  readonly value: string | undefined
  readonly help: string
  readonly initial: T
  /** The value with one more occurrence of the flag. Throws UsageError. */
  read (text: string, name: string, before: T): T
}

const truths: Readonly<Record<string, boolean>> = { 1: true, t: true, T: true, TRUE: true, true: true, True: true, 0: false, f: false, F: false, FALSE: false, false: false, False: false }

/** A switch; `--flag=false` turns it off. */
export const toggle = (help: string, ...names: readonly string[]): Flag<boolean> => ({
  names, value: undefined, help, initial: false,
  read: (text, name) => {
    const value = Object.hasOwn(truths, text) ? truths[text] : undefined
    if (value === undefined) throw new UsageError(`invalid boolean value ${JSON.stringify(text)} for -${name}`)
    return value
  }
})

/** A text; empty when it is not given. */
export const text = (value: string, help: string, ...names: readonly string[]): Flag<string> => ({ names, value, help, initial: '', read: (given) => given })

/** An integer; 0 when it is not given. */
export const integer = (help: string, ...names: readonly string[]): Flag<number> => ({
  names, value: 'number', help, initial: 0,
  read: (given, name) => {
    if (!/^[+-]?\d{1,15}$/.test(given)) throw new UsageError(`invalid value ${JSON.stringify(given)} for flag -${name}: not an integer`)
    return Number(given)
  }
})

/** May be given several times. */
export const repeated = (value: string, help: string, ...names: readonly string[]): Flag<readonly string[]> => ({ names, value, help, initial: [], read: (given, _name, before) => [...before, given] })

export type Flags = Readonly<Record<string, Flag<unknown>>>
export type Values<F extends Flags> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never }

export interface CommandContext<F extends Flags> {
  readonly client: JsonClient
  readonly args: readonly string[]
  readonly flags: Values<F>
  readonly out: Output
  /** Fires on Ctrl-C. */
  readonly signal: AbortSignal
  /** Writes to stderr. */
  readonly tell: (text: string) => void
}

export interface Command<F extends Flags = Flags> {
  /** Its arguments in help: `<CID|path>`. */
  readonly usage: string
  readonly description: string
  /** What one types, and what it is for. */
  readonly examples: ReadonlyArray<readonly [line: string, purpose: string]>
  readonly flags: F
  run (context: CommandContext<F>): Promise<void>
}

/** A command whose flags keep their types inside `run`. */
export const command = <const F extends Flags> (parts: Command<F>): Command => parts as Command<Flags>

/** `replicationMin` is written `--replication-min`. */
export const dashed = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
