/** Pins from many clients at once: how fast they are answered, how fast kubo has them, and what each costs. */
import { pinRun } from '../load.ts'
import { costText, withCosts } from '../proc.ts'
import type { Server } from '../server.ts'
import type { Stage } from './row.ts'

/** Fills the server of the round; one of the pins. */
export async function accept ({ note, pins, clients, say }: Stage, { base, control, pid }: Server): Promise<string> {
  const parties = { server: pid, 'kubo stand-in': control?.standIn?.pid, client: () => process.pid }
  const { result, seconds } = await withCosts(parties, async () => await pinRun(base, pins, clients, { standIn: control?.standIn, progress: say }))
  note('accepted', result.acceptedPerSecond)
  note('pinned', result.pinnedPerSecond)
  note('p50', result.p50)
  note('p99', result.p99)
  const spent = seconds.get('server')
  if (spent !== undefined) note('processor', spent / pins * 1000)
  // Says whether the bench measured the server or itself.
  say(`processor, ms a pin: ${costText(seconds, pins)}`)
  return result.sample
}
