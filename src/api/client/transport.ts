/** How requests of a client reach a peer: by fetch, inside the same process, or as a program brings along. */
import { toStream } from '../response.ts'
import type { Api } from '../api.ts'
import type { ApiResponse, HeaderList } from '../response.ts'

export interface ClientRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Absolute URL. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Blob | AsyncIterable<Uint8Array> | undefined
  readonly signal: AbortSignal
}

export interface ClientResponse {
  readonly status: number
  readonly header: (name: string) => string | null
  readonly body: AsyncIterable<Uint8Array>
  /** Where the transport can read them; settles after the body. */
  readonly trailers?: Promise<HeaderList> | undefined
}

/** Sends a request; rejects only when no answer came. */
export type Transport = (request: ClientRequest) => Promise<ClientResponse>

async function * chunksOf (stream: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  if (stream === null) return
  const reader = stream.getReader()
  let isRead = false
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
    isRead = true
  } finally {
    if (!isRead) await reader.cancel().catch(() => {})
  }
}

/** Over the platform's fetch, or one like it. Trailers are out of its reach. */
export const webTransport = (fetchLike: typeof fetch = globalThis.fetch): Transport => async ({ method, url, headers, body, signal }) => {
  const isStream = typeof body === 'object' && !(body instanceof Blob)
  const init = { method, headers, signal, ...body === undefined ? {} : isStream ? { body: toStream(body), duplex: 'half' } : { body } }
  const response = await fetchLike(url, init)
  return { status: response.status, header: (name) => response.headers.get(name), body: chunksOf(response.body) }
}

const encoder = new TextEncoder()
const once = async function * (text: string | Uint8Array): AsyncGenerator<Uint8Array> { yield typeof text === 'string' ? encoder.encode(text) : text }

function bodyOf (body: ClientRequest['body'] | ApiResponse['body']): AsyncIterable<Uint8Array> {
  if (body === undefined) return once('')
  if (typeof body === 'string' || body instanceof Uint8Array) return once(body)
  return body instanceof Blob ? chunksOf(body.stream()) : body
}

/** To an API in the same process: no bytes leave it. */
export const localTransport = (api: Api): Transport => async ({ method, url, headers, body, signal }) => {
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  const answer = await api.fetch({ method, url, headers: { get: (name) => lower.get(name.toLowerCase()) ?? null }, body: body === undefined ? null : bodyOf(body), signal })
  return {
    status: answer.status,
    header: (name) => answer.headers.find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1] ?? null,
    body: bodyOf(answer.body), trailers: answer.trailers
  }
}
