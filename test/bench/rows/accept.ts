/** Pins from many clients at once: how fast they are answered, and how fast kubo has them. */
import { pinRun } from '../load.ts'
import type { Server } from '../server.ts'
import type { Stage } from './row.ts'

/** Fills the server of the round; one of the pins. */
export async function accept ({ note, pins, clients, say }: Stage, { base, control }: Server): Promise<string> {
  const run = await pinRun(base, pins, clients, { standIn: control?.standIn, progress: say })
  note('accepted', run.acceptedPerSecond)
  note('pinned', run.pinnedPerSecond)
  note('p50', run.p50)
  note('p99', run.p99)
  return run.sample
}
