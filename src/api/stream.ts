/**
 * Streaming answers (rest-api.md §2.1): one JSON line per item, the first item decides the status, the end is told by a trailer.
 *
 * Browsers cannot read trailers. A client that sends `Accept: application/x-ndjson; status=line` gets that content type back and one more line
 * at the end, `{"stream_status":"complete"}` or `{"stream_status":"failed","code":500,"message":"…"}`: a body without it was cut.
 */
import { errorText } from '../component.ts'
import { statusOf } from './errors.ts'
import { encodeJson } from './json/json.ts'
import { ApiResponse, failure, noContent } from './response.ts'
import type { Json } from './json/json.ts'
import type { ApiRequest, HeaderList } from './response.ts'

export const statusLineType = 'application/x-ndjson; status=line'
/** Whether an Accept or Content-Type header names lines with a closing status. */
export const hasStatusLine = (header: string | null): boolean => header !== null && /application\/x-ndjson\s*;(?:[^,]*;)?\s*status=line/i.test(header)

const streamError: HeaderList = [['Trailer', 'X-Stream-Error']]
const encoder = new TextEncoder()
const newline = 10

/** One item as a line. */
export const jsonLine = (value: Json): Uint8Array => encoder.encode(`${encodeJson(value)}\n`)

/** Lines without ends, as one chunk with ends. */
export function joinLines (lines: readonly Uint8Array[]): Uint8Array {
  let length = lines.length
  for (const line of lines) length += line.length
  const joined = new Uint8Array(length)
  let at = 0
  for (const line of lines) {
    joined.set(line, at)
    at += line.length
    joined[at++] = newline
  }
  return joined
}

export interface StreamSettings {
  readonly headers?: HeaderList
  /** Whether an end without failure sends an empty trailer. @default true */
  readonly emptyTrailer?: boolean
}

const closingLine = (failed: unknown): Uint8Array =>
  jsonLine(failed === undefined ? { stream_status: 'complete' } : { stream_status: 'failed', code: statusOf(failed), message: errorText(failed) })

/** A 200 answer of these chunks of whole lines; a failure on the way is told at the end. */
export function streamed (request: Pick<ApiRequest, 'headers'>, source: AsyncIterable<Uint8Array>, { headers = [], emptyTrailer = true }: StreamSettings = {}): ApiResponse {
  const closing = hasStatusLine(request.headers.get('accept'))
  const { promise: trailers, resolve } = Promise.withResolvers<HeaderList>()
  const body = async function * (): AsyncGenerator<Uint8Array> {
    let failed: unknown
    try {
      yield * source
    } catch (error) {
      failed = error ?? new Error('unknown failure')
    } finally {
      resolve(failed === undefined ? emptyTrailer ? [['X-Stream-Error', '']] : [] : [['X-Stream-Error', errorText(failed)]])
    }
    if (closing) yield closingLine(failed)
  }
  return new ApiResponse({ status: 200, headers: [['Content-Type', closing ? statusLineType : 'application/json'], ...streamError, ...headers], body: body(), trailers })
}

/** As `streamed`, but a failure before the first item is an error answer, and nothing at all is 204. */
export async function listing (request: ApiRequest, source: AsyncIterable<Uint8Array>): Promise<ApiResponse> {
  const iterator = source[Symbol.asyncIterator]()
  let first: IteratorResult<Uint8Array>
  try { first = await iterator.next() } catch (error) { return failure(error, streamError) }
  if (first.done === true) return noContent(streamError)
  return streamed(request, continued(first.value, iterator))
}

async function * continued (first: Uint8Array, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
  } finally {
    await iterator.return?.()
  }
}

/** Items as chunks of lines. */
export async function * linesOf<T> (items: AsyncIterable<T>, encode: (item: T) => Json): AsyncGenerator<Uint8Array> {
  for await (const item of items) yield jsonLine(encode(item))
}

/** Chunks of lines of text, without ends, as they are written. */
export async function * textChunksOf (chunks: AsyncIterable<readonly string[]>): AsyncGenerator<Uint8Array> {
  for await (const lines of chunks) if (lines.length > 0) yield encoder.encode(`${lines.join('\n')}\n`)
}

/** Chunks of pre-serialised lines as they are written; empty chunks are left out. */
export async function * chunksOf (chunks: AsyncIterable<readonly Uint8Array[]>): AsyncGenerator<Uint8Array> {
  for await (const lines of chunks) if (lines.length > 0) yield joinLines(lines)
}
