/** Flags that every way of pinning shares. */
import { errorText } from '../../../src/component.ts'
import { parseDuration } from '../../../src/pin/go-duration.ts'
import { integer, repeated, text, UsageError } from './command.ts'
import { parsePeers } from './ids.ts'
import type { Flag, Values } from './command.ts'
import type { PinRequest } from '../../../src/api/client/query.ts'

/** A Go duration, in ms; 0 when it is not given. */
export const duration = (help: string, ...names: readonly string[]): Flag<number> => ({
  names, value: 'duration', help, initial: 0,
  read: (given, name) => {
    // Bare numbers are seconds, as the help of the reference says of them.
    try { return /^\d+$/.test(given) ? Number(given) * 1000 : parseDuration(given) } catch (cause) { throw new UsageError(`invalid value ${JSON.stringify(given)} for flag -${name}: ${errorText(cause)}`, { cause }) }
  }
})

export const pinFlags = {
  replicationMin: integer('fewest peers that must hold it; -1 = everywhere, 0 = as the cluster is configured', 'rmin'),
  replicationMax: integer('most peers that may hold it; -1 = everywhere, 0 = as the cluster is configured', 'rmax'),
  allocations: text('peers', 'comma list of peer IDs that should hold it if they can', 'allocs'),
  name: text('name', 'a name for the pin', 'n'),
  expireIn: duration('unpin it after this time: 90m, 24h'),
  metadata: repeated('key=value', 'keep this with the pin; may be given several times')
} as const

function metadataOf (pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(pairs.map((pair) => {
    const at = pair.indexOf('=')
    if (at <= 0) throw new UsageError(`error parsing metadata: ${JSON.stringify(pair)} is not key=value`)
    return [pair.slice(0, at), pair.slice(at + 1)] as const
  }))
}

/** The request that these flags ask for; `now` in unix ms. */
export function pinRequest (flags: Pick<Values<typeof pinFlags>, 'name' | 'expireIn'> & Partial<Values<typeof pinFlags>>, now: number): PinRequest {
  return {
    name: flags.name, replicationFactorMin: flags.replicationMin ?? 0, replicationFactorMax: flags.replicationMax ?? 0,
    userAllocations: parsePeers(flags.allocations ?? ''), metadata: metadataOf(flags.metadata ?? []),
    expireAt: flags.expireIn === 0 ? undefined : now + flags.expireIn
  }
}
