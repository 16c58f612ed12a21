/** What multiaddresses say about where they lead. */
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'

const nameKinds: ReadonlySet<string> = new Set(['dns', 'dns4', 'dns6', 'dnsaddr'])

/** The peer an address ends in, where it names one. */
export function peerOf (address: Multiaddr): PeerId | undefined {
  const text = address.getComponents().findLast(({ name }) => name === 'p2p')?.value
  return text === undefined ? undefined : peerIdFromString(text)
}

/** The address with `/p2p/<peer>` at its end, once. */
export const withPeer = (address: Multiaddr, peer: PeerId): Multiaddr =>
  peerOf(address)?.equals(peer) === true ? address : address.encapsulate(`/p2p/${peer.toString()}`)

/** Names a host instead of giving its IP. */
export const isNamed = (address: Multiaddr): boolean => nameKinds.has(address.getComponents()[0]?.name ?? '')

/** Goes through a relay. */
export const isRelayed = (address: Multiaddr): boolean => address.getComponents().some(({ name }) => name === 'p2p-circuit')

/** Begins at a relay and goes on directly: WebRTC between peers that nobody can dial. */
export const isWebRtc = (address: Multiaddr): boolean => address.getComponents().some(({ name }) => name === 'webrtc')

/** WebRTC to a peer that listens on UDP. */
export const isWebRtcDirect = (address: Multiaddr): boolean => address.getComponents().some(({ name }) => name === 'webrtc-direct')

/** QUIC in any version, which carries no private network. */
export const isQuic = (address: Multiaddr): boolean => address.getComponents().some(({ name }) => name === 'quic' || name === 'quic-v1')

/** The IP an address begins with: 4 or 16 bytes. */
export function ipOf (address: Multiaddr): Uint8Array | undefined {
  const ip = address.getComponents().find(({ name }) => name !== 'ip6zone')
  if (ip === undefined || (ip.name !== 'ip4' && ip.name !== 'ip6')) return undefined
  // One byte of protocol code, then the address itself.
  return multiaddr(`/${ip.name}/${ip.value ?? ''}`).bytes.subarray(1)
}

/** Whether the first `bits` of both addresses are the same. */
export function samePrefix (one: Uint8Array, other: Uint8Array, bits: number): boolean {
  if (one.byteLength !== other.byteLength) return false
  const whole = Math.floor(bits / 8)
  const rest = 0xff00 >> (bits % 8) & 0xff
  return one.subarray(0, whole).every((byte, index) => byte === other[index]) &&
    (rest === 0 || ((one[whole] ?? 0) & rest) === ((other[whole] ?? 0) & rest))
}

const mapped = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff)

/** An IPv4 address written as IPv6 is that IPv4 address. */
const plain = (ip: Uint8Array): Uint8Array => ip.byteLength === 16 && samePrefix(ip.subarray(0, 12), mapped, 96) ? ip.subarray(12) : ip

/** Loopback of either IP version. */
export function isLoopback (address: Multiaddr): boolean {
  const ip = ipOf(address)
  if (ip === undefined) return address.getComponents()[0]?.value === 'localhost'
  const bytes = plain(ip)
  return bytes.byteLength === 4 ? bytes[0] === 127 : bytes.subarray(0, 15).every((byte) => byte === 0) && bytes[15] === 1
}

/** Global unicast as Go's net package counts it: also private ranges, but neither unspecified, loopback, link-local, multicast nor broadcast. */
function isGlobalUnicast (ip: Uint8Array): boolean {
  const [first = 0, second = 0] = ip
  if (ip.every((byte) => byte === 0)) return false
  if (ip.byteLength === 4) return first !== 127 && (first & 0xf0) !== 0xe0 && !(first === 169 && second === 254) && !ip.every((byte) => byte === 255)
  const loopback = ip.subarray(0, 15).every((byte) => byte === 0) && ip[15] === 1
  return !loopback && first !== 0xff && !(first === 0xfe && (second & 0xc0) === 0x80)
}

/** Fit to be told to others, as in the ping metric: a name, or a global unicast IP with private ranges included (wire.md §4). */
export function isReachable (address: Multiaddr): boolean {
  const ip = ipOf(address)
  return ip === undefined ? isNamed(address) : isGlobalUnicast(plain(ip))
}

const privateRanges: ReadonlyArray<readonly [string, number]> = [
  ['/ip4/10.0.0.0', 8], ['/ip4/172.16.0.0', 12], ['/ip4/192.168.0.0', 16], ['/ip4/100.64.0.0', 10], ['/ip4/169.254.0.0', 16],
  ['/ip6/fc00::', 7], ['/ip6/fe80::', 10]
]

/** Leads nowhere outside this machine or its local network. */
export function isLocal (address: Multiaddr): boolean {
  const ip = ipOf(address)
  if (ip === undefined) return isLoopback(address)
  return isLoopback(address) || !isGlobalUnicast(plain(ip)) || privateRanges.some(([range, bits]) => samePrefix(plain(ip), ipOf(multiaddr(range)) ?? ip, bits))
}

/** Tells which addresses `no_announce_multiaddress` hides: each entry an exact address, or a range such as `/ip4/10.0.0.0/ipcidr/8`. */
export function hiddenBy (entries: readonly Multiaddr[]): (address: Multiaddr) => boolean {
  const exact = new Set<string>()
  const ranges: Array<readonly [Uint8Array, number]> = []
  for (const entry of entries) {
    const bits = entry.getComponents().find(({ name }) => name === 'ipcidr')?.value
    const ip = ipOf(entry)
    if (bits === undefined || ip === undefined) exact.add(entry.toString())
    else ranges.push([ip, Number(bits)])
  }
  return (address) => {
    const ip = ipOf(address)
    return exact.has(withoutPeer(address)) || (ip !== undefined && ranges.some(([range, bits]) => samePrefix(ip, range, bits)))
  }
}

/** The text of an address up to its closing `/p2p/<peer>`. */
export const withoutPeer = (address: Multiaddr): string => address.toString().replace(/\/p2p\/[^/]+$/, '')
