/** What the tabs of one profile say to each other over a BroadcastChannel. Everything that arrives is checked: any script of the origin may write there. */
import type { HeaderList } from '../../src/api/response.ts'

/** Most bytes of one chunk, and chunks under way without being read. */
export const maxChunk = 256 * 1024
export const window = 32

export type TabMessage =
  /** The tab that runs the peer says so, and what it is a member of: when it begins, and to who asks. */
  | { readonly kind: 'leader', readonly leader: string, readonly cluster: string }
  | { readonly kind: 'who' }
  /** This profile leaves its cluster: every tab ends its peer. */
  | { readonly kind: 'left' }
  /** `from` names the tab that asks (`presence.ts`). */
  | { readonly kind: 'request', readonly id: string, readonly from: string, readonly method: 'GET' | 'POST' | 'DELETE', readonly url: string, readonly headers: Readonly<Record<string, string>>, readonly body?: string | Blob | undefined }
  /** The client is gone, or reads no further. */
  | { readonly kind: 'abort', readonly id: string }
  /** So many chunks of the answer were read. */
  | { readonly kind: 'read', readonly id: string, readonly chunks: number }
  | { readonly kind: 'head', readonly id: string, readonly leader: string, readonly status: number, readonly headers: HeaderList }
  | { readonly kind: 'data', readonly id: string, readonly bytes: Uint8Array }
  | { readonly kind: 'end', readonly id: string, readonly trailers?: HeaderList | undefined }
  | { readonly kind: 'fail', readonly id: string, readonly message: string }

const isText = (value: unknown, most: number): value is string => typeof value === 'string' && value.length <= most
const isCount = (value: unknown, most: number): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most

function isHeaders (value: unknown): value is HeaderList {
  return Array.isArray(value) && value.length <= 256 && value.every((entry: unknown) => Array.isArray(entry) && entry.length === 2 && isText(entry[0], 1024) && isText(entry[1], 65_536))
}

function isHeaderRecord (value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && value !== null && isHeaders(Object.entries(value))
}

type Fields = Readonly<Record<string, unknown>>
const checks: { readonly [K in TabMessage['kind']]: (fields: Fields) => boolean } = {
  leader: ({ leader, cluster }) => isText(leader, 64) && isText(cluster, 1024),
  who: () => true,
  left: () => true,
  request: ({ from, method, url, headers, body }) => (method === 'GET' || method === 'POST' || method === 'DELETE') && isText(from, 64) && isText(url, 65_536) && isHeaderRecord(headers) && (body === undefined || typeof body === 'string' || body instanceof Blob),
  abort: () => true,
  read: ({ chunks }) => isCount(chunks, window),
  head: ({ leader, status, headers }) => isText(leader, 64) && isCount(status, 999) && isHeaders(headers),
  data: ({ bytes }) => bytes instanceof Uint8Array && bytes.length <= maxChunk,
  end: ({ trailers }) => trailers === undefined || isHeaders(trailers),
  fail: ({ message }) => isText(message, 65_536)
}

const hasNoId: ReadonlySet<string> = new Set(['leader', 'who', 'left'] satisfies ReadonlyArray<TabMessage['kind']>)

/** Undefined for anything that is not a message. */
export function decodeTabMessage (value: unknown): TabMessage | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const fields = value as Fields
  const { kind, id } = fields
  if (typeof kind !== 'string' || !Object.hasOwn(checks, kind)) return undefined
  if (!hasNoId.has(kind) && !isText(id, 64)) return undefined
  return checks[kind as TabMessage['kind']](fields) ? value as TabMessage : undefined
}
