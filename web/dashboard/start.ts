/** What the page shows first: a join link in its address, the peer it showed last, the API that served it, or the choice. */
import { decodeJoinLink } from '../../src/join/join-link.ts'
import type { JoinLink } from '../../src/join/join-link.ts'
import { errorText } from '../../src/component.ts'
import { rememberedLogin, rememberedPlace } from './memory.ts'
import type { Place } from './memory.ts'
import { isUnauthorized, remoteClient } from './session-remote.ts'
import type { Login, RemoteOptions } from './session-remote.ts'

export type Start =
  | { readonly kind: 'join', readonly link: JoinLink }
  | { readonly kind: 'resume', readonly name: string, readonly keepSecret: boolean }
  | { readonly kind: 'remote', readonly options: RemoteOptions }
  | { readonly kind: 'login', readonly url: string }
  | { readonly kind: 'connect', readonly problem?: string | undefined }

/** Where the API is that served this page: what stands before `/webui`. */
export function servedBy ({ origin, pathname }: Pick<Location, 'origin' | 'pathname'>): string {
  const at = pathname.indexOf('/webui')
  return at < 0 ? origin : `${origin}${pathname.slice(0, at)}`
}

export interface TakenLink { readonly link?: JoinLink | undefined, readonly problem?: string | undefined }

/** The join link of the address, which leaves the address, and the history, at once. */
export function takeJoinLink (): TakenLink {
  const { hash } = location
  if (!hash.startsWith('#join=')) return {}
  history.replaceState(null, '', `${location.pathname}${location.search}#/pins`)
  dispatchEvent(new HashChangeEvent('hashchange'))
  try {
    return { link: decodeJoinLink(hash) }
  } catch (error) {
    return { problem: errorText(error) }
  }
}

/** Asks the API: does it answer, and does it want a login? */
export async function askApi (url: string, login: Login | undefined, signal: AbortSignal): Promise<'open' | 'login' | { readonly problem: string }> {
  try {
    await remoteClient({ url, login }).version({ signal })
    return 'open'
  } catch (error) {
    if (isUnauthorized(error)) return 'login'
    return { problem: errorText(error) }
  }
}

async function remoteStart (url: string, signal: AbortSignal): Promise<Start | undefined> {
  const login = rememberedLogin(url)
  const answer = await askApi(url, login, signal)
  if (answer === 'open') return { kind: 'remote', options: { url, login } }
  return answer === 'login' ? { kind: 'login', url } : undefined
}

/** Decides. */
export async function decideStart ({ link, problem }: TakenLink, signal: AbortSignal): Promise<Start> {
  if (link !== undefined) return { kind: 'join', link }
  if (problem !== undefined) return { kind: 'connect', problem }
  const place: Place | undefined = rememberedPlace()
  if (place?.mode === 'tab') return { kind: 'resume', name: place.name, keepSecret: place.keepSecret }
  const own = servedBy(location)
  // A peer that was chosen by hand is shown even when it does not answer now: it may come back.
  if (place?.mode === 'remote' && place.url !== own) return await remoteStart(place.url, signal) ?? { kind: 'connect', problem: `${place.url} does not answer` }
  return await remoteStart(own, signal) ?? { kind: 'connect' }
}
