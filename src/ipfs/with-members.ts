/** A kubo-backed peer that also takes blocks from members: what an embedded IPFS holds, no kubo can find by itself (design.md). */
import { systemClock } from '../component.ts'
import { walkDag } from './dag-walk.ts'
import { BlockNotFoundError } from './errors.ts'
import type { AbortOptions, Clock, ComponentLogger, Logger } from '../component.ts'
import type { FetchOptions } from '../exchange/exchange.ts'
import type { MemberBlocks } from './helia.ts'
import type { Block, IpfsConnector, PinProgressOptions } from './ipfs.ts'
import type { Pin } from '../pin/pin.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

export interface WithMembersComponents {
  readonly connector: IpfsConnector
  readonly members: MemberBlocks
  readonly logger: ComponentLogger
  readonly clock?: Clock | undefined
}

export interface WithMembersOptions {
  /** A pin that is done within this time, in ms, asks nobody. @default 200 */
  readonly patience?: number | undefined
  /** A pin whose root is here gets help when it made no progress for this long, in ms. @default 1_500 */
  readonly quiet?: number | undefined
  /** Blocks of one pin that are fetched at the same time. @default 16 */
  readonly concurrency?: number | undefined
  /** Pause before the members are asked again, in ms. @default 2_000 */
  readonly retryInterval?: number | undefined
}

/** The connector, with pins that members feed and reads that fall back to them. */
export function withMembers (components: WithMembersComponents, options: WithMembersOptions = {}): IpfsConnector {
  const { connector } = components
  const feeder = new Feeder(components, options)
  return {
    start: (abort) => connector.start(abort),
    stop: () => connector.stop(),
    id: (abort) => connector.id(abort),
    pin: (pin, progress) => feeder.pin(pin, progress),
    pinLocal: connector.pinLocal?.bind(connector),
    unpin: (cid, abort) => connector.unpin(cid, abort),
    pinStatus: (pin, abort) => connector.pinStatus(pin, abort),
    pins: (abort) => connector.pins(abort),
    pinnedKeys: connector.pinnedKeys?.bind(connector),
    repoStat: (abort) => connector.repoStat(abort),
    repoGc: (abort) => connector.repoGc(abort),
    swarmConnect: (addresses, abort) => connector.swarmConnect(addresses, abort),
    swarmPeers: (abort) => connector.swarmPeers(abort),
    resolve: (path, abort) => connector.resolve(path, abort),
    blockPutStream: (blocks, abort) => connector.blockPutStream(blocks, abort),
    blockGetLocal: (cid, abort) => connector.blockGetLocal(cid, abort),
    blockGet: (cid, abort) => feeder.blockGet(cid, abort)
  }
}

class Feeder {
  readonly #connector: IpfsConnector
  readonly #members: MemberBlocks
  readonly #clock: Clock
  readonly #log: Logger
  readonly #options: WithMembersOptions

  constructor ({ connector, members, logger, clock = systemClock }: WithMembersComponents, options: WithMembersOptions) {
    this.#connector = connector
    this.#members = members
    this.#clock = clock
    this.#log = logger.forComponent('ipfshttp')
    this.#options = options
  }

  async pin (pin: Pin, options: PinProgressOptions = {}): Promise<void> {
    const done = new AbortController()
    let grown = this.#clock.now()
    const feeding = this.#feed(pin, () => grown, done.signal)
    try {
      await this.#connector.pin(pin, {
        ...options,
        onProgress: (blocks, bytes) => {
          grown = this.#clock.now()
          options.onProgress?.(blocks, bytes)
        }
      })
    } finally {
      done.abort(new Error('the pin has ended'))
      await feeding
    }
  }

  /** Until the pin has ended: puts what members have and the IPFS lacks. Never rejects. */
  async #feed (pin: Pin, grown: () => number, signal: AbortSignal): Promise<void> {
    try {
      await this.#clock.sleep(this.#options.patience ?? 200, { signal })
      do await this.#untilStuck(pin, grown, signal)
      while (!await this.#walk(pin, signal))
    } catch (error) {
      if (!signal.aborted) this.#log.debug('members could not help with the pin of %s: %s', pin.cid, error)
    }
  }

  /** An IPFS that has the root and gets on needs no help: walking would read everything that it has. */
  async #untilStuck (pin: Pin, grown: () => number, signal: AbortSignal): Promise<void> {
    if (await this.#connector.blockGetLocal(pin.cid, { signal }) === undefined) return
    const quiet = this.#options.quiet ?? 1500
    for (let left = quiet; left > 0; left = grown() + quiet - this.#clock.now()) await this.#clock.sleep(Math.min(left, quiet), { signal })
  }

  /** True when nothing is missing any more; false, after a pause, when no member has what is. */
  async #walk (pin: Pin, signal: AbortSignal): Promise<boolean> {
    try {
      await walkDag(pin.cid, async (cid) => await this.#here(cid, pin.allocations, signal), { maxDepth: pin.maxDepth, signal, concurrency: this.#options.concurrency ?? 16 })
      return true
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof BlockNotFoundError)) throw error
      await this.#clock.sleep(this.#options.retryInterval ?? 2000, { signal })
      return false
    }
  }

  /** The block, stored in the IPFS. */
  async #here (cid: CID, from: readonly PeerId[], signal: AbortSignal): Promise<Uint8Array> {
    const local = await this.#connector.blockGetLocal(cid, { signal })
    if (local !== undefined) return local
    const bytes = await this.#members.fetchNow(cid, { from, signal })
    if (bytes === undefined) throw new BlockNotFoundError(cid)
    await this.#put({ cid, bytes }, signal)
    return bytes
  }

  async #put (block: Block, signal: AbortSignal): Promise<void> {
    const stored = this.#connector.blockPutStream((async function * () { yield block })(), { signal })[Symbol.asyncIterator]()
    while ((await stored.next()).done !== true) { /* until it is stored */ }
  }

  /** The IPFS looks in its own network meanwhile; whoever is first gives the block. */
  async blockGet (cid: CID, { signal }: AbortOptions = {}): Promise<Uint8Array> {
    const local = await this.#connector.blockGetLocal(cid, { signal })
    if (local !== undefined) return local
    const other = new AbortController()
    const onAbort = (): void => { other.abort(signal?.reason) }
    signal?.addEventListener('abort', onAbort, { once: true })
    const fetchOptions: FetchOptions = { signal: other.signal }
    try {
      return await Promise.any([this.#connector.blockGet(cid, fetchOptions), this.#fromMembers(cid, fetchOptions)])
    } catch (error) {
      signal?.throwIfAborted()
      throw error instanceof AggregateError ? error.errors[0] : error
    } finally {
      signal?.removeEventListener('abort', onAbort)
      other.abort(new Error('the block is there'))
    }
  }

  async #fromMembers (cid: CID, options: FetchOptions): Promise<Uint8Array> {
    const bytes = await this.#members.fetchNow(cid, options)
    if (bytes === undefined) throw new BlockNotFoundError(cid)
    return bytes
  }
}
