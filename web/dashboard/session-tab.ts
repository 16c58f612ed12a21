/** A session with the peer of this browser: the same API, in the same process or in the tab that runs it. */
import { errorText } from '../../src/component.ts'
import { LiveStream } from './live.ts'
import { forgetPlace, rememberPlace } from './memory.ts'
import type { WebPeer, WebPeerOptions } from '../web-peer.ts'
import type { Session } from './session.ts'

/** What a browser must offer to be a member, as the page words it; empty where nothing is missing. */
export function missingFeatures (): readonly string[] {
  const scope = globalThis as Partial<Pick<typeof globalThis, 'indexedDB' | 'isSecureContext' | 'BroadcastChannel'>> & { readonly navigator: { readonly locks?: unknown }, readonly crypto: { readonly subtle?: unknown } }
  const needs: ReadonlyArray<readonly [string, boolean]> = [
    ['a secure address: https, or localhost', scope.isSecureContext === true],
    ['cryptography (Web Crypto)', scope.crypto.subtle !== undefined],
    ['one peer per browser (Web Locks)', scope.navigator.locks !== undefined],
    ['storage (IndexedDB)', scope.indexedDB !== undefined],
    ['talk between tabs (BroadcastChannel)', scope.BroadcastChannel !== undefined]
  ]
  return needs.filter(([, has]) => !has).map(([name]) => name)
}

/** Starts the peer, or finds the tab in which it runs. The code of the peer is loaded here and not before. */
export async function startTabPeer (options: WebPeerOptions): Promise<WebPeer> {
  const { createWebPeer } = await import('../index.ts')
  const peer = await createWebPeer(options)
  await peer.start()
  return peer
}

/** Opens the session of a peer that has started. */
export function tabSession (peer: WebPeer, { keepSecret }: { readonly keepSecret: boolean }, onLeft: () => void): Session {
  const { client } = peer
  const live = new LiveStream({
    events: (given) => client.events(given),
    // The peer itself always answers; what counts is whether it reaches a member.
    probe: async (given) => { await peer.connected(given) },
    recheckAfter: 4_000
  })
  const running = live.run()
  peer.addEventListener('peer:failed', ({ detail }) => { live.end(errorText(detail)) })
  const title = peer.joined.clusterName
  rememberPlace({ mode: 'tab', name: title, keepSecret })
  const end = async (): Promise<void> => {
    live.stop()
    await running
  }
  return {
    mode: 'tab', client, live, peer, title,
    add: (entries, options) => client.add(entries, options),
    close: async () => {
      await end()
      await peer.stop()
    },
    leave: async () => {
      await end()
      await peer.leave()
      forgetPlace()
      onLeft()
    }
  }
}
