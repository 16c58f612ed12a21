/** `POST /add` (rest-api.md §5): the upload is read as the adder takes it, answers go out while it is still coming in. */
import { DecodeError } from '../../errors.ts'
import { badRequest, statusOf } from '../errors.ts'
import { addedToJson } from '../json/cluster.ts'
import { encodeJson } from '../json/json.ts'
import { entryOf } from '../multipart/entries.ts'
import { boundaryOf, parseMultipart } from '../multipart/parser.ts'
import { choice, flag, pinOptions } from '../query.ts'
import { failure, jsonText } from '../response.ts'
import { linesOf, streamed } from '../stream.ts'
import type { AddEntry, Added, AddOptions } from '../../adder/adder.ts'
import type { Json } from '../json/json.ts'
import type { Part } from '../multipart/parser.ts'
import type { HeaderList } from '../response.ts'
import type { Handler, Route } from './route.ts'

const uploadHeaders: HeaderList = [['Cache-Control', 'no-cache'], ['Connection', 'close']]

function cidVersion (query: URLSearchParams): 0 | 1 {
  const text = query.get('cid-version') ?? ''
  if (text === '' || text === '0') return 0
  if (text === '1') return 1
  throw badRequest(/^-?\d+$/.test(text) ? `bad CID Version: unknown CID version: ${text}` : 'parameter cid-version invalid')
}

const nonEmpty = (text: string | null): string | undefined => text === null || text === '' ? undefined : text

function addOptions (query: URLSearchParams, now: number, signal: AbortSignal): AddOptions & { readonly streamed: boolean } {
  for (const name of ['hidden', 'recursive'] as const) flag(query, name)
  for (const name of ['shard', 'nocopy'] as const) if (flag(query, name) === true) throw badRequest(`${name} is not supported by this peer`)
  return {
    signal,
    pin: { ...pinOptions(query, now), mode: 'recursive', pinUpdate: undefined },
    format: choice(query, 'format', ['unixfs', 'car']),
    layout: choice(query, 'layout', ['balanced', 'trickle']),
    chunker: nonEmpty(query.get('chunker')),
    hash: nonEmpty(query.get('hash'))?.toLowerCase(),
    cidVersion: cidVersion(query),
    rawLeaves: flag(query, 'raw-leaves'),
    wrapWithDirectory: flag(query, 'wrap-with-directory'),
    progress: flag(query, 'progress'),
    local: flag(query, 'local'),
    noPin: flag(query, 'no-pin'),
    streamed: flag(query, 'stream-channels') ?? true
  }
}

/** The entries, of which the first part has been read already. */
async function * entries (first: Part, parts: AsyncGenerator<Part>): AsyncGenerator<AddEntry> {
  yield await entryOf(first)
  for await (const part of parts) yield await entryOf(part)
}

/** Lets go of the upload once nothing more is added. Does not wait for it: the client may never send on. */
async function * andThenLeave (added: AsyncIterable<Added>, parts: AsyncGenerator<Part>): AsyncGenerator<Added> {
  try {
    yield * added
  } finally {
    parts.return(undefined).catch(() => {})
  }
}

const add: Handler = async ({ cluster, clock, request, query }) => {
  const { streamed: asStream, ...options } = addOptions(query, clock.now(), request.signal)
  const contentType = request.headers.get('content-type')
  const boundary = boundaryOf(contentType)
  if (boundary === undefined || request.body === null) throw badRequest(/^\s*multipart\//i.test(contentType ?? '') ? 'no multipart boundary param in Content-Type' : "request Content-Type isn't multipart/form-data")
  const parts = parseMultipart(request.body, boundary)
  const first = await parts.next().catch((error: unknown) => { throw badRequest(error instanceof Error ? error.message : 'multipart: unreadable', error) })
  if (first.done === true) throw badRequest('multipart: the body has no parts')
  const added = andThenLeave(cluster.add(entries(first.value, parts), options), parts)
  if (asStream) return streamed(request, linesOf(added, addedToJson), { headers: [...uploadHeaders, ['X-Chunked-Output', '1']], emptyTrailer: false })
  try {
    const all: Json[] = []
    for await (const each of added) all.push(addedToJson(each))
    return jsonText(encodeJson(all.length === 0 ? null : all), 200, uploadHeaders)
  } catch (error) {
    return failure(error instanceof DecodeError && statusOf(error) === 500 ? badRequest(error.message, error) : error, uploadHeaders)
  }
}

export const addRoutes: readonly Route[] = [['POST', '/add', add]]
