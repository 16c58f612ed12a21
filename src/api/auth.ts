/** Who may use the API: Basic credentials, or tokens signed with a user's password (rest-api.md §1.2). */
import { decode, sign, verify } from 'hono/jwt'
import { base64pad } from 'multiformats/bases/base64'
import { failureWith, json } from './response.ts'
import type { ApiRequest, ApiResponse, HeaderList } from './response.ts'

/** User to password. */
export type Credentials = Readonly<Record<string, string>>

const realm = 'realm="Restricted IPFS Cluster API"'
const algorithms = ['HS256', 'HS384', 'HS512'] as const
const encoder = new TextEncoder()

const refused = (message: string, challenges: readonly string[]): ApiResponse =>
  failureWith(401, `unauthorized: ${message}`, challenges.map((challenge) => ['Www-Authenticate', challenge] as const) satisfies HeaderList)

/** Compares digests, so that time tells nothing about the texts. */
async function equalTexts (a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([a, b].map(async (text) => new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text)))))
  if (one === undefined || other === undefined) return false
  let difference = 0
  for (const [index, byte] of one.entries()) difference |= byte ^ (other[index] ?? 0)
  return difference === 0
}

export interface Auth {
  /** The user, or the answer that refuses. */
  readonly check: (request: ApiRequest, path: string) => Promise<{ readonly user?: string | undefined } | ApiResponse>
  /** `POST /token`: a token for the user. */
  readonly token: (user: string) => Promise<ApiResponse>
}

export function createAuth (credentials: Credentials): Auth {
  const passwordOf = (user: string): string => Object.hasOwn(credentials, user) ? credentials[user] ?? '' : ''

  const basicUser = async (encoded: string): Promise<string | undefined> => {
    let text: string
    try { text = new TextDecoder().decode(base64pad.baseDecode(encoded)) } catch { return undefined }
    const colon = text.indexOf(':')
    const [user, password] = [text.slice(0, Math.max(0, colon)), text.slice(colon + 1)]
    const known = passwordOf(user)
    return await equalTexts(password, known) && user !== '' && known !== '' ? user : undefined
  }

  const bearerUser = async (token: string): Promise<string | undefined> => {
    try {
      const { header, payload } = decode(token)
      const algorithm = algorithms.find((known) => known === header.alg)
      const user = payload.iss
      if (algorithm === undefined || typeof user !== 'string' || user === '' || passwordOf(user) === '') return undefined
      await verify(token, passwordOf(user), algorithm)
      return user
    } catch { return undefined }
  }

  return {
    check: async (request, path) => {
      if (request.method === 'OPTIONS' || (request.method === 'GET' && path === '/health')) return {}
      const header = request.headers.get('authorization') ?? ''
      const [, scheme = '', value = ''] = /^(\S+)\s+(.*)$/.exec(header) ?? []
      if (scheme.toLowerCase() === 'bearer') {
        const user = await bearerUser(value.trim())
        return user === undefined ? refused('invalid token', [`Bearer ${realm}, error="invalid_token"`]) : { user }
      }
      if (scheme.toLowerCase() === 'basic') {
        const user = await basicUser(value.trim())
        return user === undefined ? refused('access denied', [`Basic ${realm}`]) : { user }
      }
      return refused('no auth provided', [`Bearer ${realm}`, `Basic ${realm}`])
    },
    token: async (user) => json({ token: await sign({ iss: user }, passwordOf(user), 'HS256') })
  }
}
