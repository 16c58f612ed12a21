/** Streams blocks to all destinations at once (wire.md §6.6). The slowest sets the pace; one that fails or stalls is left behind. */
import { linkedSize } from './linked-size.ts'
import { Channel } from './channel.ts'
import { errorText, systemClock } from '../component.ts'
import type { Clock, Logger } from '../component.ts'
import type { Block } from '../ipfs/ipfs.ts'
import type { NodeWithMeta } from '../rpc/methods.ts'
import type { RpcClient } from '../rpc/rpc.ts'
import type { PeerId } from '@libp2p/interface'

/** Every destination failed; the first failure is the cause. */
export class AllDestinationsFailedError extends Error {
  override name = 'AllDestinationsFailedError'
  /** Why each of them failed. */
  constructor (reasons: readonly string[], options?: ErrorOptions) { super(`failed to put block on all destinations: ${reasons.join('; ')}`, options) }
}

export interface StreamerComponents {
  readonly rpc: Pick<RpcClient, 'stream'>
  readonly logger: Logger
  readonly clock?: Clock | undefined
}

/** Bytes that wait for one destination. */
const channelLimit = 4 * 1024 * 1024
/** A destination that takes nothing for this long is left behind, in ms. */
const stallTimeout = 120_000

interface Destination {
  readonly peer: PeerId
  readonly channel: Channel<NodeWithMeta>
  readonly abort: AbortController
  readonly sent: Promise<void>
  failure: unknown
}

export class BlockStreamer {
  readonly #destinations: readonly Destination[]
  readonly #logger: Logger
  readonly #clock: Clock

  constructor (peers: readonly PeerId[], { rpc, logger, clock = systemClock }: StreamerComponents, signal: AbortSignal) {
    this.#logger = logger
    this.#clock = clock
    this.#destinations = peers.map((peer) => this.#open(rpc, peer, signal))
  }

  #open (rpc: Pick<RpcClient, 'stream'>, peer: PeerId, outer: AbortSignal): Destination {
    const channel = new Channel<NodeWithMeta>(channelLimit, ({ bytes }) => bytes.length)
    const abort = new AbortController()
    const signal = AbortSignal.any([outer, abort.signal])
    const send = async (): Promise<void> => {
      try {
        const replies = rpc.stream(peer, 'IPFSConnector.BlockStream', channel, { signal })[Symbol.asyncIterator]()
        while ((await replies.next()).done !== true) { /* none are sent */ }
      } catch (error) {
        destination.failure = error ?? new Error('block stream failed')
        this.#logger.error('sending blocks to %s failed: %s', peer, error)
      } finally {
        channel.end()
      }
    }
    const destination: Destination = { peer, channel, abort, failure: undefined, sent: Promise.resolve().then(send) }
    return destination
  }

  /** Resolves when every destination that still works has room for more. */
  async put (block: Block): Promise<void> {
    const node: NodeWithMeta = { ...block, cumulativeSize: linkedSize(block) }
    const working = this.#destinations.filter(({ failure }) => failure === undefined)
    if (working.length === 0) throw this.#allFailed()
    const pushing = Promise.all(working.map((destination) => destination.channel.push(node)))
    // Most blocks find room at once: no timer for those.
    if (!working.some(({ channel }) => channel.full)) return void await pushing
    const timer = new AbortController()
    const stalled = this.#clock.sleep(stallTimeout, { signal: timer.signal }).then(() => { this.#dropStalled(working) }, () => {})
    try { await pushing } finally { timer.abort() }
    await stalled
  }

  #dropStalled (working: readonly Destination[]): void {
    for (const { channel, abort } of working) {
      if (!channel.full) continue
      abort.abort(new Error(`took no block for ${stallTimeout / 1000} s`))
      channel.end()
    }
  }

  /** Resolves when the destinations have stored everything; at least one must have. */
  async finish (): Promise<void> {
    for (const { channel } of this.#destinations) channel.end()
    await Promise.all(this.#destinations.map(({ sent }) => sent))
    if (this.#destinations.every(({ failure }) => failure !== undefined)) throw this.#allFailed()
  }

  /** Gives up; nothing is left running. */
  async abort (reason: unknown): Promise<void> {
    for (const { channel, abort } of this.#destinations) {
      abort.abort(reason)
      channel.end()
    }
    await Promise.all(this.#destinations.map(({ sent }) => sent))
  }

  #allFailed (): AllDestinationsFailedError {
    const reasons = this.#destinations.map(({ peer, failure }) => `${peer}: ${errorText(failure)}`)
    return new AllDestinationsFailedError(reasons, { cause: this.#destinations[0]?.failure })
  }
}
