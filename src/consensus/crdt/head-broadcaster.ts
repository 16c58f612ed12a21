/** Announces heads, and again those that nobody has announced for a while (wire.md §3.6). */
import type { Clock, Logger } from '../../component.ts'
import type { Head } from '../../crdt/heads.ts'
import type { PubSub } from '../../transport/transport.ts'
import type { CID } from 'multiformats/cid'
import { errorText } from '../../component.ts'
import { encodeBroadcast } from '../../crdt/broadcast.ts'
import { maxLinks } from '../../crdt/limits.ts'

/** Heads remembered between two ticks; further ones may be announced once too often. */
const maxSeen = 50_000
const jitter = 0.3
/** Announcements in a row that make a burst: a Go member handles heads one by one and drops what its queue does not hold. */
const burst = 8
/** Ms after the last announcement of a burst at which the heads are announced again. */
const afterBurst = [2_000, 6_000, 18_000] as const
/** Ms in which connections are collected before the heads greet them. */
const greetingDelay = 1_000

interface Components {
  readonly pubsub: Pick<PubSub, 'publish'>
  readonly clock: Clock
  /** Numbers in [0, 1). */
  readonly random: () => number
  readonly logger: Logger
  readonly heads: () => readonly Head[]
}

export class HeadBroadcaster {
  readonly #components: Components
  readonly #topic: string
  readonly #seen = new Set<string>()
  #greeting: Promise<void> | undefined
  #announcedInARow = 0
  #lastAnnounced = -Infinity

  constructor (components: Components, topic: string) {
    this.#components = components
    this.#topic = topic
  }

  /** Somebody announced this head; we need not. */
  saw (cid: CID): void { if (this.#seen.size < maxSeen) this.#seen.add(cid.toString()) }

  /** A new head. Never rejects: what is not heard now is announced again later. */
  async announce (cids: readonly CID[]): Promise<void> {
    const now = this.#components.clock.now()
    this.#announcedInARow = now - this.#lastAnnounced < afterBurst[0] ? this.#announcedInARow + 1 : 1
    this.#lastAnnounced = now
    await this.#publish(cids)
  }

  #heads (): readonly CID[] { return this.#components.heads().map(({ cid }) => cid) }

  /** As many as one message holds; nothing is sent of none. */
  async #publish (all: readonly CID[]): Promise<void> {
    const cids = all.slice(0, maxLinks)
    if (cids.length === 0) return
    try {
      await this.#components.pubsub.publish(this.#topic, encodeBroadcast(cids))
      for (const cid of cids) this.saw(cid)
    } catch (error) {
      this.#components.logger.warn('could not broadcast heads', errorText(error))
    }
  }

  /** Somebody connected: all heads are announced once, a moment later, so that a newcomer need not wait for the next tick. Never rejects. */
  async greet (signal: AbortSignal): Promise<void> {
    this.#greeting ??= this.#greet(signal).finally(() => { this.#greeting = undefined })
    await this.#greeting
  }

  async #greet (signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#components
    try {
      await clock.sleep(greetingDelay * (1 + jitter * random()), { signal })
    } catch {
      return // stopped
    }
    await this.#publish(this.#heads())
  }

  /** Announces unseen heads every `interval` ms ± 30 % until the signal fires. */
  async run (interval: number, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#components
    while (true) {
      try {
        await clock.sleep(interval * (1 - jitter + 2 * jitter * random()), { signal })
      } catch {
        return // stopped
      }
      const unseen = this.#heads().filter((cid) => !this.#seen.has(cid.toString()))
      this.#seen.clear()
      if (unseen.length === 0) continue
      this.#components.logger.debug('rebroadcasting heads', unseen.length)
      await this.#publish(unseen)
    }
  }

  /** After a burst all heads are announced again, some times over, until the signal fires. */
  async repeatAfterBursts (signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#components
    let repeated = 0
    while (true) {
      try {
        await clock.sleep(afterBurst[0], { signal })
      } catch {
        return // stopped
      }
      const quiet = clock.now() - this.#lastAnnounced
      if (quiet < afterBurst[0]) {
        repeated = 0
        continue
      }
      const due: number | undefined = afterBurst[repeated]
      if (this.#announcedInARow < burst || due === undefined || quiet < due) continue
      repeated++
      logger.debug('announcing heads again after a burst')
      await this.#publish(this.#heads())
    }
  }
}
