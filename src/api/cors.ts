/** Cross-origin rules of the API (rest-api.md §1.1). */
import type { ApiRequest, HeaderList } from './response.ts'

export interface CorsOptions {
  /** `*` alone is everybody; one `*` inside an origin is a wildcard. @default ['*'] */
  readonly allowedOrigins?: readonly string[] | undefined
  /** @default ['GET'] */
  readonly allowedMethods?: readonly string[] | undefined
  /** Request headers; none means accept, content-type, x-requested-with. @default [] */
  readonly allowedHeaders?: readonly string[] | undefined
  /** @default Content-Type, X-Stream-Output, X-Chunked-Output, X-Content-Length */
  readonly exposedHeaders?: readonly string[] | undefined
  /** @default true */
  readonly allowCredentials?: boolean | undefined
  /** How long a preflight is good for, in ms; 0 = not said. @default 0 */
  readonly maxAge?: number | undefined
}

const defaultHeaders = ['accept', 'content-type', 'x-requested-with']

export interface Cors {
  /** Headers of the answer to a preflight; undefined when the request is none. */
  readonly preflight: (request: ApiRequest) => HeaderList | undefined
  /** Headers of any other answer. */
  readonly headers: (request: ApiRequest) => HeaderList
}

function matchesOrigin (pattern: string, origin: string): boolean {
  const [before = '', after] = pattern.split('*')
  return after === undefined ? pattern === origin : origin.length >= before.length + after.length && origin.startsWith(before) && origin.endsWith(after)
}

export function createCors ({ allowedOrigins = ['*'], allowedMethods = ['GET'], allowedHeaders = [], exposedHeaders = ['Content-Type', 'X-Stream-Output', 'X-Chunked-Output', 'X-Content-Length'], allowCredentials = true, maxAge = 0 }: CorsOptions = {}): Cors {
  const everybody = allowedOrigins.includes('*')
  const methods = new Set(allowedMethods.map((method) => method.toUpperCase()))
  const headers = new Set((allowedHeaders.length === 0 ? defaultHeaders : allowedHeaders).map((header) => header.toLowerCase()))
  const anyHeader = headers.has('*')
  const isAllowed = (origin: string, method: string): boolean => methods.has(method) && (everybody || allowedOrigins.some((pattern) => matchesOrigin(pattern.toLowerCase(), origin.toLowerCase())))
  const common = (origin: string): HeaderList => [['Access-Control-Allow-Origin', everybody ? '*' : origin], ...allowCredentials ? [['Access-Control-Allow-Credentials', 'true'] as const] : []]
  const vary: HeaderList = [['Vary', 'Origin']]
  return {
    preflight: (request) => {
      const method = request.headers.get('access-control-request-method')
      if (request.method !== 'OPTIONS' || method === null) return undefined
      const answer: HeaderList = [['Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers']]
      const origin = request.headers.get('origin')
      const wanted = (request.headers.get('access-control-request-headers') ?? '').split(',').map((header) => header.trim().toLowerCase()).filter((header) => header !== '')
      if (origin === null || !isAllowed(origin, method.toUpperCase()) || !(anyHeader || wanted.every((header) => headers.has(header)))) return answer
      return [
        ...answer, ...common(origin), ['Access-Control-Allow-Methods', method.toUpperCase()],
        ...wanted.length > 0 ? [['Access-Control-Allow-Headers', wanted.join(', ')] as const] : [],
        ...maxAge >= 1000 ? [['Access-Control-Max-Age', String(Math.floor(maxAge / 1000))] as const] : []
      ]
    },
    headers: (request) => {
      const origin = request.headers.get('origin')
      if (origin === null || !isAllowed(origin, request.method)) return vary
      return [...vary, ...common(origin), ...exposedHeaders.length > 0 ? [['Access-Control-Expose-Headers', exposedHeaders.join(', ')] as const] : []]
    }
  }
}
