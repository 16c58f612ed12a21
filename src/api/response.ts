/** What a route answers: a web Response, its trailers beside it (the web's Response has no room for them). */
import { errorText } from '../component.ts'
import { statusOf } from './errors.ts'
import { encodeJson } from './json/json.ts'
import type { Json } from './json/json.ts'

export type HeaderList = ReadonlyArray<readonly [name: string, value: string]>
export type Body = string | Uint8Array | AsyncIterable<Uint8Array>

/** The part of a web Request that routes read; a Request is one. */
export interface ApiRequest {
  readonly method: string
  /** Absolute URL. */
  readonly url: string
  readonly headers: { readonly get: (name: string) => string | null }
  readonly body: AsyncIterable<Uint8Array> | null
  /** IP of who asks, where a network is in between. */
  readonly remoteAddress?: string | undefined
  /** Fires when the client is gone. */
  readonly signal: AbortSignal
}

interface ResponseParts {
  readonly status: number
  readonly headers?: HeaderList | undefined
  readonly body?: Body | undefined
  readonly trailers?: Promise<HeaderList> | undefined
}

/** An answer. Bindings write its parts; everybody else takes `response`. */
export class ApiResponse {
  readonly status: number
  readonly headers: HeaderList
  readonly body: Body | undefined
  /** Settles when the body has ended. */
  readonly trailers: Promise<HeaderList> | undefined
  #response: Response | undefined

  constructor ({ status, headers = [], body, trailers }: ResponseParts) {
    this.status = status
    this.headers = headers
    this.body = body
    this.trailers = trailers
  }

  /** The same answer with more headers. */
  with (headers: HeaderList): ApiResponse {
    return headers.length === 0 ? this : new ApiResponse({ status: this.status, headers: [...this.headers, ...headers], body: this.body, trailers: this.trailers })
  }

  /** The answer as a web Response; made once, since its body can be read once. */
  get response (): Response {
    this.#response ??= new Response(webBody(this.body), { status: this.status, headers: this.headers.map(([name, value]) => [name, value] as [string, string]) })
    return this.#response
  }
}

function webBody (body: Body | undefined): BodyInit | null {
  if (body === undefined) return null
  return typeof body === 'string' || body instanceof Uint8Array ? body as BodyInit : toStream(body)
}

/** A stream that reads the source as it is read itself, and leaves it when cancelled. */
export function toStream (source: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]()
  return new ReadableStream({
    pull: async (controller) => {
      const { done, value } = await iterator.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    },
    cancel: async () => { await iterator.return?.() }
  }, { highWaterMark: 0 })
}

const jsonType: HeaderList = [['Content-Type', 'application/json']]

export const jsonText = (text: string, status = 200, headers: HeaderList = []): ApiResponse => new ApiResponse({ status, headers: [...jsonType, ...headers], body: `${text}\n` })
export const json = (value: Json, status = 200): ApiResponse => jsonText(encodeJson(value), status)
export const noContent = (headers: HeaderList = []): ApiResponse => new ApiResponse({ status: 204, headers: [...jsonType, ...headers] })
export const empty = (status: number): ApiResponse => new ApiResponse({ status })
export const failureWith = (code: number, message: string, headers: HeaderList = []): ApiResponse => jsonText(encodeJson({ code, message }), code, headers)
export const failure = (error: unknown, headers: HeaderList = []): ApiResponse => failureWith(statusOf(error), errorText(error), headers)
