/** Which addresses of its IPFS a peer tells the cluster in its pings (wire.md §4). */
import type { Multiaddr } from '@multiformats/multiaddr'

const dnsNames = new Set(['dns', 'dns4', 'dns6', 'dnsaddr'])

/** DNS names and global unicast IP addresses, private ranges included. */
export function isAnnounced (address: Multiaddr): boolean {
  const [first] = address.getComponents()
  if (first?.value === undefined) return false
  if (dnsNames.has(first.name)) return true
  if (first.name === 'ip4') return isGlobalUnicast4(first.value)
  return first.name === 'ip6' && isGlobalUnicast6(first.value)
}

/** Not unspecified, loopback, link-local, multicast or broadcast. */
function isGlobalUnicast4 (text: string): boolean {
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number)
  const unspecified = a === 0 && b === 0 && c === 0 && d === 0
  const broadcast = a === 255 && b === 255 && c === 255 && d === 255
  const multicast = a >= 224 && a <= 239
  return !unspecified && !broadcast && !multicast && a !== 127 && !(a === 169 && b === 254)
}

function isGlobalUnicast6 (text: string): boolean {
  const address = text.toLowerCase()
  if (address === '::' || address === '::1') return false
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1]
  if (mapped !== undefined) return isGlobalUnicast4(mapped)
  const first = address.startsWith('::') ? 0 : Number.parseInt(address.split(':')[0] ?? '', 16)
  const linkLocal = (first & 0xffc0) === 0xfe80
  const multicast = (first & 0xff00) === 0xff00
  return !linkLocal && !multicast
}
