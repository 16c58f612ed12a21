/**
 * `GET /ipfs/<cid>[/path]`, new against Go: what the cluster keeps can be read back.
 *
 * A file answers its bytes (Content-Length, Range). A directory answers one JSON line per entry, `{"name","cid","size","type"}`, under a content
 * type with `kind=directory`; a symlink answers its target as `inode/symlink`. Trees are read by asking for the CIDs of the entries.
 * Content is never run as a page of this origin: it comes sandboxed and unsniffed.
 */
import { errorText } from '../../component.ts'
import { decodeCid } from '../cid.ts'
import { ApiError, badRequest } from '../errors.ts'
import { contentTypeOf } from '../media-types.ts'
import { parseRange } from '../range.ts'
import { ApiResponse, empty } from '../response.ts'
import { hasStatusLine, linesOf, streamed } from '../stream.ts'
import type { ContentNode } from '../../cluster/cluster.ts'
import type { ApiRequest, HeaderList } from '../response.ts'
import type { Handler, Route, RouteContext } from './route.ts'

export const directoryType = 'application/x-ndjson; kind=directory'
export const symlinkType = 'inode/symlink'

const contentHeaders = (node: ContentNode): HeaderList => [
  ['Etag', `"${node.cid.toString()}"`], ['X-Content-Type-Options', 'nosniff'], ['Content-Security-Policy', "sandbox; default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'"]
]

function fileAnswer (node: Extract<ContentNode, { kind: 'file' }>, request: ApiRequest): ApiResponse {
  const headers: HeaderList = [['Content-Type', contentTypeOf(node.name)], ['Accept-Ranges', 'bytes'], ...contentHeaders(node)]
  const range = parseRange(request.headers.get('range'), node.size)
  if (range === 'unsatisfiable') return new ApiResponse({ status: 416, headers: [['Content-Range', `bytes */${node.size}`], ...contentHeaders(node)] })
  if (range === undefined) return new ApiResponse({ status: 200, headers: [...headers, ['Content-Length', String(node.size)]], body: node.content() })
  const last = range.offset + range.length - 1n
  return new ApiResponse({ status: 206, headers: [...headers, ['Content-Length', String(range.length)], ['Content-Range', `bytes ${range.offset}-${last}/${node.size}`]], body: node.content(range) })
}

function directoryAnswer (node: Extract<ContentNode, { kind: 'directory' }>, request: ApiRequest): ApiResponse {
  const lines = linesOf(node.entries(), ({ name, cid, size, kind }) => ({ name, cid: cid.toString(), size, type: kind }))
  const answer = streamed(request, lines)
  const type = `${directoryType}${hasStatusLine(request.headers.get('accept')) ? '; status=line' : ''}`
  return new ApiResponse({ status: 200, headers: [['Content-Type', type], ...answer.headers.filter(([name]) => name !== 'Content-Type'), ...contentHeaders(node)], body: answer.body, trailers: answer.trailers })
}

/** Names of errors by which stores and exporters say that a path leads nowhere. */
const absent = new Set(['NotFoundError', 'NoPropError', 'ERR_NOT_FOUND', 'ERR_NO_PROP'])

async function nodeAt ({ cluster, request, param }: RouteContext): Promise<ContentNode> {
  const path = `/ipfs/${param('path')}`
  const [first = ''] = param('path').split('/')
  try { decodeCid(first) } catch (cause) { throw badRequest(`invalid path ${JSON.stringify(path)}: ${errorText(cause)}`, cause) }
  try {
    return await cluster.content(path, request)
  } catch (cause) {
    if (cause instanceof Error && absent.has(cause.name)) throw new ApiError(404, cause.message, { cause })
    throw cause
  }
}

const content: Handler = async (context) => {
  const { request } = context
  const node = await nodeAt(context)
  if (request.headers.get('if-none-match') === `"${node.cid.toString()}"`) return empty(304)
  if (node.kind === 'file') return fileAnswer(node, request)
  if (node.kind === 'directory') return directoryAnswer(node, request)
  return new ApiResponse({ status: 200, headers: [['Content-Type', symlinkType], ...contentHeaders(node)], body: node.target })
}

export const contentRoutes: readonly Route[] = [['GET', '/ipfs/:path{.+}', content]]
