/** Looks after what members make us hold: bytes on their streams that nobody has read or taken, streams, and connections. */
import type { Connection, PeerId, Stream } from '@libp2p/interface'
import { unreadBytes } from './libp2p-stream.ts'
import { misconductLimit } from './misconduct.ts'

export interface StreamWatchParts {
  readonly connections: () => readonly Connection[]
  readonly penalize: (peer: PeerId, offence: string, points: number) => void
  /** Ms on a clock that never goes back. @default performance.now */
  readonly now?: (() => number) | undefined
}

export interface StreamLimits {
  /** Bytes of one peer, both ways. @default 67_108_864 */
  readonly bytesPerPeer: number
  /** Bytes of all peers; the one with most of them goes. @default 268_435_456 */
  readonly bytes: number
  /** Streams that one peer opened. @default 2048 */
  readonly streamsPerPeer: number
  /** Connections to one peer; the newest go. @default 8 */
  readonly connectionsPerPeer: number
}

export const defaultStreamLimits: StreamLimits = { bytesPerPeer: 67_108_864, bytes: 268_435_456, streamsPerPeer: 2048, connectionsPerPeer: 8 }

/** Between two looks, in ms. */
const interval = 250

interface Holding { readonly peer: PeerId, readonly connections: Connection[], bytes: number, streams: number }

export class StreamWatch {
  readonly #parts: StreamWatchParts
  readonly #limits: StreamLimits
  readonly #now: () => number
  #lookedAt = -Infinity

  constructor (parts: StreamWatchParts, limits: Partial<StreamLimits> = {}) {
    this.#parts = parts
    this.#limits = { ...defaultStreamLimits, ...limits }
    this.#now = parts.now ?? (() => performance.now())
  }

  /** Something came: time for a look, if the last one was a while ago. Without timers: where nothing comes, nothing grows. */
  touch (): void {
    const now = this.#now()
    if (now - this.#lookedAt < interval) return
    this.#lookedAt = now
    this.look()
  }

  /** One look; who holds too much is disconnected. */
  look (): void {
    const { penalize } = this.#parts
    const { bytes, bytesPerPeer, streamsPerPeer, connectionsPerPeer } = this.#limits
    const holdings = [...this.#holdings().values()].sort((one, other) => other.bytes - one.bytes)
    let all = holdings.reduce((sum, holding) => sum + holding.bytes, 0)
    for (const holding of holdings) {
      for (const connection of holding.connections.slice(connectionsPerPeer)) connection.abort(new Error('too many connections of one peer'))
      if (holding.connections.length > connectionsPerPeer) penalize(holding.peer, 'too many connections', 5)
      const offence = holding.bytes > bytesPerPeer ? `${holding.bytes} bytes wait on its streams` : all > bytes ? `most of ${all} bytes that wait on streams` : holding.streams > streamsPerPeer ? `${holding.streams} streams` : undefined
      if (offence === undefined) continue
      all -= holding.bytes
      penalize(holding.peer, offence, misconductLimit)
    }
  }

  #holdings (): Map<string, Holding> {
    const holdings = new Map<string, Holding>()
    for (const connection of this.#parts.connections()) {
      const name = connection.remotePeer.toString()
      const holding = holdings.get(name) ?? { peer: connection.remotePeer, connections: [], bytes: 0, streams: 0 }
      holdings.set(name, holding)
      holding.connections.push(connection)
      for (const stream of connection.streams) {
        holding.bytes += held(stream)
        if (stream.direction === 'inbound') holding.streams++
      }
    }
    return holdings
  }
}

const held = (stream: Stream): number => stream.readBufferLength + stream.writeBufferLength + unreadBytes(stream)
