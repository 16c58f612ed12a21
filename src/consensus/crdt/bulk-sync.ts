/**
 * Brings the missing part of the DAG from a member of ours in one stream, instead of block by block (sync-frames.ts, sync-incoming.ts).
 * What comes stays merged whatever happens then: whoever is asked next sends the rest. Only members whose announcements of heads count
 * anyway are asked.
 */
import type { Replica } from './replica.ts'
import type { Clock, Logger } from '../../component.ts'
import type { ByteStream, Transport } from '../../transport/transport.ts'
import type { Trust } from '../consensus.ts'
import type { PeerId } from '@libp2p/interface'
import { errorText } from '../../component.ts'
import { DecodeError } from '../../errors.ts'
import { framesOf } from '../../frames.ts'
import { withDeadline } from './deadline.ts'
import { decodeSyncAnswer, encodeSyncRequest, maxSyncAnswer, syncProtocol } from './sync-frames.ts'
import { Incoming } from './sync-incoming.ts'
import { serveSync } from './sync-server.ts'
import { summarize } from './sync-summary.ts'

export type SyncStreams = Pick<Transport, 'openStream' | 'handle' | 'unhandle' | 'connectedPeers' | 'onConnect' | 'onDisconnect' | 'penalize'>

/** Times in ms. */
export interface BulkSyncOptions {
  /** Wait for the stream, for the plan, and between frames. @default 10_000 */
  readonly answerTimeout?: number | undefined
  /** How long a member that failed is left alone. @default 30_000 */
  readonly refusalTime?: number | undefined
  /** Blocks merged at once. @default 4000 */
  readonly groupBlocks?: number | undefined
}

export interface BulkSyncComponents {
  readonly replica: Replica
  readonly streams: SyncStreams
  readonly trust: Pick<Trust, 'isTrusted'>
  readonly clock: Clock
  readonly logger: Logger
}

/** Bytes a second that earn a slow member more time. */
const leastPace = 16 * 1024
/** Streams that are served at once; others are sent elsewhere. */
const maxServed = 16
const maxInboundStreams = 4
/** Times that one member may ask in so many ms: each time all places are looked through. */
const maxAsked = { times: 12, time: 60_000 }

export class BulkSync {
  readonly #parts: BulkSyncComponents
  readonly #options: Required<{ [K in keyof BulkSyncOptions]: number }>
  /** Members that are left alone, until when. */
  readonly #refused = new Map<string, number>()
  readonly #serving = new Map<ByteStream, Promise<void>>()
  /** How often members asked since a moment. */
  #askers = { since: -Infinity, times: new Map<string, number>() }
  /** Members asked in this run, and the stream of the one that sends. */
  readonly #asked = new Set<string>()
  #sending: ByteStream | undefined
  #stopped = new AbortController()
  #forget: ReadonlyArray<() => void> = []
  #incoming: Incoming | undefined
  #received = 0

  constructor (components: BulkSyncComponents, options: BulkSyncOptions = {}) {
    this.#parts = components
    this.#options = { answerTimeout: options.answerTimeout ?? 10_000, refusalTime: options.refusalTime ?? 30_000, groupBlocks: options.groupBlocks ?? 4000 }
  }

  /** Blocks that are said to come still. */
  get expected (): number { return this.#incoming?.expected ?? 0 }

  /** Bytes of frames that came, of all members. */
  get received (): number { return this.#received }

  /** `onNear` hears of each member that is connected from now on. */
  async start (onNear: (peer: PeerId) => void): Promise<void> {
    const { streams, replica, logger } = this.#parts
    this.#stopped = new AbortController()
    this.#forget = [
      streams.onConnect((peer) => {
        this.#refused.delete(peer.toString())
        onNear(peer)
      }),
      streams.onDisconnect((peer) => { this.#refused.delete(peer.toString()) })
    ]
    await streams.handle(syncProtocol, (stream) => {
      const busy = this.#asksTooOften(stream.remotePeer) || this.#serving.size >= maxServed || [...this.#serving.keys()].some(({ remotePeer }) => remotePeer.equals(stream.remotePeer))
      const serving = serveSync(stream, replica, logger, { patience: 3 * this.#options.answerTimeout, onBadRequest: (reason) => { streams.penalize(stream.remotePeer, reason, 10) } }, busy).finally(() => { this.#serving.delete(stream) })
      this.#serving.set(stream, serving)
    }, { maxInboundStreams })
  }

  async stop (): Promise<void> {
    const reason = new Error('stopped')
    this.#stopped.abort(reason)
    for (const forget of this.#forget) forget()
    await this.#parts.streams.unhandle(syncProtocol)
    for (const stream of this.#serving.keys()) stream.abort(reason)
    await Promise.all(this.#serving.values())
    this.#refused.clear()
  }

  /** Who can be asked: named ones first. */
  candidates (first: readonly PeerId[] = []): readonly PeerId[] {
    const { streams, trust, clock } = this.#parts
    const near = new Map(streams.connectedPeers().map((peer) => [peer.toString(), peer]))
    const names = [...new Set([...first.map(String).filter((name) => near.has(name)), ...near.keys()])]
    const now = clock.now()
    return names.flatMap((name) => near.get(name) ?? []).filter((peer) => trust.isTrusted(peer) && (this.#refused.get(peer.toString()) ?? 0) <= now)
  }

  /** Leaves the member that sends for another one, if there is any that was not asked. */
  skip (): void {
    if (this.#others([]).length > 0) this.#sending?.abort(new Error('others may be quicker'))
  }

  #others (first: readonly PeerId[]): readonly PeerId[] { return this.candidates(first).filter((candidate) => !this.#asked.has(candidate.toString())) }

  #asksTooOften (peer: PeerId): boolean {
    const now = this.#parts.clock.now()
    if (now - this.#askers.since >= maxAsked.time) this.#askers = { since: now, times: new Map() }
    const times = (this.#askers.times.get(peer.toString()) ?? 0) + 1
    this.#askers.times.set(peer.toString(), times)
    if (times === 2 * maxAsked.times) this.#parts.streams.penalize(peer, 'asks for the pinset again and again', 10)
    return times > maxAsked.times
  }

  /** Asks one member after the other until one has sent all that it has. False: none did. Never rejects. */
  async run (first: readonly PeerId[]): Promise<boolean> {
    const { clock, logger, streams } = this.#parts
    this.#asked.clear()
    while (!this.#stopped.signal.aborted) {
      const [peer] = this.#others(first)
      if (peer === undefined) return false
      this.#asked.add(peer.toString())
      try {
        const merged = await this.#ask(peer)
        if (merged !== undefined) {
          logger[merged > 0 ? 'info' : 'debug']('synced with', peer, 'blocks', merged)
          return true
        }
        this.#refused.set(peer.toString(), clock.now() + this.#options.answerTimeout)
      } catch (error) {
        if (this.#stopped.signal.aborted) return false
        const unknown = error instanceof Error && error.name === 'UnsupportedProtocolError'
        if (unknown) logger.debug('does not speak', syncProtocol, peer)
        else logger.warn('could not sync with', peer, errorText(error))
        if (error instanceof DecodeError) streams.penalize(peer, `bulk sync: ${error.message}`, 10)
        this.#refused.set(peer.toString(), unknown ? Infinity : clock.now() + this.#options.refusalTime)
      } finally {
        this.#incoming = undefined
        this.#parts.replica.expectFew()
      }
    }
    return false
  }

  /** Number of blocks received; undefined when the member refused. */
  async #ask (peer: PeerId): Promise<number | undefined> {
    const { replica, streams, clock } = this.#parts
    const { signal } = this.#stopped
    const summary = await summarize(replica.order({ signal }), replica.blocks)
    const stream = await withDeadline(clock, this.#options.answerTimeout, signal, async (deadline) => await streams.openStream(peer, syncProtocol, { signal: deadline }))
    const onStop = (): void => { stream.abort(new Error('stopped')) }
    signal.addEventListener('abort', onStop, { once: true })
    const incoming = new Incoming(replica, this.#options.groupBlocks)
    this.#incoming = incoming
    this.#sending = stream
    try {
      await stream.write(encodeSyncRequest(summary))
      await stream.closeWrite()
      for await (const body of timed(framesOf(stream.source, maxSyncAnswer), this.#options.answerTimeout, stream)) {
        this.#received += body.length
        const answer = decodeSyncAnswer(body)
        if (answer.kind === 'refusal') return undefined
        if (answer.kind !== 'end') await incoming.take(answer)
        else return await incoming.end()
      }
      throw new Error('the stream was cut')
    } catch (error) {
      await incoming.settle(error)
      throw error
    } finally {
      this.#sending = undefined
      signal.removeEventListener('abort', onStop)
      stream.abort(new Error('done'))
    }
  }
}

/** Frames, each within its time: slow ones use up what the stream has of it, and bytes earn it again. */
async function * timed (frames: AsyncIterable<Uint8Array>, patience: number, stream: ByteStream): AsyncGenerator<Uint8Array> {
  let left = patience
  const iterator = frames[Symbol.asyncIterator]()
  while (true) {
    const start = performance.now()
    const timer = setTimeout(() => { stream.abort(new Error('the member is too slow')) }, left)
    const next = await iterator.next().finally(() => { clearTimeout(timer) })
    if (next.done === true) return
    left = Math.min(patience, left - (performance.now() - start) + next.value.length * 1000 / leastPace)
    if (left <= 0) throw new Error('the member is too slow')
    yield next.value
  }
}
