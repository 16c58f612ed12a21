/**
 * The status of everything: an operation where there is one, otherwise what the pinset wants and the IPFS holds (behaviour.md §5).
 * Nothing is held but the pins of the IPFS, at 17 bytes each.
 */
import { errorText } from '../component.ts'
import { cidKey, textKey } from '../pin/keys.ts'
import { isAllocatedTo, isEverywhere } from '../pin/pin.ts'
import { shortText, ShortTexts, summaryOfLine, summaryText } from '../pin/status-text.ts'
import { matchesFilter, trackerStatusBits } from '../pin/status.ts'
import { IpfsPins } from './ipfs-pins.ts'
import { listOperations } from './operation-listing.ts'
import { statusOf } from './operation.ts'
import type { AbortOptions, Clock, Logger } from '../component.ts'
import type { PinsetReader } from '../consensus/consensus.ts'
import type { IpfsConnector } from '../ipfs/ipfs.ts'
import type { PingValue } from '../monitor/metric.ts'
import type { PinInfo, PinInfoShort } from '../pin/pin-info.ts'
import type { PinJson } from '../pin/pin-json.ts'
import type { Pin } from '../pin/pin.ts'
import type { StatusText } from '../pin/status-text.ts'
import type { StatusFilter } from '../pin/status.ts'
import type { OperationState } from './operation.ts'
import type { Operations } from './operations.ts'
import type { PeerId } from '@libp2p/interface'

export interface ListingParts {
  readonly peerId: PeerId
  readonly pinset: Pick<PinsetReader, 'get' | 'pins' | 'listed'>
  readonly connector: Pick<IpfsConnector, 'pins' | 'pinnedKeys'>
  readonly operations: Operations
  readonly identity: () => PingValue
  /** What an operation says of its pin. */
  readonly infoOf: (pin: Pin, state: OperationState) => PinInfo
  readonly shortOf: (state: OperationState) => PinInfoShort
  /** This peer is light: what is pinned everywhere it need not hold. */
  readonly isLight: boolean
  readonly clock: Clock
  readonly log: Logger
}

/** What a listing says of a pin without an operation. */
export interface Derived {
  readonly status: 'sharded' | 'remote' | 'pinned' | 'unexpectedly_unpinned'
  readonly error: string
}

/** One pin of a listing. */
export type Listed = { readonly pin: Pin, readonly operation: OperationState } | { readonly pin: Pin, readonly derived: Derived }

/** Statuses that are not an operation's: a filter for one of them needs the pinset. */
const settledBits = trackerStatusBits.pinned | trackerStatusBits.unexpectedly_unpinned | trackerStatusBits.sharded | trackerStatusBits.remote
const ipfsBits = trackerStatusBits.pinned | trackerStatusBits.unexpectedly_unpinned

const sharded: Derived = { status: 'sharded', error: '' }
const remote: Derived = { status: 'remote', error: '' }
export const pinned: Derived = { status: 'pinned', error: '' }
export const lost: Derived = { status: 'unexpectedly_unpinned', error: 'the item should be pinned but it is not' }

/** What decides about a pin, whether it is known as a value or by its line. */
interface Wanted { readonly key: string, readonly isMeta: boolean, readonly isOurs: boolean, readonly isVoluntary: boolean, readonly maxDepth: number }

export class StatusListing {
  readonly #parts: ListingParts
  readonly #self: string
  /** By key: pins that ended while listings of the IPFS run, which may have missed them. */
  readonly #recent = new Map<string, 'pinned' | 'unpinned'>()
  #running = 0

  constructor (parts: ListingParts) {
    this.#parts = parts
    this.#self = parts.peerId.toString()
  }

  /** A pin, or an unpin, has ended. */
  ended (pin: Pick<Pin, 'cid'>, result: 'pinned' | 'unpinned'): void { if (this.#running > 0) this.#recent.set(cidKey(pin.cid), result) }

  /** All pins that match the filter, in the order of keys. */
  async * pins (filter: StatusFilter, options: AbortOptions): AsyncGenerator<Listed> {
    if (isOfOperations(filter)) {
      yield * this.#operations(filter, options)
      return
    }
    yield * this.#during(async function * (this: StatusListing) {
      const held = await this.#held(filter, options)
      for await (const pin of this.#parts.pinset.pins(options)) {
        options.signal?.throwIfAborted()
        const operation = this.#parts.operations.get(pin.cid)
        const derived = operation === undefined ? this.#derived(this.#wantedBy(pin), held) : undefined
        if (operation !== undefined) {
          if (matchesFilter(statusOf(operation), filter)) yield { pin, operation }
        } else if (derived !== undefined && matchesFilter(derived.status, filter)) yield { pin, derived }
      }
    })
  }

  /** The same as texts, in chunks. */
  async * texts (filter: StatusFilter, options: AbortOptions): AsyncGenerator<readonly StatusText[]> {
    if (isOfOperations(filter)) {
      const shorts = new ShortTexts(this.#parts.identity())
      yield * listOperations({
        ...this.#parts,
        items: (abort) => this.#parts.pinset.listed(abort),
        keyOf: ({ cid }) => textKey(cid),
        ofItem: (pin) => this.#text(pin, undefined, filter, shorts),
        ofOperation: (pin, operation) => this.#textOf(pin, operation)
      }, filter, options)
      return
    }
    yield * this.#during(async function * (this: StatusListing) {
      const held = await this.#held(filter, options)
      for await (const chunk of this.#parts.pinset.listed(options)) {
        options.signal?.throwIfAborted()
        const shorts = new ShortTexts(this.#parts.identity())
        const texts: StatusText[] = []
        for (const pin of chunk) {
          const text = this.#text(pin, held, filter, shorts)
          if (text !== undefined) texts.push(text)
        }
        if (texts.length > 0) yield texts
      }
    })
  }

  /** Texts of the CIDs that are in error, or lost by the IPFS; not what failed since `before` (unix ms). */
  async * recoverable (before: number, options: AbortOptions): AsyncGenerator<string> {
    yield * this.#during(async function * (this: StatusListing) {
      const held = await this.#held(ipfsBits, options)
      for await (const chunk of this.#parts.pinset.listed(options)) {
        options.signal?.throwIfAborted()
        for (const pin of chunk) {
          const operation = this.#parts.operations.byText(pin.cid)
          if (operation === undefined ? this.#derived(this.#wantedByLine(pin), held) === lost : statusOf(operation) === 'pin_error' && operation.timestamp < before) yield pin.cid
        }
      }
    })
  }

  async * #operations (filter: StatusFilter, options: AbortOptions): AsyncGenerator<Listed> {
    const { operations, pinset } = this.#parts
    const chunks = listOperations<Pin, Listed>({
      ...this.#parts,
      items: async function * (abort) { for await (const pin of pinset.pins(abort)) yield [pin] },
      keyOf: ({ cid }) => cidKey(cid),
      ofItem: (pin) => {
        const operation = operations.get(pin.cid)
        return operation !== undefined && matchesFilter(statusOf(operation), filter) ? { pin, operation } : undefined
      },
      ofOperation: (pin, operation) => ({ pin, operation })
    }, filter, options)
    for await (const chunk of chunks) yield * chunk
  }

  #text (pin: PinJson, held: IpfsPins | undefined, filter: StatusFilter, shorts: ShortTexts): StatusText | undefined {
    const operation = this.#parts.operations.byText(pin.cid)
    if (operation !== undefined) return matchesFilter(statusOf(operation), filter) ? this.#textOfLine(pin, operation) : undefined
    const wanted = this.#wantedByLine(pin)
    const derived = this.#derived(wanted, held)
    if (derived === undefined || !matchesFilter(derived.status, filter)) return undefined
    return { key: wanted.key, summary: summaryOfLine(pin, this.#parts.clock.now()), short: shorts.settled(derived.status, pin.timestamp, derived.error) }
  }

  #textOf (pin: Pin, operation: OperationState): StatusText {
    const info = this.#parts.infoOf(pin, operation)
    return { key: cidKey(info.cid), summary: summaryText(info), short: shortText(info) }
  }

  #textOfLine (pin: PinJson, operation: OperationState): StatusText {
    return { key: textKey(pin.cid), summary: summaryOfLine(pin, this.#parts.clock.now()), short: shortText(this.#parts.shortOf(operation)) }
  }

  async * #during<T> (list: (this: StatusListing) => AsyncGenerator<T>): AsyncGenerator<T> {
    this.#running++
    try {
      yield * list.call(this)
    } finally {
      if (--this.#running === 0) this.#recent.clear()
    }
  }

  #wantedBy (pin: Pin): Wanted {
    const isMeta = pin.type === 'meta-pin'
    return { key: cidKey(pin.cid), isMeta, isOurs: isAllocatedTo(pin, this.#parts.peerId), isVoluntary: this.#parts.isLight && isEverywhere(pin) && !isMeta, maxDepth: pin.maxDepth }
  }

  #wantedByLine (pin: PinJson): Wanted {
    const isMeta = pin.type === 'meta-pin'
    const everywhere = isEverywhere({ replicationFactorMin: pin.replication_factor_min, replicationFactorMax: pin.replication_factor_max })
    return { key: textKey(pin.cid), isMeta, isOurs: everywhere || pin.allocations?.includes(this.#self) === true, isVoluntary: this.#parts.isLight && everywhere && !isMeta, maxDepth: pin.max_depth }
  }

  /** Undefined when the IPFS was not listed, because no status that needs it is asked for. */
  #derived ({ key, isMeta, isOurs, isVoluntary, maxDepth }: Wanted, held: IpfsPins | undefined): Derived | undefined {
    if (isMeta) return sharded
    if (!isOurs) return remote
    if (held === undefined) return undefined
    const recent = this.#recent.size === 0 ? undefined : this.#recent.get(key)
    if (recent === undefined ? held.has(key, maxDepth) : recent === 'pinned') return pinned
    return isVoluntary ? remote : lost
  }

  /** What the IPFS holds, where the filter needs it. */
  async #held (filter: StatusFilter, options: AbortOptions): Promise<IpfsPins | undefined> {
    if (filter === 0 || (filter & ipfsBits) !== 0) return await listIpfs(this.#parts.connector, options)
    if (!this.#parts.isLight || (filter & trackerStatusBits.remote) === 0) return undefined
    try {
      return await listIpfs(this.#parts.connector, options)
    } catch (error) {
      options.signal?.throwIfAborted()
      this.#parts.log.debug('what the IPFS holds is not known: %s', errorText(error))
      return new IpfsPins()
    }
  }
}

/** Nothing that is settled matches: the operations are all that is asked for. */
const isOfOperations = (filter: StatusFilter): boolean => filter !== 0 && (filter & settledBits) === 0

/** All that the IPFS holds now. */
export async function listIpfs (connector: Pick<IpfsConnector, 'pins' | 'pinnedKeys'>, options: AbortOptions, held = new IpfsPins()): Promise<IpfsPins> {
  if (connector.pinnedKeys === undefined) {
    for await (const { cid, status } of connector.pins(options)) held.add(cidKey(cid), status)
  } else {
    for await (const chunk of connector.pinnedKeys(options)) for (const [key, status] of chunk) held.add(key, status)
  }
  return held
}
