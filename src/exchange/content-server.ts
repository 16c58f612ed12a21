/** Answers members that ask for blocks of the IPFS behind this peer. */
import { DecodeError } from '../errors.ts'
import { decodeRequest, encodeAnswer, maxRequestLength } from './content-frames.ts'
import { framesOf } from '../frames.ts'
import { maxBlockSize } from '../ipfs/block.ts'
import type { ContentAnswer, ContentRequest, Want } from './content-frames.ts'
import type { LocalBlocks } from './exchange.ts'
import type { Logger } from '../component.ts'
import type { ByteStream } from '../transport/transport.ts'
import type { CID } from 'multiformats/cid'

/** Blocks read ahead of the one that is being sent. */
const readAhead = 4

/** Serves one stream until the asker closes it. Reading and sending keep step: nothing is held for an asker that does not read. */
export async function serveContent (stream: ByteStream, blocks: LocalBlocks, log: Logger, signal: AbortSignal): Promise<void> {
  const onStop = (): void => { stream.abort(new Error('this peer is stopping')) }
  signal.addEventListener('abort', onStop, { once: true })
  try {
    if (signal.aborted) throw new Error('this peer is stopping')
    for await (const body of framesOf(stream.source, maxRequestLength)) await answer(stream, blocks, decodeRequest(body), log)
    await stream.closeWrite()
  } catch (error) {
    const reason = error instanceof Error ? error : new Error(String(error))
    log[reason instanceof DecodeError ? 'warn' : 'debug']('content stream of %s ended: %s', stream.remotePeer, reason.message)
    stream.abort(reason)
  } finally {
    signal.removeEventListener('abort', onStop)
  }
}

async function answer (stream: ByteStream, blocks: LocalBlocks, { want, cids }: ContentRequest, log: Logger): Promise<void> {
  const reading: Array<Promise<ContentAnswer>> = []
  for (let index = 0; index < cids.length; index++) {
    for (const cid of cids.slice(index + reading.length, index + readAhead)) reading.push(read(blocks, cid, want, stream.closed, log))
    const next = await reading.shift()
    if (next !== undefined) await stream.write(encodeAnswer(next))
  }
}

/** Never rejects: an IPFS that fails has nothing. */
async function read (blocks: LocalBlocks, cid: CID, want: Want, signal: AbortSignal, log: Logger): Promise<ContentAnswer> {
  try {
    const bytes = await blocks.get(cid, { signal })
    if (bytes === undefined || bytes.length > maxBlockSize) return { here: false }
    return want === 'have' ? { here: true } : { here: true, bytes }
  } catch (error) {
    log.debug('could not read block %s for a member: %s', cid, error)
    return { here: false }
  }
}
