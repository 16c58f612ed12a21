/** Reads answers: JSON values, lines, failures. */
import { DecodeError } from '../../errors.ts'
import { ApiError } from '../errors.ts'
import { asInteger, asObject, asText, parseJson } from '../json/json.ts'
import { hasStatusLine } from '../stream.ts'
import type { Json } from '../json/json.ts'
import type { ClientResponse } from './transport.ts'

const maxLine = 64 * 2 ** 20

export async function textOf (body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) text += decoder.decode(chunk, { stream: true })
  return text + decoder.decode()
}

/** The failure an answer tells; any other body is its own message. */
async function failureOf (response: ClientResponse): Promise<ApiError> {
  const text = await textOf(response.body)
  try {
    const answer = asObject(parseJson(text), 'error')
    return new ApiError(asInteger(answer['code'], 'code'), asText(answer['message'], 'message'))
  } catch {
    return new ApiError(response.status, text.trim() === '' ? `HTTP status ${response.status}` : text.trim().slice(0, 2000))
  }
}

/** Throws unless the answer is a good one. */
export async function checked (response: ClientResponse): Promise<ClientResponse> {
  if (response.status >= 200 && response.status < 300) return response
  throw await failureOf(response)
}

/** The one value of an answer; undefined when it has no body. */
export async function valueOf (response: ClientResponse): Promise<Json | undefined> {
  const text = await textOf((await checked(response)).body)
  if (text === '') return undefined
  try { return parseJson(text) } catch (cause) { throw new ApiError(response.status, cause instanceof Error ? cause.message : 'not JSON', { cause }) }
}

/** Texts between line ends. */
async function * textLines (body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true })
    let from = 0
    for (let at = rest.indexOf('\n'); at >= 0; at = rest.indexOf('\n', from)) {
      if (at > from) yield rest.slice(from, at)
      from = at + 1
    }
    rest = rest.slice(from)
    if (rest.length > maxLine) throw new DecodeError('a line of the answer is too long')
  }
  rest += decoder.decode()
  if (rest !== '') yield rest
}

function throwTrailers (trailers: ReadonlyArray<readonly [string, string]>): void {
  const failures = trailers.filter(([name, value]) => name.toLowerCase() === 'x-stream-error' && value !== '').map(([, value]) => value)
  if (failures.length > 0) throw new ApiError(500, failures.join('; '))
}

/** The lines of a streaming answer. Throws at its end what failed on the way, and when the end is missing. */
export async function * linesOf (response: ClientResponse): AsyncGenerator<Json> {
  await checked(response)
  if (response.status === 204) return
  const closing = hasStatusLine(response.header('content-type'))
  for await (const line of textLines(response.body)) {
    const value = parseJson(line)
    if (closing && typeof value === 'object' && value !== null && 'stream_status' in value) {
      if (value['stream_status'] === 'complete') return
      throw new ApiError(asInteger(value['code'] as Json, 'code'), asText(value['message'] as Json, 'message'))
    }
    yield value
  }
  if (closing) throw new ApiError(0, 'the answer was cut before its end')
  if (response.trailers !== undefined) throwTrailers(await response.trailers)
}
