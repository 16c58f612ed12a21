/**
 * Brings the missing part of the DAG from a member of ours in one stream, instead of block by block (sync-frames.ts).
 * What comes is merged in large groups as it arrives and stays merged whatever happens then: whoever is asked next sends the rest.
 * Blocks rise from below, so nothing can prove before the end that a head leads to them; only members whose announcements of heads
 * count anyway are asked, and a block waits until another one links to it, or the end comes.
 */
import type { Replica } from './replica.ts'
import type { Clock, Logger } from '../../component.ts'
import type { DeltaBlock } from '../../crdt/block.ts'
import type { ByteStream, Transport } from '../../transport/transport.ts'
import type { Trust } from '../consensus.ts'
import type { PeerId } from '@libp2p/interface'
import { errorText } from '../../component.ts'
import { readBlock } from '../../crdt/block.ts'
import { maxLinks } from '../../crdt/limits.ts'
import { DecodeError } from '../../errors.ts'
import { framesOf } from '../../frames.ts'
import { multihashKey } from '../../pin/keys.ts'
import { withDeadline } from './deadline.ts'
import { decodeSyncAnswer, encodeSyncRequest, maxSyncAnswer, syncProtocol, type SyncAnswer } from './sync-frames.ts'
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

/** Bytes of blocks that wait for the merge of those before. */
const maxGroupBytes = 4 * 1024 * 1024
/** Bytes a second that earn a slow member more time. */
const leastPace = 16 * 1024
/** Blocks of one stream that none of those that came after links to: honest ones are as many as writers that did not know of each other. */
const maxLoose = 512
const maxLooseBytes = 16 * 1024 * 1024
/** The same at the end, beside the heads that came first: those that came to the member meanwhile. */
const maxLooseEnds = 64
/** Blocks beyond the plan: those that came to the member meanwhile. */
const maxUnplanned = 4096
const maxPlan = 20_000_000
/** Heads that may come before everything else. */
const maxHeads = 1024
/** Links to blocks that did not come before: of authors who lie about heights. */
const maxOpenLinks = 64
/** Streams that are served at once; others are sent elsewhere. */
const maxServed = 16
const maxInboundStreams = 4

export class BulkSync {
  readonly #parts: BulkSyncComponents
  readonly #options: Required<{ [K in keyof BulkSyncOptions]: number }>
  /** Members that are left alone, until when. */
  readonly #refused = new Map<string, number>()
  readonly #serving = new Map<ByteStream, Promise<void>>()
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
      const busy = this.#serving.size >= maxServed || [...this.#serving.keys()].some(({ remotePeer }) => remotePeer.equals(stream.remotePeer))
      const serving = serveSync(stream, replica, logger, { patience: 3 * this.#options.answerTimeout }, busy).finally(() => { this.#serving.delete(stream) })
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

  /** Asks one member after the other until one has sent all that it has. False: none did. Never rejects. */
  async run (first: readonly PeerId[]): Promise<boolean> {
    const { clock, logger } = this.#parts
    const asked = new Set<string>()
    while (!this.#stopped.signal.aborted) {
      const peer = this.candidates(first).find((candidate) => !asked.has(candidate.toString()))
      if (peer === undefined) return false
      asked.add(peer.toString())
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

/** Blocks of one stream on their way into the replica: one group is being merged while the next one fills. */
class Incoming {
  readonly #replica: Replica
  readonly #groupBlocks: number
  readonly #blocksBefore: number
  /** Blocks below the heads that came first. */
  readonly #promised: string[] = []
  /** Blocks that nothing links to yet, by id. */
  readonly #loose = new Map<string, DeltaBlock>()
  #looseBytes = 0
  #heads = 0
  #headLinks = 0
  #openLinks = 0
  #plan: number | undefined
  #received = 0
  #height = 0
  #group: DeltaBlock[] = []
  #bytes = 0
  #merging: Promise<void> = Promise.resolve()

  constructor (replica: Replica, groupBlocks: number) {
    this.#replica = replica
    this.#groupBlocks = groupBlocks
    this.#blocksBefore = replica.blocks
  }

  /** Blocks of the plan that are not merged yet. */
  get expected (): number { return Math.max(0, (this.#plan ?? 0) - (this.#replica.blocks - this.#blocksBefore)) }

  async take (answer: Exclude<SyncAnswer, { readonly kind: 'end' | 'refusal' }>): Promise<void> {
    if (answer.kind === 'plan') {
      if (this.#plan !== undefined) throw new DecodeError('a second plan')
      if (answer.blocks > maxPlan) throw new DecodeError(`a plan of ${answer.blocks} blocks`)
      this.#plan = answer.blocks
      await this.#replica.expectMany(answer.blocks)
      return
    }
    if (this.#plan === undefined) throw new DecodeError('blocks without a plan')
    const blocks = answer.blocks.map(readBlock)
    if (answer.kind === 'heads') await this.#takeHeads(blocks)
    else for (const block of blocks) await this.#takeBlock(block, this.#plan)
  }

  /** Own writes build on the heads from the start, and a restart knows that something is missing. */
  async #takeHeads (blocks: readonly DeltaBlock[]): Promise<void> {
    if (this.#received > 0) throw new DecodeError('heads after blocks')
    const before = new Set(this.#replica.wanted.keys())
    this.#heads += blocks.length
    this.#headLinks += blocks.reduce((sum, { links }) => sum + links.length, 0)
    if (this.#heads > maxHeads || this.#headLinks > maxLinks) throw new DecodeError('too many heads')
    await this.#replica.merge(blocks)
    for (const id of this.#replica.wanted.keys()) if (!before.has(id)) this.#promised.push(id)
  }

  async #takeBlock (block: DeltaBlock, plan: number): Promise<void> {
    if (block.delta.priority < this.#height) throw new DecodeError('blocks out of order')
    if (++this.#received > plan + maxUnplanned) throw new DecodeError('more blocks than planned')
    this.#height = block.delta.priority
    for (const link of block.links) this.#tie(multihashKey(link))
    this.#loose.set(block.id, block)
    this.#looseBytes += block.bytes.length
    if (this.#loose.size > maxLoose || this.#looseBytes > maxLooseBytes) throw new DecodeError('blocks that belong to no head')
    if (this.#group.length >= this.#groupBlocks || this.#bytes >= maxGroupBytes) await this.#merge()
  }

  /** A block links to this one: it belongs to the DAG, and everything below it is on its way before it. */
  #tie (id: string): void {
    const block = this.#loose.get(id)
    if (block === undefined) return
    this.#loose.delete(id)
    this.#looseBytes -= block.bytes.length
    this.#replica.prepare(block)
    this.#group.push(block)
    this.#bytes += block.bytes.length
  }

  async #merge (): Promise<void> {
    const group = this.#group
    this.#group = []
    this.#bytes = 0
    await this.#merging
    this.#openLinks += await this.#replica.openLinks(group)
    if (this.#openLinks > maxOpenLinks) throw new DecodeError('blocks without what is below them')
    this.#merging = this.#replica.merge(group)
    // It is awaited with the next group; until then nobody listens.
    this.#merging.catch(() => {})
  }

  /** Merges what came before the stream ended too early; what comes from a member that breaks the rules is dropped. */
  async settle (error: unknown): Promise<void> {
    const honest = !(error instanceof Error && error.name === 'DecodeError')
    try {
      if (honest && this.#group.length > 0) await this.#merge()
      await this.#merging
    } catch (failed) {
      if (failed !== error) throw failed
    }
  }

  /** Merges the rest. Resolves with the number of blocks received. */
  async end (): Promise<number> {
    if (this.#plan === undefined) throw new DecodeError('an end without a plan')
    if (this.#loose.size > this.#heads + maxLooseEnds) throw new DecodeError('blocks that belong to no head')
    for (const id of this.#loose.keys()) this.#tie(id)
    await this.#merge()
    await this.#merging
    if (this.#promised.some((id) => this.#replica.wanted.has(id))) throw new DecodeError('heads without what is below them')
    return this.#received
  }
}
