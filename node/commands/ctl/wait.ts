/** What pinning and unpinning print: the pin, its status, or its status once it is reached. */
import { waitForStatus } from '../../../src/api/client/wait.ts'
import { asInteger, asObject, asText } from '../../../src/api/json/json.ts'
import { systemClock } from '../../../src/component.ts'
import { integer, toggle } from './command.ts'
import { formatPin, formatStatus } from './format/pin.ts'
import { duration } from './pin-options.ts'
import type { CommandContext, Flags, Values } from './command.ts'
import type { JsonObject } from '../../../src/api/json/json.ts'

export const waitFlags = {
  noStatus: toggle('print the pin, do not ask for its status', 'ns'),
  wait: toggle('return when enough peers have got there', 'w'),
  waitLimit: integer('how many peers are enough for --wait (default: the replication min of the pin; 0 = all that are to hold it)', 'wl'),
  waitTimeout: duration('how long to --wait: 30s, 5m (default: as long as it takes)', 'wt')
} as const

/** The time for --wait is over. */
export class WaitTimeoutError extends Error {
  override name = 'WaitTimeoutError'
}

const settleTime = 1000
const settling = new Set(['pin_queued', 'pinning', 'unpin_queued', 'unpinning', 'unexpectedly_unpinned'])
const isSettled = (status: JsonObject, target: 'pinned' | 'unpinned'): boolean => Object.values(asObject(status['peer_map'] ?? {}, 'peer_map')).every((info) => {
  const word = asText(asObject(info, 'peer_map')['status'], 'status')
  return !settling.has(word) && (target === 'unpinned' || word !== 'unpinned')
})

/** The status after a moment: what is quick to do is shown as done. */
async function settledStatus (ask: () => Promise<JsonObject>, target: 'pinned' | 'unpinned', signal: AbortSignal): Promise<JsonObject> {
  const end = systemClock.now() + settleTime
  for (let pause = 25; ; pause = Math.min(pause * 2, 250)) {
    const status = await ask()
    if (isSettled(status, target) || systemClock.now() + pause > end) return status
    await systemClock.sleep(pause, { signal })
  }
}

/** Waits as the flags say. Throws WaitTimeoutError. */
export async function waitUntil ({ client, signal }: Pick<CommandContext<Flags>, 'client' | 'signal'>, cid: string, target: 'pinned' | 'unpinned', limit: number, timeout: number): Promise<JsonObject> {
  const deadline = timeout === 0 ? undefined : AbortSignal.timeout(timeout)
  const both = deadline === undefined ? signal : AbortSignal.any([signal, deadline])
  try {
    return await waitForStatus(async () => await client.status(cid, { signal: both }), target, { limit, signal: both })
  } catch (error) {
    if (deadline?.aborted === true && !signal.aborted) throw new WaitTimeoutError(`context deadline exceeded: not ${target} after ${timeout / 1000} seconds`, { cause: error })
    throw error
  }
}

export interface Outcome {
  readonly target: 'pinned' | 'unpinned'
  /** What the API answered: a pin. */
  readonly pin: JsonObject
}

/** Prints what became of a pin. */
export async function printOutcome ({ pin, target }: Outcome, context: Pick<CommandContext<Flags>, 'client' | 'signal' | 'out'>, flags: Values<typeof waitFlags>): Promise<void> {
  const { client, signal, out } = context
  if (flags.noStatus && !flags.wait) { await out.value(pin, formatPin); return }
  const cid = asText(pin['cid'], 'cid')
  const limit = flags.waitLimit !== 0 ? flags.waitLimit : target === 'pinned' ? Math.max(0, asInteger(pin['replication_factor_min'], 'replication_factor_min')) : 0
  const status = flags.wait ? await waitUntil(context, cid, target, limit, flags.waitTimeout) : await settledStatus(async () => await client.status(cid, { signal }), target, signal)
  await (flags.noStatus ? out.value(pin, formatPin) : out.value(status, formatStatus))
}
