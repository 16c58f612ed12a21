/** One HTTP exchange of Node's server as the API sees it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import type { ApiRequest, ApiResponse } from '../../src/api/response.ts'

/** The request; its body is read from the socket as it is taken, and leaving it early does not close the connection. */
export function apiRequest (incoming: IncomingMessage, signal: AbortSignal): ApiRequest {
  const hasBody = incoming.headers['transfer-encoding'] !== undefined || (incoming.headers['content-length'] ?? '0') !== '0'
  return {
    method: incoming.method ?? 'GET',
    url: `http://localhost${incoming.url?.startsWith('/') === true ? incoming.url : `/${incoming.url ?? ''}`}`,
    headers: {
      get: (name) => {
        const value = incoming.headers[name]
        return value === undefined ? null : Array.isArray(value) ? value.join(', ') : value
      }
    },
    body: hasBody ? { [Symbol.asyncIterator]: () => incoming.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array> } : null,
    remoteAddress: incoming.socket.remoteAddress,
    signal
  }
}

/** Text for a header or trailer: UTF-8 bytes as Node wants them, no control characters. */
// eslint-disable-next-line no-control-regex -- they are what is removed
export const headerText = (text: string): string => Buffer.from(text.replaceAll(/[\u0000-\u001f\u007f]+/g, ' ')).toString('latin1')

/** Resolves when more can be written, or never will be. */
export const drained = async (outgoing: Writable): Promise<void> => await new Promise((resolve) => {
  const done = (): void => {
    outgoing.off('drain', done)
    outgoing.off('close', done)
    resolve()
  }
  outgoing.on('drain', done)
  outgoing.on('close', done)
})

const maxBatch = 65_536

/** Joins small chunks of one turn of the loop into one write. */
class Batch {
  readonly #outgoing: ServerResponse
  #chunks: Uint8Array[] = []
  #size = 0
  #isScheduled = false

  constructor (outgoing: ServerResponse) { this.#outgoing = outgoing }

  /** False when the socket has enough for now. */
  push (chunk: Uint8Array): boolean {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    if (this.#size >= maxBatch) return this.flush()
    if (!this.#isScheduled) {
      this.#isScheduled = true
      setImmediate(() => {
        this.#isScheduled = false
        this.flush()
      })
    }
    return true
  }

  flush (): boolean {
    const chunks = this.#chunks
    if (chunks.length === 0 || this.#outgoing.destroyed) return true
    this.#chunks = []
    this.#size = 0
    return this.#outgoing.write(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
  }
}

async function sendBody (outgoing: ServerResponse, body: AsyncIterable<Uint8Array>): Promise<number> {
  const batch = new Batch(outgoing)
  let sent = 0
  for await (const chunk of body) {
    if (outgoing.destroyed) break
    sent += chunk.length
    if (!batch.push(chunk) || outgoing.writableNeedDrain) await drained(outgoing)
  }
  batch.flush()
  return sent
}

/**
 * Sends the answer and returns the bytes of its body. `beforeEnd` runs when all but the end of the answer is out.
 * Rejects when a body fails after its headers went out: the connection must then be cut, or the client takes it for complete.
 */
export async function send (outgoing: ServerResponse, answer: ApiResponse, beforeEnd: () => Promise<void>): Promise<number> {
  const grouped = new Map<string, string | string[]>()
  for (const [name, value] of answer.headers) {
    const before = grouped.get(name)
    grouped.set(name, before === undefined ? headerText(value) : [before, headerText(value)].flat())
  }
  const { body } = answer
  // Node throws when an answer that is not chunked announces trailers.
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) grouped.delete('Trailer')
  for (const [name, value] of grouped) outgoing.setHeader(name, value)
  outgoing.statusCode = answer.status
  if (body === undefined) {
    if (answer.status !== 204 && answer.status !== 304) outgoing.setHeader('Content-Length', 0)
    await beforeEnd()
    outgoing.end()
    return 0
  } else if (typeof body === 'string' || body instanceof Uint8Array) {
    const length = Buffer.byteLength(body)
    outgoing.setHeader('Content-Length', length)
    if (outgoing.req.complete) { outgoing.end(body); return length }
    outgoing.write(body)
    await beforeEnd()
    outgoing.end()
    return length
  } else {
    outgoing.flushHeaders()
    const length = await sendBody(outgoing, body)
    if (outgoing.destroyed) return length
    await beforeEnd()
    if (answer.trailers !== undefined) outgoing.addTrailers((await answer.trailers).map(([name, value]) => [name, headerText(value)] as [string, string]))
    outgoing.end()
    return length
  }
}
