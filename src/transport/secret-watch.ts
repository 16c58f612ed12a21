/** Remembers who turned out to use another secret: one log line each in a while, and no dialling storm. */
import type { Clock, Logger } from '../component.ts'
import type { Multiaddr } from '@multiformats/multiaddr'
import { ipOf, withoutPeer } from './addresses.ts'

/** The same host is named in the log again after this time, in ms. */
const logInterval = 600_000
/** An address is dialled again after 1 min, then after twice that each time, up to half an hour. */
const firstPause = 60_000
const longestPause = 1_800_000
/** Hosts and addresses kept; the oldest go first. */
const limit = 1000

interface Pause { readonly until: number, readonly length: number }

/** What the protector reports and the dialler asks. */
export class SecretWatch {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #logged = new Map<string, number>()
  readonly #paused = new Map<string, Pause>()

  constructor (clock: Clock, log: Logger) {
    this.#clock = clock
    this.#log = log
  }

  report (remote: Multiaddr, direction: 'inbound' | 'outbound'): void {
    const now = this.#clock.now()
    if (direction === 'outbound') {
      const address = withoutPeer(remote)
      const length = Math.min((this.#paused.get(address)?.length ?? firstPause / 2) * 2, longestPause)
      remember(this.#paused, address, { until: now + length, length })
    }
    // Inbound connections come from a new port each time, and whom we dial often dials us.
    const host = ipOf(remote)?.join('.') ?? withoutPeer(remote)
    if (now - (this.#logged.get(host) ?? -Infinity) < logInterval) return
    remember(this.#logged, host, now)
    this.#log.warn(`connection ${direction === 'inbound' ? 'from' : 'to'} ${withoutPeer(remote)} refused: different cluster secret?`)
  }

  /** The address was found to use another secret a short while ago. */
  isPaused (address: Multiaddr): boolean {
    return (this.#paused.get(withoutPeer(address))?.until ?? 0) > this.#clock.now()
  }

  /** A connection to the address succeeded. */
  forget (address: Multiaddr): void { this.#paused.delete(withoutPeer(address)) }
}

function remember<T> (map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > limit && oldest !== undefined) map.delete(oldest)
}
