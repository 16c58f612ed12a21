/** Nested partitions of peers by metric, and the round robin over them (behaviour.md §3, "balanced allocator"). */
import type { Metric } from '../monitor/metric.ts'
import type { PeerId } from '@libp2p/interface'

/** A peer with one metric per level, in order of partitioning. */
export interface RankedPeer {
  readonly peer: PeerId
  readonly metrics: readonly Metric[]
}

interface Partition {
  readonly value: string
  weight: bigint
  /** Own weight and that of everything below. */
  aggregatedWeight: bigint
  readonly members: RankedPeer[]
}

/** Peers in the order they should be picked: never two of a group while another group has peers left. */
export const sortByPartitions = (peers: readonly RankedPeer[]): readonly PeerId[] => roundRobin(partitionQueues(peers, 0).map(({ queue }) => queue))

function partitionQueues (peers: readonly RankedPeer[], level: number): ReadonlyArray<{ partition: Partition, queue: readonly PeerId[] }> {
  const depth = peers[0]?.metrics.length ?? 0
  if (level >= depth) return []
  const last = level === depth - 1
  const nested = partition(peers, level).map((group) => {
    if (last) return { partition: group, queue: group.members.map(({ peer }) => peer) }
    const below = partitionQueues(group.members, level + 1)
    for (const { partition: sub } of below) group.aggregatedWeight += sub.aggregatedWeight
    return { partition: group, queue: roundRobin(below.map(({ queue }) => queue)) }
  })
  return nested.sort((a, b) => compare(a.partition, b.partition))
}

function partition (peers: readonly RankedPeer[], level: number): Partition[] {
  const groups: Partition[] = []
  const byValue = new Map<string, Partition>()
  for (const ranked of peers) {
    const metric = ranked.metrics[level]
    if (metric === undefined) continue
    const { value, weight } = metric
    const known = metric.partitionable ? byValue.get(value) : undefined
    if (known !== undefined) {
      known.weight += weight
      known.aggregatedWeight += weight
      known.members.push(ranked)
      continue
    }
    const group: Partition = { value, weight, aggregatedWeight: weight, members: [ranked] }
    if (metric.partitionable) byValue.set(value, group)
    groups.push(group)
  }
  return groups
}

/** Weight descending, then aggregated weight descending, then value ascending by its UTF-8 bytes. */
const compare = (a: Partition, b: Partition): number =>
  descending(a.weight, b.weight) || descending(a.aggregatedWeight, b.aggregatedWeight) || compareUtf8(a.value, b.value)

const descending = (a: bigint, b: bigint): number => a === b ? 0 : a > b ? -1 : 1

const encoder = new TextEncoder()
function compareUtf8 (a: string, b: string): number {
  if (a === b) return 0
  const left = encoder.encode(a)
  const right = encoder.encode(b)
  for (const [index, byte] of left.entries()) {
    const other = right[index]
    if (other === undefined) return 1
    if (byte !== other) return byte - other
  }
  return -1
}

/** One of each queue in turn, until all are empty. */
function roundRobin (queues: ReadonlyArray<readonly PeerId[]>): readonly PeerId[] {
  const picked: PeerId[] = []
  const longest = Math.max(0, ...queues.map((queue) => queue.length))
  for (let turn = 0; turn < longest; turn++) {
    for (const queue of queues) {
      const peer = queue[turn]
      if (peer !== undefined) picked.push(peer)
    }
  }
  return picked
}
