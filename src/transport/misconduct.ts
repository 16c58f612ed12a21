/**
 * Account of members that do what no honest one does. Points fade; who has too many is disconnected and left alone for a while, longer each
 * time. Identities cost nothing to whoever has the secret: this ends accidents and single attackers, the limits themselves hold without it.
 */
import type { Logger } from '../component.ts'
import type { PeerId } from '@libp2p/interface'
import { Allowance } from '../allowance.ts'
import { peerKey } from './peer-key.ts'

export interface MisconductParts {
  readonly log: Logger
  /** Ms on a clock that never goes back. @default performance.now */
  readonly now?: (() => number) | undefined
  /** Hears of each peer that is left alone from now on. */
  readonly onRefused: (peer: PeerId) => void
}

/** Points at which a peer is refused. */
export const misconductLimit = 100
/** Time in which half of the points are forgotten, in ms. */
const halfLife = 60_000
/** How long a peer is refused, doubled each time it happens again, in ms. */
const firstRefusal = 60_000
const longestRefusal = 3_600_000
/** Peers that are remembered; those that were heard of longest ago go first. */
const maxPeers = 4096
/** Lines in the log: of more at a time only the number is told. */
const lines = { perSecond: 1 / 30, atOnce: 10 }

interface Record { points: number, at: number, refusedUntil: number, refusals: number }

export class Misconduct {
  readonly #parts: MisconductParts
  readonly #now: () => number
  readonly #records = new Map<string, Record>()
  readonly #lines: Allowance
  #untold = 0

  constructor (parts: MisconductParts) {
    this.#parts = parts
    this.#now = parts.now ?? (() => performance.now())
    this.#lines = new Allowance(lines, this.#now)
  }

  /** Peers that are remembered. */
  get size (): number { return this.#records.size }

  isRefused (peer: PeerId): boolean { return (this.#records.get(peerKey(peer))?.refusedUntil ?? -Infinity) > this.#now() }

  /** `points`: 100 are too much. */
  report (peer: PeerId, offence: string, points: number): void {
    const now = this.#now()
    const name = peerKey(peer)
    const record = this.#records.get(name) ?? { points: 0, at: now, refusedUntil: -Infinity, refusals: 0 }
    if (record.refusedUntil > now) return
    this.#parts.log.debug('%s: %s, %s points', peer, offence, points)
    record.points = record.points * 2 ** ((record.at - now) / halfLife) + points
    record.at = now
    this.#remember(name, record)
    if (record.points < misconductLimit) return
    const length = Math.min(longestRefusal, firstRefusal * 2 ** record.refusals++)
    record.points = 0
    record.refusedUntil = now + length
    this.#tell(peer, offence, length)
    this.#parts.onRefused(peer)
  }

  #remember (name: string, record: Record): void {
    this.#records.delete(name)
    this.#records.set(name, record)
    const [oldest] = this.#records.keys()
    if (this.#records.size > maxPeers && oldest !== undefined) this.#records.delete(oldest)
  }

  #tell (peer: PeerId, offence: string, length: number): void {
    if (!this.#lines.take(1)) {
      this.#untold++
      return
    }
    this.#parts.log.warn('%s misbehaves (%s): disconnected, and refused for %s s%s', peer.toString(), offence, length / 1000, this.#untold > 0 ? `; so were ${this.#untold} others that are not in the log` : '')
    this.#untold = 0
  }
}
