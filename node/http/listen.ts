/** Addresses that an HTTP server listens on, from multiaddrs: TCP with an IP or a name, or a Unix socket. */
import { once } from 'node:events'
import { lookup } from 'node:dns/promises'
import { rm, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import { errorText } from '../../src/component.ts'
import { InvalidConfigError } from '../../src/errors.ts'
import type { AddressInfo, ListenOptions, Server } from 'node:net'

/** Where to listen; throws InvalidConfigError for `key`. */
export async function listenOptions (address: string, key: string): Promise<ListenOptions> {
  const refused = (reason: string, cause?: unknown): InvalidConfigError => new InvalidConfigError(key, `${address}: ${reason}`, { cause })
  if (address.startsWith('/unix/')) return { path: address.slice('/unix'.length).replace(/^\/{2,}/, '/') }
  let components
  try { components = multiaddr(address).getComponents() } catch (cause) { throw refused('not a multiaddr', cause) }
  const [host, tcp, ...rest] = components
  const isHttp = rest.every(({ name }) => name === 'http' || name === 'https')
  if (host?.value === undefined || tcp?.value === undefined || tcp.name !== 'tcp' || !isHttp) throw refused('must be /ip4/…/tcp/…, /ip6/…/tcp/…, /dns…/tcp/… or /unix/…')
  const port = Number(tcp.value)
  if (host.name === 'ip4' || host.name === 'ip6') return { host: host.value, port }
  if (!['dns', 'dns4', 'dns6'].includes(host.name)) throw refused('must name an IP address or a host')
  const family = host.name === 'dns4' ? 4 : host.name === 'dns6' ? 6 : 0
  try { return { host: (await lookup(host.value, { family })).address, port } } catch (cause) { throw refused(`does not resolve: ${errorText(cause)}`, cause) }
}

/** Removes a socket that a process left behind; one that answers is in use. */
async function clearSocket (path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isSocket() !== true) return
  const probe = connect(path)
  const isLive = await once(probe, 'connect').then(() => true, () => false)
  probe.destroy()
  if (!isLive) await rm(path, { force: true })
}

/** Starts to listen; a port in use and a missing permission name the configuration key. */
export async function listen (server: Server, options: ListenOptions, key: string): Promise<void> {
  if (options.path !== undefined) await clearSocket(options.path)
  const where = options.path ?? `${options.host}:${options.port}`
  server.listen(options)
  try { await once(server, 'listening') } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    throw new InvalidConfigError(key, code === 'EADDRINUSE' ? `${where} is already in use by another program` : code === 'EACCES' ? `no permission to listen on ${where}` : errorText(cause), { cause })
  }
}

/** The multiaddr where it does listen: with the port that was given for 0. */
export function addressOf (server: Server): string | undefined {
  const bound = server.address()
  if (bound === null) return undefined
  if (typeof bound === 'string') return `/unix${bound}`
  const { family, address, port }: AddressInfo = bound
  return `/${family === 'IPv6' ? 'ip6' : 'ip4'}/${address}/tcp/${port}`
}
