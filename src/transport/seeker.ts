/** Connects to members that are heard of: tabs on one relay learn of each other by what they publish, and go on without the relay. */
import type { AbortOptions, Clock, Logger } from '../component.ts'
import type { PeerId } from '@libp2p/interface'
import { errorText } from '../component.ts'

export interface SeekerParts {
  readonly self: PeerId
  readonly connectedPeers: () => readonly PeerId[]
  readonly connect: (peer: PeerId, options: AbortOptions) => Promise<unknown>
  readonly clock: Clock
  readonly log: Logger
}

/** Of two that hear of each other one dials first; the other one after this time, in ms. */
const courtesy = 3_000
/** Pause before somebody is tried again, doubled each time. In ms. */
const firstPause = 15_000
const longestPause = 600_000
/** Peers whose pause is remembered, and peers that are dialled at once. */
const maxRemembered = 1000
const maxAtOnce = 2

export class Seeker {
  readonly #parts: SeekerParts
  readonly #enough: number
  readonly #abort = new AbortController()
  readonly #pauses = new Map<string, { readonly until: number, readonly length: number }>()
  readonly #seeking = new Map<string, Promise<void>>()

  /** `enough`: connections with which nobody more is sought. */
  constructor (parts: SeekerParts, enough: number) {
    this.#parts = parts
    this.#enough = enough
  }

  /** The peer is a member: it published something. */
  heard (peer: PeerId): void {
    const name = peer.toString()
    const { self, connectedPeers, clock } = this.#parts
    if (this.#abort.signal.aborted || this.#seeking.has(name) || this.#seeking.size >= maxAtOnce || peer.equals(self)) return
    if ((this.#pauses.get(name)?.until ?? 0) > clock.now()) return
    const near = connectedPeers()
    if (near.length >= this.#enough || near.some((other) => other.equals(peer))) return
    this.#seeking.set(name, this.#seek(peer, name).finally(() => { this.#seeking.delete(name) }))
  }

  /** The network is another one: everybody may be tried at once. */
  forgetPauses (): void { this.#pauses.clear() }

  async stop (): Promise<void> {
    this.#abort.abort(new Error('the transport stops'))
    await Promise.all(this.#seeking.values())
  }

  async #seek (peer: PeerId, name: string): Promise<void> {
    const { self, connectedPeers, connect, clock, log } = this.#parts
    const { signal } = this.#abort
    try {
      if (self.toString() > name) await clock.sleep(courtesy, { signal })
      if (connectedPeers().some((other) => other.equals(peer))) return
      await connect(peer, { signal })
      this.#pauses.delete(name)
    } catch (error) {
      const length = Math.min((this.#pauses.get(name)?.length ?? firstPause / 2) * 2, longestPause)
      this.#pauses.delete(name)
      this.#pauses.set(name, { until: clock.now() + length, length })
      const [oldest] = this.#pauses.keys()
      if (this.#pauses.size > maxRemembered && oldest !== undefined) this.#pauses.delete(oldest)
      log.debug('could not reach %s, who is a member: %s', peer, errorText(error))
    }
  }
}
