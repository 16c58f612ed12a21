/** At most one bulk sync at a time, which the walk makes room for while it brings much. */
import type { BulkSync } from './bulk-sync.ts'
import type { Clock, Logger } from '../../component.ts'
import type { PeerId } from '@libp2p/interface'

/** Bytes in so many ms that bulk sync must bring; else the walk goes on beside it. */
const leastPace = { bytes: 256 * 1024, time: 3_000 }

interface Components {
  readonly bulk: BulkSync
  readonly clock: Clock
  readonly logger: Logger
}

export class BulkTurn {
  readonly #parts: Components
  #state: 'idle' | 'quick' | 'slow' = 'idle'
  #runs = 0

  constructor (components: Components) { this.#parts = components }

  get isRunning (): boolean { return this.#state !== 'idle' }
  /** It brings blocks so quickly that fetching them one by one would be in vain. */
  get isQuick (): boolean { return this.#state === 'quick' }
  /** How many there were. */
  get runs (): number { return this.#runs }

  /** Whether there is anybody to ask now. */
  mayRun (first: readonly PeerId[]): boolean { return this.#state === 'idle' && this.#parts.bulk.candidates(first).length > 0 }

  /** Asks members, the named ones first; `onChange` hears when it becomes slow, or quick again, and at the end. */
  async run (first: readonly PeerId[], onChange: () => void, signal: AbortSignal): Promise<void> {
    const done = new AbortController()
    this.#state = 'quick'
    this.#runs++
    const watching = this.#watch(onChange, AbortSignal.any([done.signal, signal]))
    try {
      await this.#parts.bulk.run(first)
    } finally {
      this.#state = 'idle'
      done.abort(new Error('done'))
      await watching
      onChange()
    }
  }

  /** Whoever stays slow is left for another member. */
  async #watch (onChange: () => void, signal: AbortSignal): Promise<void> {
    const { bulk, clock, logger } = this.#parts
    while (!signal.aborted) {
      const before = bulk.received
      try { await clock.sleep(leastPace.time, { signal }) } catch { return }
      const isSlow = bulk.received - before < leastPace.bytes
      if (isSlow && this.#state === 'slow') bulk.skip()
      if (isSlow === (this.#state === 'slow')) continue
      this.#state = isSlow ? 'slow' : 'quick'
      if (isSlow) logger.debug('bulk sync is slow, blocks are fetched one by one, too')
      onChange()
    }
  }
}
