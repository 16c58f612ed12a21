/** `GET /invite`: a join link from a running peer, and who may read the secret in it. */
import { encodeJoinFragment } from '../join/join-link.ts'
import { ApiError, badRequest } from './errors.ts'
import { json } from './response.ts'
import type { JoinLink } from '../join/join-link.ts'
import type { ApiRequest, ApiResponse } from './response.ts'

/** What a peer tells newcomers; its addresses as they are now. An empty secret: the cluster has none. */
export interface Invitation extends Omit<JoinLink, 'role' | 'secret'> { readonly secret: string }

/** Names that no stranger's DNS can point here. */
const isOwnName = (host: string): boolean => /^(localhost|\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])(:\d+)?$/i.test(host)
const isLoopback = (ip: string): boolean => ip === '::1' || /^(::ffff:)?127\./.test(ip)

function hostOf (origin: string): string | undefined {
  try { return new URL(origin).host } catch { return undefined }
}

/**
 * Without credentials the API is open to everybody on this machine and, by its CORS defaults, to every page in the browsers there. So the
 * secret is told to who has logged in, and else to programs and the peer's own page on this machine only: not to pages of another origin,
 * not under a name that a stranger's DNS may have pointed here, not through a proxy.
 */
export function mayHaveSecret ({ headers, remoteAddress }: ApiRequest, isAuthenticated: boolean): boolean {
  if (isAuthenticated) return true
  if (remoteAddress !== undefined && !isLoopback(remoteAddress)) return false
  if (['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'].some((name) => headers.get(name) !== null)) return false
  const host = headers.get('host')
  const origin = headers.get('origin')
  const site = headers.get('sec-fetch-site')
  if (site !== null && site !== 'same-origin' && site !== 'none') return false
  // Browsers always say which host they ask.
  if (host === null) return origin === null
  return isOwnName(host) && (origin === null || hostOf(origin) === hostOf(`http://${host}`) || hostOf(origin) === hostOf(`https://${host}`))
}

/** The answer; throws ApiError for parameters it does not know, and where there is no secret to join with. */
export function invite (request: ApiRequest, query: URLSearchParams, { secret, ...link }: Invitation, isAuthenticated: boolean): ApiResponse {
  const role = query.get('role') ?? 'member'
  if (role !== 'member' && role !== 'reader') throw badRequest(`role: ${JSON.stringify(role.slice(0, 32))} is neither member nor reader`)
  const wanted = query.get('secret') ?? 'true'
  if (wanted !== 'true' && wanted !== 'false') throw badRequest(`secret: ${JSON.stringify(wanted.slice(0, 32))} is neither true nor false`)
  if (secret === '') throw new ApiError(409, 'cluster.secret is empty: browsers join only a cluster that has one')
  if (link.addresses.length === 0) throw new ApiError(409, 'this peer listens nowhere that a browser can reach: add /ip4/0.0.0.0/tcp/9098/ws or /ip4/0.0.0.0/udp/9098/webrtc-direct to cluster.listen_multiaddress')
  const hasSecret = wanted === 'true' && mayHaveSecret(request, isAuthenticated)
  return json({
    fragment: encodeJoinFragment({ ...link, role, secret: hasSecret ? secret : undefined }),
    has_secret: hasSecret, role, cluster_name: link.clusterName, addresses: link.addresses.map(String)
  }).with([['Cache-Control', 'no-store']])
}
