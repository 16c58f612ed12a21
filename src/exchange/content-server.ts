/** Answers members that ask for blocks of the IPFS behind this peer. */
import { DecodeError } from '../errors.ts'
import { decodeRequest, encodeAnswer, maxRequestLength } from './content-frames.ts'
import { framesOf } from '../frames.ts'
import { Line } from '../line.ts'
import { maxBlockSize } from '../ipfs/block.ts'
import type { ContentAnswer, ContentRequest, Want } from './content-frames.ts'
import type { LocalBlocks } from './exchange.ts'
import type { Clock, Logger } from '../component.ts'
import type { ByteStream } from '../transport/transport.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

/** Blocks read ahead of the one that is being sent. */
const readAhead = 4
/** Blocks in memory for one asker, and for all. */
const blocksPerPeer = 16
const blocksAtOnce = 64
/** How long an asker may take in a block, in ms. */
const sendTimeout = 60_000

/** Places for blocks that are on their way to askers. */
export class Rooms {
  readonly #all = new Line(blocksAtOnce)
  readonly #peers = new Map<string, Line>()

  /** Waits for a place; undefined when the signal fires before. Call what is returned to leave it. */
  async enter (peer: PeerId, signal: AbortSignal): Promise<(() => void) | undefined> {
    const name = peer.toString()
    const own = this.#peers.get(name) ?? new Line(blocksPerPeer)
    this.#peers.set(name, own)
    const leaveOwn = (): void => {
      own.leave()
      if (own.isEmpty && this.#peers.get(name) === own) this.#peers.delete(name)
    }
    if (!await own.enter(signal)) return undefined
    if (!await this.#all.enter(signal)) {
      leaveOwn()
      return undefined
    }
    return () => {
      this.#all.leave()
      leaveOwn()
    }
  }
}

export interface ServeParts {
  readonly blocks: LocalBlocks
  readonly rooms: Rooms
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
  readonly penalize: (offence: string, points: number) => void
}

/** Serves one stream until the asker closes it. Reading and sending keep step: little is held for an asker that does not read, and not for long. */
export async function serveContent (stream: ByteStream, parts: ServeParts): Promise<void> {
  const { log, signal, penalize } = parts
  const onStop = (): void => { stream.abort(new Error('this peer is stopping')) }
  signal.addEventListener('abort', onStop, { once: true })
  try {
    if (signal.aborted) throw new Error('this peer is stopping')
    for await (const body of framesOf(stream.source, maxRequestLength)) await answer(stream, decodeRequest(body), parts)
    await stream.closeWrite()
  } catch (error) {
    const reason = error instanceof Error ? error : new Error(String(error))
    log.debug('content stream of %s ended: %s', stream.remotePeer, reason.message)
    if (reason instanceof DecodeError) penalize(reason.message, 10)
    if (reason === tooSlow) penalize(reason.message, 20)
    stream.abort(reason)
  } finally {
    signal.removeEventListener('abort', onStop)
  }
}

const tooSlow = new Error('content that is asked for is not read')

async function answer (stream: ByteStream, { want, cids }: ContentRequest, parts: ServeParts): Promise<void> {
  const reading: Array<Promise<Answer>> = []
  try {
    for (let index = 0; index < cids.length; index++) {
      for (const cid of cids.slice(index + reading.length, index + readAhead)) reading.push(read(stream, cid, want, parts))
      const next = await reading.shift()
      if (next === undefined) continue
      try { await send(stream, next.answer, parts) } finally { next.leave() }
    }
  } finally {
    // What was read ahead of an asker that left.
    for (const next of reading) void next.then(({ leave }) => { leave() })
  }
}

async function send (stream: ByteStream, answer: ContentAnswer, { clock }: ServeParts): Promise<void> {
  const sent = new AbortController()
  let late = false
  clock.sleep(sendTimeout, { signal: sent.signal }).then(() => {
    late = true
    stream.abort(tooSlow)
  }, () => {})
  try {
    await stream.write(encodeAnswer(answer))
  } catch (error) {
    throw late ? tooSlow : error
  } finally {
    sent.abort()
  }
}

interface Answer { readonly answer: ContentAnswer, readonly leave: () => void }

/** Never rejects: an IPFS that fails has nothing. */
async function read (stream: ByteStream, cid: CID, want: Want, { blocks, rooms, log }: ServeParts): Promise<Answer> {
  const signal = stream.closed
  const leave = await rooms.enter(stream.remotePeer, signal)
  const absent: Answer = { answer: { here: false }, leave: leave ?? (() => {}) }
  if (leave === undefined) return absent
  try {
    const bytes = await blocks.get(cid, { signal })
    if (bytes === undefined || bytes.length > maxBlockSize) return absent
    return { answer: want === 'have' ? { here: true } : { here: true, bytes }, leave }
  } catch (error) {
    log.debug('could not read block %s for a member: %s', cid, error)
    return absent
  }
}
