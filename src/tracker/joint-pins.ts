/** Pins that go to the IPFS several in one call, where many wait and their content is here already; those that fail so go alone. */
import { errorText } from '../component.ts'
import type { AbortOptions, Clock, Logger } from '../component.ts'
import type { Pin } from '../pin/pin.ts'
import type { Operation } from './operation.ts'
import type { Operations } from './operations.ts'
import type { CID } from 'multiformats/cid'

export interface JointPinsParts {
  readonly operations: Operations
  readonly pinLocal: (cids: readonly CID[], options: AbortOptions) => Promise<void>
  /** Workers that share what waits. */
  readonly workers: number
  /** What the operation is to pin; undefined when nothing any more. */
  readonly wanted: (operation: Operation) => Promise<Pin | undefined>
  readonly pinned: (operation: Operation) => void
  readonly clock: Clock
  readonly log: Logger
}

export class JointPins {
  readonly #parts: JointPinsParts
  readonly #size = new JointSize()

  constructor (parts: JointPinsParts) { this.#parts = parts }

  /** Takes others that may go with this pin, where enough wait. */
  company (operation: Operation): readonly Operation[] {
    const { operations, workers } = this.#parts
    const size = fits(operation) ? this.#size.next(operations.waiting('pin'), workers) : 1
    return size < 2 ? [] : operations.takeMore('pin', size - 1)
  }

  /** Never rejects: what is not pinned so waits again, to go alone. */
  async run (taken: readonly Operation[]): Promise<void> {
    const { operations, pinLocal, pinned, log } = this.#parts
    const group = taken.filter(fits)
    for (const operation of taken) if (!group.includes(operation)) operations.putBack(operation, operation.alone)
    const ended = Promise.withResolvers<void>()
    for (const operation of group) operation.running = ended.promise
    const abort = new AbortController()
    try {
      const begun = await this.#begin(group, abort)
      if (begun.length > 0) await pinLocal(begun.map(({ cid }) => cid), { signal: abort.signal })
      if (begun.length > 1) this.#size.succeeded()
      for (const operation of begun) {
        // Its options may have changed meanwhile.
        if (operation.pin === undefined || !isPlain(operation.pin)) operations.putBack(operation, true)
        else if (!operation.cancelled) pinned(operation)
      }
    } catch (error) {
      if (!abort.signal.aborted) {
        this.#size.failed()
        log.debug('pinning several in one call failed, each is tried alone: %s', errorText(error))
      }
      for (const operation of group.toReversed()) operations.putBack(operation, !abort.signal.aborted)
    } finally {
      ended.resolve()
    }
  }

  /** Those that can go together; one that is cancelled ends the call, and the others wait again. */
  async #begin (group: readonly Operation[], abort: AbortController): Promise<readonly Operation[]> {
    const { operations, wanted, clock } = this.#parts
    const known = await Promise.all(group.map(async (operation) => ({ operation, pin: await wanted(operation) })))
    return known.flatMap(({ operation, pin }) => {
      if (operation.cancelled) return []
      if (pin === undefined) operations.finish(operation)
      else if (!isPlain(pin)) operations.putBack(operation, true)
      else {
        const signal = operations.begin(operation, pin, clock.now())
        signal?.addEventListener('abort', () => { abort.abort(signal.reason) }, { once: true })
        return signal === undefined ? [] : [operation]
      }
      return []
    })
  }
}

const fits = ({ alone, after }: Operation): boolean => !alone && after === undefined

/** Nothing but a recursive pin. */
const isPlain = ({ maxDepth, pinUpdate, origins }: Pin): boolean => maxDepth < 0 && pinUpdate === undefined && origins.length === 0

/** Pins in one call at most. */
const most = 32
/** Where fewer wait, each goes alone. */
const few = 4
/** Part of the workers that what waits is shared among: fewer calls matter more than all of them at work. */
const busyWorkers = 0.25
/** Pins that go alone after a failure: twice as many after every further one, up to a limit. */
const firstAlone = 32
const mostAlone = 4096

/** How many go in one call: more while their content turns out to be here, one by one for a while when it was not. */
class JointSize {
  #size = 2
  #alone = 0
  #penalty = firstAlone

  next (waiting: number, workers: number): number {
    if (this.#alone > 0) {
      this.#alone--
      return 1
    }
    return waiting < few ? 1 : Math.min(this.#size, Math.ceil((waiting + 1) / Math.max(1, workers * busyWorkers)))
  }

  succeeded (): void {
    this.#size = Math.min(most, this.#size * 2)
    this.#penalty = firstAlone
  }

  failed (): void {
    this.#size = 2
    this.#alone = this.#penalty
    this.#penalty = Math.min(mostAlone, this.#penalty * 2)
  }
}
