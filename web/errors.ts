/** What can keep a tab from being a member. */

/** This profile has joined no cluster: a join link is needed. */
export class NotJoinedError extends Error {
  override name = 'NotJoinedError'
  constructor () { super('this browser has joined no cluster yet: open a join link') }
}

/** Neither the join link nor this profile's storage holds the cluster secret. */
export class SecretNeededError extends Error {
  override name = 'SecretNeededError'
  readonly clusterName: string
  constructor (clusterName: string) {
    super(`the secret of the cluster ${clusterName} is needed: it is not in the link, and not kept here`)
    this.clusterName = clusterName
  }
}

/** The page lacks what a peer stands on; `missing` names it. */
export class UnsupportedPageError extends Error {
  override name = 'UnsupportedPageError'
  readonly missing: readonly string[]
  constructor (missing: readonly string[], isSecure: boolean) {
    super(`this page cannot run a peer: it lacks ${missing.join(', ')}${isSecure ? '' : '. Open it on https or on localhost: browsers give these to secure contexts only'}`)
    this.missing = missing
  }
}

/** The tab that ran the peer is gone, and what it was asked with it. */
export class LeaderGoneError extends Error {
  override name = 'LeaderGoneError'
  constructor () { super('the tab that ran the peer was closed in the middle of this call') }
}

/** One profile is in one cluster at a time. */
export class OtherClusterError extends Error {
  override name = 'OtherClusterError'
  constructor () { super('another tab of this browser is in another cluster: close it, or leave that cluster there, and open this page again') }
}

/** This profile left its cluster, in this tab or another. */
export class LeftError extends Error {
  override name = 'LeftError'
  constructor () { super('this browser has left the cluster') }
}

/** Throws UnsupportedPageError where something is missing. */
export function checkPage (scope: typeof globalThis = globalThis): void {
  const parts: ReadonlyArray<readonly [string, boolean]> = [
    ['Web Locks', 'locks' in scope.navigator], ['IndexedDB', 'indexedDB' in scope], ['Web Crypto', 'subtle' in scope.crypto],
    ['WebSocket', 'WebSocket' in scope], ['BroadcastChannel', 'BroadcastChannel' in scope]
  ]
  const missing = parts.filter(([, isThere]) => !isThere).map(([name]) => name)
  if (missing.length > 0 || !scope.isSecureContext) throw new UnsupportedPageError(missing.length > 0 ? missing : ['a secure context'], scope.isSecureContext)
}
