/** The REST API of a peer: one function from request to answer. Bindings (Node's HTTP server, a page in the same process) only carry it. */
import { TrieRouter } from 'hono/router/trie-router'
import { systemClock } from '../component.ts'
import { createAuth } from './auth.ts'
import { createCors } from './cors.ts'
import { badRequest } from './errors.ts'
import { ApiResponse, empty, failure, failureWith } from './response.ts'
import { addRoutes } from './routes/add.ts'
import { contentRoutes } from './routes/content.ts'
import { eventRoutes } from './routes/events.ts'
import { healthRoutes } from './routes/health.ts'
import { inviteRoutes } from './routes/invite.ts'
import { peerRoutes } from './routes/peers.ts'
import { pinRoutes } from './routes/pins.ts'
import type { Clock } from '../component.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Credentials } from './auth.ts'
import type { CorsOptions } from './cors.ts'
import type { Invitation } from './invitation.ts'
import type { ApiRequest, HeaderList } from './response.ts'
import type { Handler } from './routes/route.ts'

export interface ApiOptions {
  readonly cors?: CorsOptions | undefined
  /** Added to every answer but redirects and 405. @default none */
  readonly headers?: Readonly<Record<string, readonly string[]>> | undefined
  /** User to password; none = open to everybody who can connect. */
  readonly credentials?: Credentials | undefined
  /** Static pages beside the API; they need no login. @default none */
  readonly pages?: Pages | undefined
  /** What join links of this peer say, asked for each. @default it makes none */
  readonly invitation?: (() => Invitation) | undefined
  /** @default systemClock */
  readonly clock?: Clock | undefined
}

/** The answer to a request that is for a page; undefined where it is none. `path` is as it came, without the query. */
export type Pages = (request: ApiRequest, path: string) => Promise<ApiResponse | undefined>

export interface Api {
  /** Never rejects: a failure is an answer. Takes a web Request, or the part of one that a binding has. */
  readonly fetch: (request: ApiRequest) => Promise<ApiResponse>
  /** Ends the answers that have no end of their own; those asked for later end at once. */
  readonly close: () => void
}

const routes = [...peerRoutes, ...addRoutes, ...pinRoutes, ...healthRoutes, ...eventRoutes, ...inviteRoutes, ...contentRoutes]

// Only the router of hono: its application cannot carry trailers, answers HEAD as GET, and knows no 405.
function createRouter (): TrieRouter<Handler | undefined> {
  const router = new TrieRouter<Handler | undefined>()
  for (const [method, path, handler] of routes) router.add(method, path, handler)
  for (const path of new Set(routes.map(([, path]) => path))) router.add('ALL', path, undefined)
  return router
}

function decodeSegment (text: string): string {
  try { return decodeURIComponent(text) } catch (error) { throw badRequest(`invalid URL escape in ${JSON.stringify(text.slice(0, 64))}`, error) }
}

/** Path and query as they came; a URL object would already have cleaned them. */
function splitUrl (url: string): { readonly path: string, readonly search: string } {
  const [, path = '', search = ''] = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*([^?#]*)(\?[^#]*)?/i.exec(url) ?? []
  return { path: path === '' ? '/' : path, search }
}

export function createApi (cluster: Cluster, { cors: corsOptions, headers = {}, credentials, pages, invitation, clock = systemClock }: ApiOptions = {}): Api {
  const router = createRouter()
  const cors = createCors(corsOptions)
  const closing = new AbortController()
  const auth = credentials === undefined ? undefined : createAuth(credentials)
  const extra: HeaderList = Object.entries(headers).flatMap(([name, values]) => values.map((value) => [name, value] as const))

  const route = async (request: ApiRequest, path: string, search: string, user: string | undefined): Promise<ApiResponse> => {
    if (path.length > 1 && path.endsWith('/')) {
      const location = path.replaceAll(/\/{2,}/g, '/').replace(/\/$/, '') + search
      const body = request.method === 'GET' ? { body: `<a href="${location.replaceAll('&', '&amp;').replaceAll('"', '&#34;').replaceAll('<', '&lt;')}">Temporary Redirect</a>.\n\n` } : {}
      return new ApiResponse({ status: 307, headers: [['Content-Type', 'text/html; charset=utf-8'], ['Location', location === '' ? '/' : location]], ...body })
    }
    if (path.includes('//')) return new ApiResponse({ status: 301, headers: [['Location', path.replaceAll(/\/{2,}/g, '/') + search]] })
    if (path === '/token') {
      if (request.method !== 'POST') return empty(405)
      return (auth === undefined || user === undefined ? failureWith(401, 'unauthorized') : await auth.token(user)).with(extra)
    }
    const [matches] = router.match(request.method, path)
    const found = matches[0]
    if (found === undefined) return failureWith(404, 'not found').with(extra)
    const [handler, params] = found as [Handler | undefined, Readonly<Record<string, string>>]
    if (handler === undefined) return empty(405)
    // The router reuses what it returned; take the variables before anything waits.
    const variables = { ...params }
    try {
      const answer = await handler({ cluster, clock, closing: closing.signal, request, invitation, isAuthenticated: user !== undefined, query: new URLSearchParams(search), param: (name) => decodeSegment(variables[name] ?? '') })
      return answer.with(extra)
    } catch (error) {
      return failure(error).with(extra)
    }
  }

  return {
    close: () => { closing.abort() },
    fetch: async (request) => {
      const { path, search } = splitUrl(request.url)
      const page = await pages?.(request, path).catch((error: unknown) => failure(error))
      if (page !== undefined) return page.with(extra)
      const checked = auth === undefined ? {} : await auth.check(request, path)
      if (checked instanceof ApiResponse) return checked.with(extra)
      const preflight = cors.preflight(request)
      if (preflight !== undefined) return new ApiResponse({ status: 204, headers: preflight })
      const answer = await route(request, path, search, checked.user)
      return answer.with(cors.headers(request))
    }
  }
}
