/** The last metrics of every peer, bounded so that no member can fill our memory (wire.md §4). */
import type { Metric } from './metric.ts'
import type { PeerId } from '@libp2p/interface'

/** Limits on what others may make us keep. */
export interface MetricLimits {
  /** Metrics kept per name and peer. @default 25 */
  readonly window: number
  /** @default 4096 */
  readonly peers: number
  /** Different metric names per peer. @default 128 */
  readonly namesPerPeer: number
  /** Names of all peers together; beyond that each peer may have eight. @default 16_384 */
  readonly names: number
  /** UTF-16 units of a name. @default 256 */
  readonly nameLength: number
  /** UTF-16 units of a value. @default 16_384 */
  readonly valueLength: number
  /** UTF-16 units of all names and values of one peer; older values go first. @default 131_072 */
  readonly lengthPerPeer: number
  /** UTF-16 units of all names and values of all peers. @default 16_777_216 */
  readonly length: number
}

export const defaultMetricLimits: MetricLimits = { window: 25, peers: 4096, namesPerPeer: 128, names: 16_384, nameLength: 256, valueLength: 16_384, lengthPerPeer: 131_072, length: 16_777_216 }

/** Names that a peer may have however many there are. */
const fewNames = 8

interface PeerMetrics {
  readonly peer: PeerId
  readonly bytes: Uint8Array
  /** Oldest first. */
  readonly byName: Map<string, Metric[]>
  length: number
}

/** Expired: the sender's deadline has passed on our clock. */
export const isExpired = (metric: Metric, nowMs: number): boolean => metric.expire < BigInt(Math.trunc(nowMs)) * 1_000_000n

/** Metrics by peer and name; the newest of each decides. */
export class MetricStore {
  readonly #limits: MetricLimits
  readonly #peers = new Map<string, PeerMetrics>()
  /** Sorted by ID bytes. */
  readonly #sorted: PeerMetrics[] = []
  #length = 0
  #names = 0
  /** Until then, in ms, no peer of a full store is gone. */
  #allCurrentUntil = -Infinity
  readonly #near: () => readonly PeerId[]

  /** `near`: peers that get a place before those that are only heard of. */
  constructor (limits: Partial<MetricLimits> = {}, near: () => readonly PeerId[] = () => []) {
    this.#limits = { ...defaultMetricLimits, ...limits }
    this.#near = near
  }

  /** Keeps the metric; false when a limit forbids it. */
  add (metric: Metric, nowMs: number): boolean {
    const { nameLength, valueLength, namesPerPeer, lengthPerPeer, window } = this.#limits
    if (metric.name.length === 0 || metric.name.length > nameLength || metric.value.length > valueLength) return false
    const known = this.#peers.get(metric.peer.toString())
    if (known !== undefined && !known.byName.has(metric.name) && known.byName.size >= (this.#names < this.#limits.names ? namesPerPeer : fewNames)) return false
    const entry = known ?? this.#admit(metric.peer, nowMs)
    if (entry === undefined) return false

    const before = entry.length
    // When everything is full a peer may only replace what it has.
    const most = Math.min(lengthPerPeer, before + Math.max(0, this.#limits.length - this.#length))
    const namesBefore = entry.byName.size
    const kept = this.#put(entry, metric, window, most)
    this.#length += entry.length - before
    this.#names += entry.byName.size - namesBefore
    return kept
  }

  #put (entry: PeerMetrics, metric: Metric, window: number, most: number): boolean {
    const ring = entry.byName.get(metric.name) ?? []
    const size = lengthOf(metric)
    while (ring.length > 0 && (ring.length >= window || entry.length + size > most)) entry.length -= lengthOf(ring.shift())
    if (entry.length + size > most && !this.#thin(entry, metric.name, size, most)) {
      if (ring.length === 0) entry.byName.delete(metric.name)
      return false
    }
    ring.push(metric)
    entry.length += size
    entry.byName.set(metric.name, ring)
    return true
  }

  latest (name: string, peer: PeerId): Metric | undefined { return this.#peers.get(peer.toString())?.byName.get(name)?.at(-1) }

  /** The newest metric of this name of each peer that is valid and not expired, sorted by peer ID bytes. */
  latestValid (name: string, nowMs: number): readonly Metric[] {
    const found: Metric[] = []
    for (const { byName } of this.#sorted) {
      const metric = byName.get(name)?.at(-1)
      if (metric?.valid === true && !isExpired(metric, nowMs)) found.push(metric)
    }
    return found
  }

  names (): readonly string[] { return [...new Set(this.#sorted.flatMap(({ byName }) => [...byName.keys()]))] }

  /** The newest metric of each name and peer. */
  * newest (): Iterable<Metric> {
    for (const { byName } of this.#sorted) {
      for (const ring of byName.values()) {
        const metric = ring.at(-1)
        if (metric !== undefined) yield metric
      }
    }
  }

  /** UTF-16 units of everything that is kept. */
  get length (): number { return this.#length }

  /** The same of one peer, as it is kept. */
  lengthOf (peer: PeerId): number { return [...this.#peers.get(peer.toString())?.byName.values() ?? []].flat().reduce((sum, metric) => sum + lengthOf(metric), 0) }

  #admit (peer: PeerId, nowMs: number): PeerMetrics | undefined {
    const { peers, length, lengthPerPeer } = this.#limits
    if ((this.#peers.size >= peers || this.#length > length - lengthPerPeer) && !this.#evict(peer, nowMs)) return undefined
    const entry: PeerMetrics = { peer, bytes: peer.toMultihash().bytes, byName: new Map(), length: 0 }
    this.#peers.set(peer.toString(), entry)
    this.#sorted.splice(this.#placeOf(entry.bytes), 0, entry)
    return entry
  }

  /** Forgets one peer of which nothing is current; for a newcomer that is near, the newest of those that are only heard of. */
  #evict (newcomer: PeerId, nowMs: number): boolean {
    const gone = this.#findGone(nowMs)
    if (gone !== undefined) return this.#forget(gone)
    const near = new Set(this.#near().map(String))
    if (!near.has(newcomer.toString())) return false
    const far = [...this.#peers.keys()].findLast((name) => !near.has(name))
    return far !== undefined && this.#forget(far)
  }

  /** A look at all is not repeated before something can have expired. */
  #findGone (nowMs: number): string | undefined {
    if (nowMs < this.#allCurrentUntil) return undefined
    let soonest = Infinity
    for (const [name, { byName }] of this.#peers) {
      let last = 0n
      for (const ring of byName.values()) for (const { expire } of ring) if (expire > last) last = expire
      if (last < BigInt(Math.trunc(nowMs)) * 1_000_000n) return name
      soonest = Math.min(soonest, Number(last / 1_000_000n))
    }
    this.#allCurrentUntil = soonest
    return undefined
  }

  #forget (name: string): boolean {
    const entry = this.#peers.get(name)
    if (entry === undefined) return false
    this.#peers.delete(name)
    this.#length -= entry.length
    this.#names -= entry.byName.size
    this.#sorted.splice(this.#placeOf(entry.bytes), 1)
    return true
  }

  /** Where in the sorted list these bytes are, or belong. */
  #placeOf (bytes: Uint8Array): number {
    let [low, high] = [0, this.#sorted.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareBytes(this.#sorted[middle]?.bytes ?? bytes, bytes) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Drops older values of the peer's other metrics until `size` fits. */
  #thin (entry: PeerMetrics, except: string, size: number, most: number): boolean {
    for (const [name, ring] of entry.byName) {
      while (name !== except && ring.length > 1 && entry.length + size > most) entry.length -= lengthOf(ring.shift())
    }
    return entry.length + size <= most
  }
}

const lengthOf = (metric: Metric | undefined): number => metric === undefined ? 0 : metric.name.length + metric.value.length

/** Bytewise order, shorter first. */
export function compareBytes (a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let index = 0; index < shared; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
