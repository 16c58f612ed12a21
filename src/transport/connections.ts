/** The connections of a node that carry streams: who is a neighbour, and whose connection goes when there are too many. */
import type { Clock } from '../component.ts'
import type { Connection, PeerId } from '@libp2p/interface'
import type { Libp2p } from 'libp2p'
import { ipOf } from './addresses.ts'

export interface WaterMarks {
  readonly high: number
  readonly low: number
  /** In ms. */
  readonly grace: number
}

type Listener = (peer: PeerId) => void

/** Keeps the list from the node's events, so that it is true the moment they fire. Relayed connections count only where there is no better one. */
export class Connections {
  readonly #byPeer = new Map<string, Set<Connection>>()
  readonly #listeners = { connect: new Set<Listener>(), disconnect: new Set<Listener>() }
  readonly #protected = new Set<string>()
  readonly #marks: WaterMarks
  readonly #clock: Clock

  constructor (node: Pick<Libp2p, 'addEventListener'>, marks: WaterMarks, clock: Clock) {
    this.#marks = marks
    this.#clock = clock
    node.addEventListener('connection:open', ({ detail }) => { if (detail.limits === undefined) this.#add(detail) })
    node.addEventListener('connection:close', ({ detail }) => { this.#remove(detail) })
  }

  peers (): readonly PeerId[] {
    return [...this.#byPeer.values()].flatMap((connections) => [...connections].slice(0, 1).map(({ remotePeer }) => remotePeer))
  }

  /** An open connection to the peer, a direct one if there is one. */
  to (peer: PeerId): Connection | undefined {
    const open = [...this.#byPeer.get(peer.toString()) ?? []].filter(({ status }) => status === 'open')
    return open.find(({ limits }) => limits === undefined) ?? open[0]
  }

  /** No better way than this relayed connection was found: it counts from now on. */
  settleFor (connection: Connection): void { this.#add(connection) }

  protect (peer: PeerId): void { this.#protected.add(peer.toString()) }

  isProtected (peer: PeerId): boolean { return this.#protected.has(peer.toString()) }

  listen (event: 'connect' | 'disconnect', listener: Listener): () => void {
    this.#listeners[event].add(listener)
    return () => { this.#listeners[event].delete(listener) }
  }

  #add (connection: Connection): void {
    if (connection.status !== 'open') return
    const name = connection.remotePeer.toString()
    const connections = this.#byPeer.get(name)
    if (connections !== undefined) {
      connections.add(connection)
      return
    }
    this.#byPeer.set(name, new Set([connection]))
    this.#announce('connect', connection.remotePeer)
    this.#trim()
  }

  #remove (connection: Connection): void {
    const name = connection.remotePeer.toString()
    const connections = this.#byPeer.get(name)
    if (connections?.delete(connection) !== true || connections.size > 0) return
    this.#byPeer.delete(name)
    this.#announce('disconnect', connection.remotePeer)
  }

  #announce (event: 'connect' | 'disconnect', peer: PeerId): void {
    for (const listener of this.#listeners[event]) listener(peer)
  }

  /** Above the high water the oldest go, down to the low water, but neither protected nor young ones; first those of hosts that have most of them. */
  #trim (): void {
    const all = [...this.#byPeer.values()].flatMap((connections) => [...connections])
    if (all.length <= this.#marks.high) return
    const youngest = this.#clock.now() - this.#marks.grace
    const hosts = Map.groupBy(all, ({ remoteAddr }) => hostOf(remoteAddr))
    const crowd = ({ remoteAddr }: Connection): number => hosts.get(hostOf(remoteAddr))?.length ?? 0
    const candidates = all
      .filter(({ remotePeer, timeline }) => !this.isProtected(remotePeer) && timeline.open <= youngest)
      .toSorted((one, other) => crowd(other) - crowd(one) || one.timeline.open - other.timeline.open)
    for (const connection of candidates.slice(0, all.length - this.#marks.low)) {
      connection.close({ signal: AbortSignal.timeout(1000) }).catch((error: unknown) => { connection.abort(error as Error) })
    }
  }
}

const hostOf = (address: Connection['remoteAddr']): string => ipOf(address)?.join('.') ?? ''
