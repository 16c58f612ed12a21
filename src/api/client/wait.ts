/** Waiting until enough peers report a status (cli.md A). */
import { systemClock } from '../../component.ts'
import { asObject, asText } from '../json/json.ts'
import type { AbortOptions, Clock } from '../../component.ts'
import type { JsonObject } from '../json/json.ts'

export interface WaitOptions extends AbortOptions {
  /** How many peers must get there; 0 = all that are to. @default 0 */
  readonly limit?: number | undefined
  /** Time between questions, in ms. @default 1000 */
  readonly interval?: number | undefined
  /** @default systemClock */
  readonly clock?: Clock | undefined
}

/** Some peer says that the status will not be reached. */
export class WaitFailedError extends Error {
  override name = 'WaitFailedError'
  readonly status: JsonObject
  constructor (target: string, status: JsonObject) {
    super(`error has occurred while attempting to reach status: ${target}`)
    this.status = status
  }
}

const failed = new Set(['undefined', 'cluster_error', 'pin_error', 'unpin_error'])
const known = new Set([...failed, 'pinned', 'pinning', 'unpinning', 'unpinned', 'remote', 'pin_queued', 'unpin_queued', 'sharded', 'unexpectedly_unpinned'])

/** Whether the answer says that the wait is over. Throws WaitFailedError. */
export function isReached (status: JsonObject, target: 'pinned' | 'unpinned', limit: number): boolean {
  const words = Object.values(asObject(status['peer_map'] ?? {}, 'peer_map')).map((info) => asText(asObject(info, 'peer_map')['status'], 'status'))
  if (words.some((word) => failed.has(word) || !known.has(word))) throw new WaitFailedError(target, status)
  if (limit > 0) return words.filter((word) => word === target).length >= Math.min(limit, words.length)
  return words.every((word) => word === target || (target === 'pinned' && word === 'remote'))
}

/** Asks until the status is reached and returns the last answer. */
export async function waitForStatus (ask: () => Promise<JsonObject>, target: 'pinned' | 'unpinned', { limit = 0, interval = 1000, clock = systemClock, signal }: WaitOptions = {}): Promise<JsonObject> {
  for (;;) {
    signal?.throwIfAborted()
    const status = await ask()
    if (isReached(status, target, limit)) return status
    await clock.sleep(interval, { signal })
  }
}
