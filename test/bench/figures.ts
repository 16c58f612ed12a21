/** Every figure of the table, in its order, with the goal it has. */
import { atLeast, atMost, both, bySize, each, reaching, within } from './goals.ts'
import type { Goal } from './goals.ts'

export interface Figure {
  readonly title: string
  readonly goal?: Goal | undefined
}

/** Median of the answer: `no worse` allows what two runs of the same program differ by. */
const noWorse = atMost(1)

export const figures = {
  accepted: { title: 'pins accepted /s', goal: undefined },
  pinned: { title: 'pins accepted and pinned /s', goal: atLeast(1.5, 3) },
  p50: { title: 'answer to a pin, p50 ms', goal: undefined },
  p99: { title: 'answer to a pin, p99 ms', goal: noWorse },
  processor: { title: 'processor of the server, ms a pin', goal: undefined },
  allocationsFirst: { title: 'GET /allocations, first line ms', goal: within(50, 'ms') },
  allocations: { title: 'GET /allocations, all ms', goal: both(atMost(0.5, 0.25), bySize({ 1_000_000: within(8000, 'ms') })) },
  localFirst: { title: 'GET /pins?local=true, first line ms', goal: undefined },
  local: { title: 'GET /pins?local=true, all ms', goal: atMost(0.5, 0.25) },
  pinsFirst: { title: 'GET /pins, first line ms', goal: undefined },
  pins: { title: 'GET /pins, all ms', goal: atMost(0.5, 0.25) },
  one: { title: 'one allocation, idle, p50 ms', goal: noWorse },
  oneBusy: { title: 'one allocation while a listing streams, p50 ms', goal: noWorse },
  oneBusyWorst: { title: 'one allocation while a listing streams, p99 ms', goal: undefined },
  memory: { title: 'resident memory after the run, MB', goal: both(atMost(0.8, 0.5), bySize({ 1_000_000: within(768, 'MB') })) },
  memoryPeak: { title: 'resident memory, peak MB', goal: undefined },
  restart: { title: 'ready after restart, s', goal: both(within(3, 's'), bySize({ 1_000_000: within(10, 's') })) },
  newcomerFirst: { title: 'newcomer of ours from it: first pin, s', goal: undefined },
  newcomer: { title: 'newcomer of ours from it: all pins, s', goal: each(bySize({ 20_000: within(4, 's'), 100_000: within(20, 's'), 1_000_000: within(240, 's') }), bySize({ 20_000: within(90, 's'), 100_000: within(480, 's') })) },
  newcomerPinned: { title: 'newcomer of ours from it: all pinned, s', goal: undefined },
  goNewcomerFirst: { title: 'newcomer of Go from it: first pin, s', goal: undefined },
  goNewcomer: { title: 'newcomer of Go from it: all pins, s', goal: undefined },
  goNewcomerPinned: { title: 'newcomer of Go from it: all pinned, s', goal: undefined },
  add: { title: 'add to two members, MiB/s', goal: atLeast(1.5) },
  addLocal: { title: 'add --local, MiB/s', goal: atLeast(1) },
  addHelia: { title: 'add --local with Helia, MiB/s', goal: reaching(60, 'MiB/s') }
} as const satisfies Readonly<Record<string, Figure>>

export type FigureName = keyof typeof figures
export const figureNames = Object.keys(figures) as readonly FigureName[]
