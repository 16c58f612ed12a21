/** Uploads whose bytes are counted: `fetch` cannot tell them over HTTP/1.1, `XMLHttpRequest` can. */
import { webTransport } from '../../src/api/client.ts'
import type { ClientRequest, ClientResponse, Transport } from '../../src/api/client.ts'

/** Sends Blobs by XMLHttpRequest and reads the answer as it comes; everything else by fetch. */
export function uploadTransport (onUpload: ((bytes: number) => void) | undefined): Transport {
  const plain = webTransport()
  return async (request) => request.body instanceof Blob ? await send(request, onUpload) : await plain(request)
}

async function send ({ method, url, headers, body, signal }: ClientRequest, onUpload: ((bytes: number) => void) | undefined): Promise<ClientResponse> {
  const request = new XMLHttpRequest()
  request.open(method, url)
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
  const answer = new TransformStream<Uint8Array, Uint8Array>(undefined, undefined, { highWaterMark: Infinity })
  const writer = answer.writable.getWriter()
  const encoder = new TextEncoder()
  const { promise: opened, resolve, reject } = Promise.withResolvers<undefined>()
  let read = 0
  const take = (): void => {
    const text = request.responseText
    if (text.length > read) void writer.write(encoder.encode(text.slice(read))).catch(() => {})
    read = text.length
  }
  const fail = (reason: unknown): void => {
    reject(reason)
    void writer.abort(reason).catch(() => {})
  }
  const onAbort = (): void => { request.abort() }
  signal.addEventListener('abort', onAbort, { once: true })
  request.upload.addEventListener('progress', ({ loaded }) => { onUpload?.(loaded) })
  request.addEventListener('readystatechange', () => { if (request.readyState === XMLHttpRequest.HEADERS_RECEIVED) resolve(undefined) })
  request.addEventListener('progress', take)
  request.addEventListener('load', () => { take(); void writer.close().catch(() => {}) })
  request.addEventListener('error', () => { fail(new TypeError('the connection broke')) })
  request.addEventListener('abort', () => { fail(signal.reason) })
  request.addEventListener('loadend', () => { signal.removeEventListener('abort', onAbort) })
  request.send(body as Blob)
  await opened
  return { status: request.status, header: (name) => request.getResponseHeader(name), body: answer.readable as unknown as AsyncIterable<Uint8Array> }
}
