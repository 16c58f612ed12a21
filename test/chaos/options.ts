/** Command line of `npm run test:chaos`. */
import { parseArgs } from 'node:util'

export type Suite = 'sim' | 'processes'

export interface ChaosOptions {
  /** How many seeds of each suite. */
  readonly seeds: Readonly<Record<Suite, number>>
  readonly suites: readonly Suite[]
  /** Only this one. */
  readonly seed: number | undefined
  /** The first of those that were not kept from earlier failures. */
  readonly from: number
  /** Go on with new seeds until so many minutes have passed; no new ones begin after. */
  readonly minutes: number | undefined
  /** Print what each seed did. */
  readonly trace: boolean
}

export const usage = `npm run test:chaos -- [--seeds 200] [--processes 20] [--seed N] [--from N] [--only sim|processes] [--minutes M] [--trace]`

export function readOptions (args: readonly string[]): ChaosOptions {
  const { values } = parseArgs({ args: [...args], options: { seeds: { type: 'string' }, processes: { type: 'string' }, seed: { type: 'string' }, from: { type: 'string' }, only: { type: 'string' }, minutes: { type: 'string' }, trace: { type: 'boolean' } } })
  const { only } = values
  if (only !== undefined && only !== 'sim' && only !== 'processes') throw new Error(`--only ${only}: sim or processes`)
  return {
    seeds: { sim: whole('seeds', values.seeds) ?? 200, processes: whole('processes', values.processes) ?? 20 },
    suites: only === undefined ? ['sim', 'processes'] : [only],
    seed: whole('seed', values.seed), from: whole('from', values.from) ?? 1, minutes: whole('minutes', values.minutes), trace: values.trace ?? false
  }
}

function whole (name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} ${text}: not a whole number`)
  return value
}
