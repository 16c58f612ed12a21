/** Join links for browsers, as `invite` prints them. */
import type { networkInterfaces } from 'node:os'
import type { PeerId } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Config } from '../../../src/config/config.ts'
import { browserAddresses } from '../../../src/join/browser-addresses.ts'
import { encodeJoinFragment } from '../../../src/join/join-link.ts'
import type { JoinRole } from '../../../src/join/join-link.ts'
import { isLoopback } from '../../../src/transport/addresses.ts'
import { invitationOf } from '../../invitation.ts'
import { urlOf } from './urls.ts'

export type Interfaces = ReturnType<typeof networkInterfaces>

export interface LinkOptions {
  readonly role: JoinRole
  readonly withSecret: boolean
  /** Where a dashboard is deployed. @default where this peer serves it */
  readonly url?: string | undefined
}

/** Addresses of this machine in place of `0.0.0.0` and `::`; loopback last. */
export function expand (address: Multiaddr, interfaces: Interfaces): readonly Multiaddr[] {
  const text = address.toString()
  const unspecified = /^\/(ip4\/0\.0\.0\.0|ip6\/::)\//.exec(text)
  if (unspecified === null) return [address]
  const family = text.startsWith('/ip4') ? 'IPv4' : 'IPv6'
  const own = Object.values(interfaces).flatMap((list) => list ?? []).filter((item) => item.family === family && !item.address.startsWith('fe80'))
  return own.toSorted((a, b) => Number(a.internal) - Number(b.internal)).map((item) => multiaddr(text.replace(unspecified[0], `/${family === 'IPv4' ? 'ip4' : 'ip6'}/${item.address}/`)))
}

/** How long a running peer may take to say where it listens, in ms. */
const askTimeout = 2000

/** Where the running peer says that browsers reach it; undefined where none of this folder runs. Only a running one knows the certificate of its webrtc-direct. */
export async function runningAddresses (config: Config, self: PeerId): Promise<readonly Multiaddr[] | undefined> {
  const { restapi } = config.api
  if (restapi === undefined) return undefined
  const [{ ClusterClient }, { nodeTransport }, { parseHosts }] = await Promise.all([import('../../../src/api/client.ts'), import('../../http/client-transport.ts'), import('../ctl/endpoints.ts')])
  try {
    const endpoints = await parseHosts(restapi.httpListenMultiaddress.join(','), restapi.sslCertFile !== '')
    const [user] = Object.entries(restapi.basicAuthCredentials ?? {}).map(([name, password]) => ({ user: name, password }))
    const client = new ClusterClient({ credentials: user, transport: nodeTransport({ endpoints, timeout: askTimeout, checkCertificate: false }) })
    const { addresses } = await client.invite({ secret: false })
    return addresses.length > 0 && addresses.every((address) => address.toString().endsWith(`/p2p/${self.toString()}`)) ? addresses : undefined
  } catch { return undefined }
}

/** Where browsers reach this peer by its configuration alone. */
export function configuredAddresses (config: Config, self: PeerId, interfaces: Interfaces): readonly Multiaddr[] {
  const { announceMultiaddress: announced, listenMultiaddress } = config.cluster
  const addresses = announced.length > 0 ? announced : listenMultiaddress.flatMap((address) => expand(address, interfaces))
  return browserAddresses(addresses.map((address) => multiaddr(`${address.toString().replace(/\/p2p\/[^/]+$/, '')}/p2p/${self.toString()}`)), announced)
}

/** Dashboards that a browser lets be a member: on https, or on this machine. */
function dashboards (config: Config, interfaces: Interfaces): readonly string[] {
  const { restapi } = config.api
  if (restapi === undefined) return []
  const isTls = restapi.sslCertFile !== ''
  return restapi.httpListenMultiaddress.filter((address) => address.toString().includes('/tcp/')).flatMap((address) => expand(address, interfaces))
    .filter((address) => isTls || isLoopback(address)).map((address) => `${urlOf(address.toString(), isTls)}/webui/`)
}

export interface JoinLinks {
  /** Best first. */
  readonly urls: readonly string[]
  /** The first of them with fewer addresses, for a QR code that fits a terminal. */
  readonly short?: string | undefined
  /** They open on this machine only. */
  readonly isLocal: boolean
}

/** A link needs a way to the peer and a dashboard to open; none where one is missing. */
export function joinLinks (config: Config, self: PeerId, addresses: readonly Multiaddr[], interfaces: Interfaces, { role, withSecret, url }: LinkOptions): JoinLinks {
  const { secret, ...link } = invitationOf(config, self, addresses)
  if (link.addresses.length === 0) return { urls: [], isLocal: false }
  const withAddresses = (some: readonly Multiaddr[]): string => encodeJoinFragment({ ...link, addresses: some, role, secret: withSecret ? secret : undefined })
  const isDirect = (address: Multiaddr): boolean => address.toString().includes('/webrtc-direct/')
  const few = [link.addresses.find((address) => !isDirect(address)), link.addresses.find(isDirect)].flatMap((address) => address ?? [])
  const bases = url === undefined ? dashboards(config, interfaces) : [url.replace(/#.*$/, '')]
  const fragment = withAddresses(link.addresses)
  const [first] = bases
  return { urls: bases.map((base) => `${base}#${fragment}`), short: first === undefined ? undefined : `${first}#${withAddresses(few)}`, isLocal: bases.every((base) => /^https?:\/\/(localhost|127\.|\[::1\])/.test(base)) || link.addresses.every(isLoopback) }
}
