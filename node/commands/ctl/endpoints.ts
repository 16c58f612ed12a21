/** Where the API is, from `--host`. Parsed by hand: a multiaddr library would double the start-up time of the program. */
import { isIP } from 'node:net'
import { UsageError } from './command.ts'
import type { Endpoint } from '../../http/client-transport.ts'

const refused = (text: string, reason: string): UsageError => new UsageError(`error parsing host multiaddress: failed to parse multiaddr ${JSON.stringify(text)}: ${reason}`)

/** Every IP of a name, so that one that is down is passed over. */
async function addressesOf (name: string, family: 0 | 4 | 6): Promise<readonly string[]> {
  const { lookup } = await import('node:dns/promises')
  try { return (await lookup(name, { all: true, family })).map(({ address }) => address) } catch { return [name] }
}

async function endpointsAt (text: string, https: boolean): Promise<readonly Endpoint[]> {
  if (!text.startsWith('/')) throw refused(text, 'must begin with /')
  const protocol = https ? 'https' : 'http'
  if (text.startsWith('/unix/')) return [{ protocol, socketPath: text.slice('/unix'.length).replace(/^\/{2,}/, '/') }]
  const [, kind = '', host = '', tcp = '', port = '', ...rest] = text.split('/')
  if (rest.includes('p2p') || rest.includes('ipfs') || kind === 'dnsaddr' || kind === 'p2p') throw new UsageError('the API over libp2p (/p2p/… and /dnsaddr/… hosts) is not available yet: use its HTTP address, such as /ip4/127.0.0.1/tcp/9094')
  const isAddress = kind === 'ip4' ? isIP(host) === 4 : kind === 'ip6' ? isIP(host) === 6 : ['dns', 'dns4', 'dns6'].includes(kind) && host !== ''
  if (!isAddress) throw refused(text, 'must begin with an IP address, a DNS name or /unix/')
  if (tcp !== 'tcp' || !/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw refused(text, 'needs a TCP port')
  if (rest.some((part) => part !== 'http' && part !== 'https')) throw refused(text, `unexpected ${rest.join('/')}`)
  const hosts = kind.startsWith('ip') ? [host] : await addressesOf(host, kind === 'dns4' ? 4 : kind === 'dns6' ? 6 : 0)
  return hosts.map((each) => ({ protocol, host: each, port: Number(port) }))
}

/** Endpoints of a comma list of multiaddrs, in order. */
export async function parseHosts (list: string, https: boolean): Promise<readonly Endpoint[]> {
  const hosts = list.split(',').map((text) => text.trim()).filter((text) => text !== '')
  if (hosts.length === 0) throw refused(list, 'must begin with /')
  return (await Promise.all(hosts.map(async (host) => await endpointsAt(host, https)))).flat()
}

/** Shown in errors; requests go to the endpoints. */
export function urlOf (endpoint: Endpoint | undefined): string {
  if (endpoint === undefined) return 'http://127.0.0.1'
  if ('socketPath' in endpoint) return `${endpoint.protocol}://unix`
  return `${endpoint.protocol}://${endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`
}
