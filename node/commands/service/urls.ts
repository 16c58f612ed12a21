/** URLs of the REST API, from where it listens. */

/** `http://127.0.0.1:9094` of `/ip4/127.0.0.1/tcp/9094`. */
export function urlOf (address: string, isTls = false): string {
  const scheme = isTls ? 'https' : 'http'
  return address.replace(/^\/unix/, 'unix:').replace(/^\/(?:ip4|dns[46]?)\/([^/]+)\/tcp\/(\d+).*$/, `${scheme}://$1:$2`).replace(/^\/ip6\/([^/]+)\/tcp\/(\d+).*$/, `${scheme}://[$1]:$2`)
}

/** Where a browser on this machine finds the dashboard; undefined where the API listens on no port. */
export function dashboardUrl (rest: readonly string[], isTls: boolean): string | undefined {
  const address = rest.find((each) => each.includes('/tcp/'))
  return address === undefined ? undefined : `${urlOf(address.replace(/^\/ip4\/0\.0\.0\.0\//, '/ip4/127.0.0.1/').replace(/^\/ip6\/::\//, '/ip6/::1/'), isTls)}/webui/`
}
