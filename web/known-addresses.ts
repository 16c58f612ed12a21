/** Members known from before, kept beside the state: a tab finds the cluster again after whom it joined through has gone. */
import { multiaddr } from '@multiformats/multiaddr'
import type { Multiaddr } from '@multiformats/multiaddr'
import { every, systemClock } from '../src/component.ts'
import type { Startable } from '../src/component.ts'
import type { Store } from '../src/store/store.ts'
import type { Libp2pTransport } from '../src/transport/libp2p.ts'

/** Outside the namespace of the consensus. */
const key = 'web/known-addresses'
const interval = 15_000
const maxAddresses = 200

/** What was kept; what cannot be read is left out. */
export async function knownAddresses (store: Store): Promise<readonly Multiaddr[]> {
  const kept = await store.get(key)
  if (kept === undefined) return []
  return new TextDecoder().decode(kept).split('\n').slice(0, maxAddresses).flatMap((text) => {
    try { return text === '' ? [] : [multiaddr(text)] } catch { return [] }
  })
}

/** Keeps the addresses of members that are connected, as they change. */
export function keepAddresses (store: Store, transport: Pick<Libp2pTransport, 'connectedPeers' | 'addressesOf'>): Startable {
  const abort = new AbortController()
  let running = Promise.resolve()
  let written = ''
  const write = async (): Promise<void> => {
    const near = await transport.addressesOf(transport.connectedPeers())
    const text = near.slice(0, maxAddresses).map(String).toSorted().join('\n')
    if (text === '' || text === written) return
    await store.batch([{ type: 'put', key, value: new TextEncoder().encode(text) }])
    written = text
  }
  return {
    // Losing a round loses nothing that the next one would not write.
    start: async () => { running = every(systemClock, interval, write, { signal: abort.signal, onError: () => {} }) },
    stop: async () => {
      abort.abort(new Error('the peer stops'))
      await running
    }
  }
}
