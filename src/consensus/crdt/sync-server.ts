/** Sends members of ours the part of the DAG that they lack. */
import type { Replica } from './replica.ts'
import type { PriorityRange } from './sync-summary.ts'
import type { Logger } from '../../component.ts'
import type { ByteStream } from '../../transport/transport.ts'
import { placePriority, type Place } from './block-order.ts'
import { blocksPerFrame, decodeSyncRequest, encodeSyncAnswer, maxSyncRequest, type RangeSummary, type SyncAnswer } from './sync-frames.ts'
import { difference } from './sync-summary.ts'
import { DecodeError } from '../../errors.ts'
import { sortedHeads } from '../../crdt/heads.ts'
import { framesOf } from '../../frames.ts'

/** Blocks read from the store at once. */
const readAtOnce = 500
/** Heads that are sent before everything else. */
const maxHeadsFirst = 1024

export interface SyncServerOptions {
  /** Longest wait in ms for an asker that does not read. */
  readonly patience: number
  /** Hears why a request is none. */
  readonly onBadRequest: (reason: string) => void
}

/** Answers one stream; nothing is held for an asker that does not read. Never rejects. */
export async function serveSync (stream: ByteStream, replica: Replica, log: Logger, { patience, onBadRequest }: SyncServerOptions, isBusy: boolean): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const within = async <T>(work: Promise<T>): Promise<T> => {
    timer = setTimeout(() => { stream.abort(new Error(`the asker did nothing for ${patience} ms`)) }, patience)
    try { return await work } finally { clearTimeout(timer) }
  }
  const send = async (answer: SyncAnswer): Promise<void> => { await within(stream.write(encodeSyncAnswer(answer))) }
  try {
    const request = await within(readRequest(stream))
    // What lacks blocks itself could not send parents before children.
    if (isBusy || replica.wanted.size > 0) await send({ kind: 'refusal' })
    else await answer(replica, request, stream.closed, send)
    await stream.closeWrite()
  } catch (error) {
    const reason = error instanceof Error ? error : new Error(String(error))
    log.debug('sync stream of %s ended: %s', stream.remotePeer, reason.message)
    if (reason instanceof DecodeError) onBadRequest(reason.message)
    stream.abort(reason)
  }
}

async function readRequest (stream: ByteStream): Promise<readonly RangeSummary[]> {
  for await (const body of framesOf(stream.source, maxSyncRequest)) return decodeSyncRequest(body)
  throw new DecodeError('sync stream without a request')
}

async function answer (replica: Replica, request: readonly RangeSummary[], signal: AbortSignal, send: (answer: SyncAnswer) => Promise<void>): Promise<void> {
  const heads = sortedHeads(replica.heads).toSorted((one, other) => other.height - one.height).slice(0, maxHeadsFirst)
  const { ranges, blocks } = await difference(replica.order({ signal }), request)
  await send({ kind: 'plan', blocks })
  if (blocks > 0) {
    for (const { cid } of heads) {
      const bytes = await replica.block(cid)
      if (bytes !== undefined) await send({ kind: 'heads', blocks: [bytes] })
    }
    await sendBlocks(replica, ranges, signal, send)
  }
  await send({ kind: 'end' })
}

/** What was merged since the plan comes along. */
async function sendBlocks (replica: Replica, ranges: readonly PriorityRange[], signal: AbortSignal, send: (answer: SyncAnswer) => Promise<void>): Promise<void> {
  let frame: Uint8Array[] = []
  let bytes = 0
  const flush = async (): Promise<void> => {
    if (frame.length > 0) await send({ kind: 'blocks', blocks: frame })
    frame = []
    bytes = 0
  }
  for await (const places of replica.order({ signal })) {
    const chosen = within(places, ranges)
    for (let from = 0; from < chosen.length; from += readAtOnce) {
      for (const block of await replica.blocksAt(chosen.slice(from, from + readAtOnce))) {
        if (block === undefined || block.length === 0) continue
        frame.push(block)
        bytes += block.length + 4
        if (bytes >= blocksPerFrame) await flush()
      }
    }
  }
  await flush()
}

function within (places: readonly Place[], ranges: readonly PriorityRange[]): readonly Place[] {
  return places.filter((place) => {
    const priority = placePriority(place)
    return ranges.some(({ from, upTo }) => priority >= from && priority <= upTo)
  })
}
