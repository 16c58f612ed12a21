/** Hash routes: `#/pins/<cid>` is `['pins', '<cid>']`; what follows `?` is the view's own. */
import { useEffect, useState } from 'preact/hooks'

export interface Route {
  readonly parts: readonly string[]
  readonly query: URLSearchParams
}

const decoded = (part: string): string => {
  try { return decodeURIComponent(part) } catch { return part }
}

/** Reads the fragment of an address. */
export function parseRoute (hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const parts = path.split('/').filter((part) => part !== '').map(decoded)
  return { parts: parts.length === 0 ? ['pins'] : parts, query: new URLSearchParams(query) }
}

/** The address of a view. */
export const hrefOf = (...parts: readonly string[]): string => `#/${parts.map(encodeURIComponent).join('/')}`

/** Goes to a view, as a link to it would. */
export const navigate = (...parts: readonly string[]): void => { location.hash = hrefOf(...parts) }

/** The view that the address names, as it changes. */
export function useRoute (): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash))
  useEffect(() => {
    const onChange = (): void => { setRoute(parseRoute(location.hash)) }
    addEventListener('hashchange', onChange)
    return () => { removeEventListener('hashchange', onChange) }
  }, [])
  return route
}
