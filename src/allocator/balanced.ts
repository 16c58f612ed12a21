/** Spreads pins over groups of peers (behaviour.md §3, wire.md §6.5). */
import { InsufficientAllocationsError } from '../errors.ts'
import type { AllocationRequest, Allocator } from './allocator.ts'
import { sortByPartitions } from './partition.ts'
import type { RankedPeer } from './partition.ts'
import type { Metric } from '../monitor/metric.ts'
import type { PeerId } from '@libp2p/interface'

/** Options of the balanced allocator; `allocator.balanced` in the configuration. */
export interface BalancedOptions {
  /** Metrics to partition by, outermost first; a peer without all of them gets nothing. @default ['tag:group', 'freespace'] */
  readonly allocateBy?: readonly string[] | undefined
  /** In [0, 1): orders peers that are equal in everything. @default Math.random */
  readonly random?: (() => number) | undefined
}

/** What `allocate_by` is when nothing else is said (config.md §8). */
export const defaultAllocateBy: readonly string[] = ['tag:group', 'freespace']

/** The balanced allocator: partitions by the first metric, inside by the next, picked in turn. */
export function balancedAllocator ({ allocateBy = defaultAllocateBy, random = Math.random }: BalancedOptions = {}): Allocator {
  const metricNames = [...new Set(allocateBy)]
  return { metricNames, allocate: (request) => allocate(request, metricNames, random) }
}

function allocate (request: AllocationRequest, metricNames: readonly string[], random: () => number): readonly PeerId[] {
  const { replicationFactorMin, replicationFactorMax, current } = request
  if (replicationFactorMin < 0 && replicationFactorMax < 0) return []

  const { holding, priority, candidates } = classify(request, metricNames)
  const needed = replicationFactorMin - holding.length
  const wanted = replicationFactorMax - holding.length
  if (wanted < 0) return holding.slice(0, replicationFactorMax)
  if (needed <= 0) return current

  const available = priority.length + candidates.length
  if (available < needed) throw new InsufficientAllocationsError(needed, wanted, available)
  const ordered = [priority, candidates].flatMap((peers) => sortByPartitions(shuffled(peers, random)))
  return [...holding, ...ordered.slice(0, wanted)]
}

interface Classified {
  /** Those of `current` that qualify, in its order. */
  readonly holding: readonly PeerId[]
  readonly priority: readonly RankedPeer[]
  readonly candidates: readonly RankedPeer[]
}

/** Peers that have every metric, are not blacklisted and are eligible; each in one class. */
function classify ({ current, priority, blacklist, metrics, eligible }: AllocationRequest, metricNames: readonly string[]): Classified {
  const byPeer = new Map<string, { readonly peer: PeerId, readonly byName: Map<string, Metric> }>()
  const excluded = keySet(blacklist)
  for (const name of metricNames) {
    for (const metric of metrics.get(name) ?? []) {
      const key = metric.peer.toString()
      if (!metric.valid || excluded.has(key)) continue
      const entry = byPeer.get(key) ?? { peer: metric.peer, byName: new Map<string, Metric>() }
      entry.byName.set(name, metric)
      byPeer.set(key, entry)
    }
  }

  const qualified = new Map<string, RankedPeer>()
  for (const [key, { peer, byName }] of byPeer) {
    const ranked = metricNames.flatMap((name) => byName.get(name) ?? [])
    if (ranked.length === metricNames.length && eligible(peer)) qualified.set(key, { peer, metrics: ranked })
  }

  const currentKeys = keySet(current)
  const priorityKeys = keySet(priority)
  const others = [...qualified].filter(([key]) => !currentKeys.has(key))
  return {
    holding: [...currentKeys].flatMap((key) => qualified.get(key)?.peer ?? []),
    priority: others.filter(([key]) => priorityKeys.has(key)).map(([, ranked]) => ranked),
    candidates: others.filter(([key]) => !priorityKeys.has(key)).map(([, ranked]) => ranked)
  }
}

const keySet = (peers: readonly PeerId[]): ReadonlySet<string> => new Set(peers.map((peer) => peer.toString()))

/** Fisher-Yates, so that equal peers take turns from pin to pin. */
function shuffled<T> (items: readonly T[], random: () => number): readonly T[] {
  const mixed = [...items]
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const [a, b] = [mixed[last], mixed[other]]
    if (a === undefined || b === undefined) continue
    mixed[last] = b
    mixed[other] = a
  }
  return mixed
}
