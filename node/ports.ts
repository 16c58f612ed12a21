/** Ports that are free on this machine. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Config } from '../src/config/config.ts'

async function freePorts (count: number): Promise<readonly number[]> {
  // all are held until the last one is known, so that they differ
  const servers = await Promise.all(Array.from({ length: count }, async () => {
    const server = createServer().listen(0)
    await once(server, 'listening')
    return server
  }))
  const ports = servers.map((server) => { const address = server.address(); return typeof address === 'object' && address !== null ? address.port : 0 })
  await Promise.all(servers.map(async (server) => { server.close(); await once(server, 'close') }))
  return ports
}

const withPort = (address: Multiaddr, port: number): Multiaddr => multiaddr(address.toString().replace(/\/(tcp|udp)\/\d+/, `/$1/${port}`))

/** The configuration with every listen port replaced by a free one. */
export async function withRandomPorts (config: Config): Promise<Config> {
  const { listenMultiaddress } = config.cluster
  const rest = config.api.restapi
  const ports = await freePorts(listenMultiaddress.length + (rest?.httpListenMultiaddress.length ?? 0))
  const take = (addresses: readonly Multiaddr[], from: number): readonly Multiaddr[] => addresses.map((address, index) => withPort(address, ports[from + index] ?? 0))
  return {
    ...config,
    cluster: { ...config.cluster, listenMultiaddress: take(listenMultiaddress, 0) },
    api: rest === undefined ? {} : { restapi: { ...rest, httpListenMultiaddress: take(rest.httpListenMultiaddress, listenMultiaddress.length) } }
  }
}
