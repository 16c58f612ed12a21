/** Every call of the REST API, with answers as the JSON that was sent. `ClusterClient` gives them types; programs that print JSON use this one. */
import { errorText } from '../../component.ts'
import { ApiError } from '../errors.ts'
import { asList, asObject, asText } from '../json/json.ts'
import { contentTypeOf, multipartBlob, multipartChunks, newBoundary } from '../multipart/writer.ts'
import { sentEvents } from '../sent-events.ts'
import { statusLineType } from '../stream.ts'
import { checked, linesOf, valueOf } from './answers.ts'
import { addQuery, pinQuery } from './query.ts'
import { webTransport } from './transport.ts'
import type { AbortOptions } from '../../component.ts'
import type { Json, JsonObject } from '../json/json.ts'
import type { UploadEntry } from '../multipart/writer.ts'
import type { SentEvent } from '../sent-events.ts'
import type { AddRequest, Identifier, InviteRequest, PinRequest } from './query.ts'
import type { ClientRequest, ClientResponse, Transport } from './transport.ts'

export interface ClientOptions {
  /** @default 'http://127.0.0.1:9094' */
  readonly url?: string | undefined
  /** For servers that ask who is there; a token wins over a password. @default none */
  readonly credentials?: { readonly user: string, readonly password: string } | { readonly token: string } | undefined
  /** @default fetch */
  readonly transport?: Transport | undefined
}

export interface ScopeOptions extends AbortOptions {
  /** Ask only the peer that is connected to. @default false */
  readonly local?: boolean | undefined
}

export interface AddCallOptions extends AddRequest, AbortOptions {
  /** Bytes of the body handed to the network so far. */
  readonly onUpload?: ((bytes: number) => void) | undefined
}

type Method = ClientRequest['method']
interface Call extends AbortOptions { readonly query?: URLSearchParams | undefined, readonly headers?: Readonly<Record<string, string>> | undefined, readonly body?: ClientRequest['body'] }

/** `/ipfs/<cid>…` and the like stay; anything else is taken for a CID, or a CID and a path. */
export const contentPath = (target: Identifier): string => {
  const text = target.toString()
  return text.startsWith('/') ? text : `/ipfs/${text}`
}
const escapedPath = (path: string): string => path.split('/').map(encodeURIComponent).join('/')

function basicCredentials (user: string, password: string): string {
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${user}:${password}`)))}`
}

async function * counted (chunks: AsyncIterable<Uint8Array>, onUpload: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of chunks) {
    yield chunk
    onUpload(bytes += chunk.length)
  }
}

export class JsonClient {
  readonly #url: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #transport: Transport

  constructor ({ url = 'http://127.0.0.1:9094', credentials, transport = webTransport() }: ClientOptions = {}) {
    this.#url = url.replace(/\/+$/, '')
    this.#headers = credentials === undefined ? {} : { Authorization: 'token' in credentials ? `Bearer ${credentials.token}` : basicCredentials(credentials.user, credentials.password) }
    this.#transport = transport
  }

  async #send (method: Method, path: string, { query, headers = {}, body, signal = new AbortController().signal }: Call): Promise<ClientResponse> {
    signal.throwIfAborted()
    const url = `${this.#url}${path}${query === undefined || query.size === 0 ? '' : `?${query.toString()}`}`
    try {
      return await this.#transport({ method, url, headers: { ...this.#headers, ...headers }, body, signal })
    } catch (cause) {
      if (signal.aborted) throw signal.reason
      const inner = cause instanceof Error && cause.cause !== undefined ? `: ${errorText(cause.cause)}` : ''
      throw new ApiError(0, `${method} ${JSON.stringify(url)}: ${errorText(cause)}${inner}`, { cause })
    }
  }

  async #value (method: Method, path: string, call: Call = {}): Promise<JsonObject> {
    return asObject(await valueOf(await this.#send(method, path, call)), path)
  }

  async #list (method: Method, path: string, call: Call = {}): Promise<readonly Json[]> {
    return asList(await valueOf(await this.#send(method, path, call)), path)
  }

  async * #stream (method: Method, path: string, call: Call = {}): AsyncGenerator<JsonObject> {
    const response = await this.#send(method, path, { ...call, headers: { Accept: statusLineType, ...call.headers } })
    try {
      for await (const line of linesOf(response)) yield asObject(line, path)
    } catch (cause) {
      if (call.signal?.aborted === true) throw call.signal.reason
      if (cause instanceof Error && cause.name === 'ApiError') throw cause
      throw new ApiError(0, `${path}: ${errorText(cause)}`, { cause })
    }
  }

  async id (options: AbortOptions = {}): Promise<JsonObject> { return await this.#value('GET', '/id', options) }
  async version (options: AbortOptions = {}): Promise<JsonObject> { return await this.#value('GET', '/version', options) }
  peers (options: AbortOptions = {}): AsyncGenerator<JsonObject> { return this.#stream('GET', '/peers', options) }
  async peerAdd (peer: Identifier, options: AbortOptions = {}): Promise<JsonObject> { return await this.#value('POST', '/peers', { ...options, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ peer_id: peer.toString() }) }) }
  async peerRemove (peer: Identifier, options: AbortOptions = {}): Promise<void> { await valueOf(await this.#send('DELETE', `/peers/${encodeURIComponent(peer.toString())}`, options)) }

  async pin (target: Identifier, pin: PinRequest = {}, options: AbortOptions = {}): Promise<JsonObject> { return await this.#value('POST', `/pins${escapedPath(contentPath(target))}`, { ...options, query: pinQuery(pin) }) }
  async unpin (target: Identifier, options: AbortOptions = {}): Promise<JsonObject> { return await this.#value('DELETE', `/pins${escapedPath(contentPath(target))}`, options) }
  async allocation (cid: Identifier, options: AbortOptions = {}): Promise<JsonObject> { return await this.#value('GET', `/allocations/${encodeURIComponent(cid.toString())}`, options) }
  /** `filter`: comma list of pin types. */
  allocations ({ filter = 'all', ...options }: AbortOptions & { readonly filter?: string | undefined } = {}): AsyncGenerator<JsonObject> { return this.#stream('GET', '/allocations', { ...options, query: new URLSearchParams({ filter }) }) }

  async status (cid: Identifier, { local = false, ...options }: ScopeOptions = {}): Promise<JsonObject> { return await this.#value('GET', `/pins/${encodeURIComponent(cid.toString())}`, { ...options, query: new URLSearchParams({ local: String(local) }) }) }
  /** `filter`: comma list of statuses; with `cids` only those, whatever their status. */
  statusAll ({ local = false, filter = '', cids = [], ...options }: ScopeOptions & { readonly filter?: string | undefined, readonly cids?: readonly Identifier[] | undefined } = {}): AsyncGenerator<JsonObject> {
    return this.#stream('GET', '/pins', { ...options, query: new URLSearchParams({ local: String(local), filter, cids: cids.map(String).join(',') }) })
  }

  async recover (cid: Identifier, { local = false, ...options }: ScopeOptions = {}): Promise<JsonObject> { return await this.#value('POST', `/pins/${encodeURIComponent(cid.toString())}/recover`, { ...options, query: new URLSearchParams({ local: String(local) }) }) }
  recoverAll ({ local = false, ...options }: ScopeOptions = {}): AsyncGenerator<JsonObject> { return this.#stream('POST', '/pins/recover', { ...options, query: new URLSearchParams({ local: String(local) }) }) }

  async repoGc ({ local = false, ...options }: ScopeOptions = {}): Promise<JsonObject> { return await this.#value('POST', '/ipfs/gc', { ...options, query: new URLSearchParams({ local: String(local) }) }) }
  async graph (options: AbortOptions = {}): Promise<JsonObject> { return await this.#value('GET', '/health/graph', options) }
  async alerts (options: AbortOptions = {}): Promise<readonly Json[]> { return await this.#list('GET', '/health/alerts', options) }
  async bandwidth (options: AbortOptions = {}): Promise<JsonObject> { return await this.#value('GET', '/health/bandwidth', options) }
  async metricNames (options: AbortOptions = {}): Promise<readonly string[]> { return (await this.#list('GET', '/monitor/metrics', options)).map((name) => asText(name, 'metric')) }
  async metrics (name: string, options: AbortOptions = {}): Promise<readonly Json[]> { return await this.#list('GET', `/monitor/metrics/${encodeURIComponent(name)}`, options) }
  async sync (options: AbortOptions = {}): Promise<JsonObject> { return await this.#value('GET', '/sync', options) }
  async storage (options: AbortOptions = {}): Promise<JsonObject> { return await this.#value('GET', '/storage', options) }
  /** A join link; `secret: false` leaves the secret out. */
  async invite ({ role = 'member', secret = true, ...options }: InviteRequest & AbortOptions = {}): Promise<JsonObject> { return await this.#value('GET', '/invite', { ...options, query: new URLSearchParams({ role, secret: String(secret) }) }) }
  /** Server-sent events as they come; ends when the peer ends them. */
  async * events ({ types = [], signal }: AbortOptions & { readonly types?: readonly string[] | undefined } = {}): AsyncGenerator<SentEvent> {
    const query = new URLSearchParams(types.length === 0 ? {} : { types: types.join(',') })
    const response = await checked(await this.#send('GET', '/events', { signal, query, headers: { Accept: 'text/event-stream' } }))
    try {
      yield * sentEvents(response.body)
    } catch (cause) {
      if (signal?.aborted === true) throw signal.reason
      throw new ApiError(0, `/events: ${errorText(cause)}`, { cause })
    }
    signal?.throwIfAborted()
  }

  async token (options: AbortOptions = {}): Promise<string> { return asText((await this.#value('POST', '/token', options))['token'], 'token') }

  /** Uploads entries, depth first, and yields what was added as it is; the last one is the root. Content is read as the network takes it. */
  async * add (entries: readonly UploadEntry[] | AsyncIterable<UploadEntry>, { signal, onUpload, ...add }: AddCallOptions = {}): AsyncGenerator<JsonObject> {
    const boundary = newBoundary()
    const blob = Array.isArray(entries) && onUpload === undefined ? multipartBlob(entries as readonly UploadEntry[], boundary) : undefined
    const chunks = (): AsyncGenerator<Uint8Array> => onUpload === undefined ? multipartChunks(entries, boundary) : counted(multipartChunks(entries, boundary), onUpload)
    yield * this.#stream('POST', '/add', { signal, query: addQuery(add), headers: { 'Content-Type': contentTypeOf(boundary) }, body: blob ?? chunks() })
  }

  /** What is at `<cid>[/path]` or `/ipfs/<cid>[/path]`. */
  async content (target: Identifier, options: AbortOptions & { readonly offset?: bigint | number | undefined } = {}): Promise<ClientResponse> {
    const { offset, signal } = options
    const headers = { Accept: statusLineType, ...offset === undefined ? {} : { Range: `bytes=${offset}-` } }
    return await checked(await this.#send('GET', escapedPath(contentPath(target)), { signal, headers }))
  }
}
