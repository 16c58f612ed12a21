/** What happens when there is no room: what failed attempts left is removed, and everybody waits until there may be room again. */
import { errorText } from '../component.ts'
import type { Clock, Logger } from '../component.ts'
import type { IpfsConnector } from '../ipfs/ipfs.ts'
import { Wakeable } from './wakeable.ts'

export interface RoomMakerParts {
  readonly connector: Pick<IpfsConnector, 'repoGc'>
  readonly clock: Clock
  readonly log: Logger
}

export class RoomMaker {
  readonly #parts: RoomMakerParts
  readonly #pause: number
  readonly #waiting: Wakeable
  #making: Promise<void> | undefined
  /** Pauses in a row without a pin that fitted. */
  #pauses = 0
  #triedAgain = false

  /** `pause` in ms; it doubles, up to 16 times, while nothing fits. */
  constructor (parts: RoomMakerParts, pause: number) {
    this.#parts = parts
    this.#pause = pause
    this.#waiting = new Wakeable(parts.clock)
  }

  /** Resolves when there may be room; never rejects. */
  async ready (): Promise<void> { await this.#making }

  /** Something found no room. */
  full (signal: AbortSignal): void {
    if (!signal.aborted) this.#making ??= this.#make(signal).finally(() => { this.#making = undefined })
  }

  /** Something fitted. */
  fitted (): void {
    this.#pauses = 0
    this.#triedAgain = false
  }

  /** Something was unpinned. */
  freed (): void { this.#waiting.wake() }

  async #make (signal: AbortSignal): Promise<void> {
    const { connector, log } = this.#parts
    try {
      let removed = 0
      for await (const { error } of connector.repoGc({ signal, keepRecent: true })) if (error === '') removed++
      // Without what failed attempts left, the next may fit. After that only time or an unpin helps.
      if (removed > 0 && !this.#triedAgain) this.#triedAgain = true
      else {
        const pause = this.#pause * 2 ** Math.min(4, this.#pauses++)
        log.info('no room for more of what is pinned everywhere: next look in %d s', pause / 1000)
        await this.#waiting.sleep(pause, signal)
      }
    } catch (error) {
      if (!signal.aborted) log.warn('could not make room: %s', errorText(error))
    }
  }
}
