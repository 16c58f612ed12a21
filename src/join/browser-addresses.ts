/** Addresses that a browser can dial, for join links. */
import type { Multiaddr } from '@multiformats/multiaddr'
import { isLoopback, isRelayed } from '../transport/addresses.ts'

/** A QR code has to hold them all. */
const maxAddresses = 8

const has = (address: Multiaddr, ...names: readonly string[]): boolean => address.getComponents().some(({ name }) => names.includes(name))
const isDialable = (address: Multiaddr): boolean => !isRelayed(address) && has(address, 'p2p') && (has(address, 'ws', 'wss') || (has(address, 'webrtc-direct') && has(address, 'certhash')))
/** Leads nowhere, or only on one link. */
const isNowhere = (address: Multiaddr): boolean => /^\/(ip4\/0\.0\.0\.0|ip6\/::|ip6\/fe80:[^/]*|ip6zone\/[^/]*\/ip6\/[^/]*|ip4\/169\.254\.[^/]*)\//.test(address.toString()) || /\/(tcp|udp)\/0(\/|$)/.test(address.toString())
/** TLS works from any page, plain WebSocket from pages on plain http and to this machine, webrtc-direct from any page but slower. */
const kindOf = (address: Multiaddr): number => has(address, 'wss', 'tls') ? 0 : has(address, 'webrtc-direct') ? 2 : 1
const withoutPeer = (address: Multiaddr): string => address.toString().replace(/\/p2p\/[^/]+$/, '')

/** Those of `addresses` that a browser can dial, best first: announced ones, then this machine's in its networks, loopback last. */
export function browserAddresses (addresses: readonly Multiaddr[], announced: readonly Multiaddr[] = []): readonly Multiaddr[] {
  const known = new Set(announced.map(withoutPeer))
  const placeOf = (address: Multiaddr): number => known.has(withoutPeer(address)) ? 0 : isLoopback(address) ? 2 : 1
  const unique = new Map(addresses.map((address) => [address.toString(), address]))
  return [...unique.values()].filter((address) => isDialable(address) && !isNowhere(address)).toSorted((a, b) => placeOf(a) - placeOf(b) || kindOf(a) - kindOf(b)).slice(0, maxAddresses)
}
