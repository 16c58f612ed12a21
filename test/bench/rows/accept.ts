/** Pins from many clients at once: how fast they are answered, how fast kubo has them, and what each costs. */
import { pinRun } from '../load.ts'
import { processorTime } from '../proc.ts'
import type { Server } from '../server.ts'
import type { Stage } from './row.ts'

/** Fills the server of the round; one of the pins. */
export async function accept ({ note, pins, clients, say }: Stage, { base, control, pid }: Server): Promise<string> {
  const parties = { server: pid, 'kubo stand-in': control?.standIn?.pid, client: () => process.pid }
  const used = (): number[] => Object.values(parties).map((each) => each === undefined ? Number.NaN : processorTime(each()))
  const before = used()
  const run = await pinRun(base, pins, clients, { standIn: control?.standIn, progress: say })
  const costs = used().map((seconds, index) => (seconds - (before[index] ?? Number.NaN)) / pins * 1000)
  note('accepted', run.acceptedPerSecond)
  note('pinned', run.pinnedPerSecond)
  note('p50', run.p50)
  note('p99', run.p99)
  if (costs[0] !== undefined && !Number.isNaN(costs[0])) note('processor', costs[0])
  // Says whether the bench measured the server or itself.
  say(`processor, ms a pin: ${Object.keys(parties).map((name, index) => `${name} ${costs[index]?.toFixed(2)}`).join(', ')}`)
  return run.sample
}
