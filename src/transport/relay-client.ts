/** Has connections to us come through a relay where nobody can reach us directly (wire.md §1.2). */
import type { Connection, Startable } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { multiaddr } from '@multiformats/multiaddr'
import { isLocal, isRelayed } from './addresses.ts'

/** The parts of the node that it needs. */
export interface RelayClientComponents {
  readonly addressManager: { readonly getAddresses: () => readonly Multiaddr[] }
  readonly connectionManager: { readonly getConnections: () => ReadonlyArray<Pick<Connection, 'remoteAddr'>> }
  readonly transportManager: { readonly listen: (addresses: Multiaddr[]) => Promise<void> }
}

/** Time between looks at our own reachability, in ms. The first leaves AutoNAT the time to find out. */
const interval = 60_000

/** A service of the node: asks members for a relay place once it is clear that we have members in the world, but no address there. */
export const relayClient = () => (components: RelayClientComponents): Startable => new RelayClient(components)

class RelayClient implements Startable {
  readonly #components: RelayClientComponents
  #timer: ReturnType<typeof setInterval> | undefined

  constructor (components: RelayClientComponents) { this.#components = components }

  start (): void {
    this.#timer ??= setInterval(() => {
      if (!needsRelay(this.#components)) return
      this.stop()
      // Looks for relays among the members from then on, and for another one when its relay goes.
      this.#components.transportManager.listen([multiaddr('/p2p-circuit')]).catch(() => { this.start() })
    }, interval)
  }

  stop (): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

/** Members elsewhere, but nothing announced that they could dial. */
export function needsRelay ({ addressManager, connectionManager }: Pick<RelayClientComponents, 'addressManager' | 'connectionManager'>): boolean {
  const far = connectionManager.getConnections().some(({ remoteAddr }) => !isLocal(remoteAddr) && !isRelayed(remoteAddr))
  return far && addressManager.getAddresses().every((address) => isLocal(address) || isRelayed(address))
}
