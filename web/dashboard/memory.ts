/** What the page remembers on this device: which peer it showed last, and a login where the user asked for it. Never the secret. */
import type { Login } from './session-remote.ts'

export type Place =
  | { readonly mode: 'tab', readonly name: string, readonly keepSecret: boolean }
  | { readonly mode: 'remote', readonly url: string }

const placeKey = 'pinswarm:place'
const loginKey = (url: string): string => `pinswarm:login:${url}`

function read (storage: () => Storage, key: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = JSON.parse(storage().getItem(key) ?? 'null') as unknown
    return typeof value === 'object' && value !== null ? value as Readonly<Record<string, unknown>> : undefined
  } catch {
    return undefined
  }
}

function write (storage: () => Storage, key: string, value: unknown): void {
  try {
    if (value === undefined) storage().removeItem(key)
    else storage().setItem(key, JSON.stringify(value))
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}

const device = (): Storage => localStorage
const visit = (): Storage => sessionStorage

/** Which peer was shown last. */
export function rememberedPlace (): Place | undefined {
  const value = read(device, placeKey)
  if (value?.['mode'] === 'tab' && typeof value['name'] === 'string') return { mode: 'tab', name: value['name'], keepSecret: value['keepSecret'] !== false }
  if (value?.['mode'] === 'remote' && typeof value['url'] === 'string' && URL.canParse(value['url'])) return { mode: 'remote', url: value['url'] }
  return undefined
}

export const rememberPlace = (place: Place): void => { write(device, placeKey, place) }
export const forgetPlace = (): void => { write(device, placeKey, undefined) }

/** A login kept for this visit: until the browser tab closes. */
export function rememberedLogin (url: string): Login | undefined {
  const value = read(visit, loginKey(url))
  return typeof value?.['user'] === 'string' && typeof value['password'] === 'string' ? { user: value['user'], password: value['password'] } : undefined
}

export const rememberLogin = (url: string, login: Login): void => { write(visit, loginKey(url), login) }
export const forgetLogin = (url: string): void => { write(visit, loginKey(url), undefined) }
