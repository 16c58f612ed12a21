/** `ipfs-cluster-service invite`: how another peer joins this cluster. The only command that prints the secret. */
import { networkInterfaces } from 'node:os'
import { multiaddr } from '@multiformats/multiaddr'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Config } from '../../../src/config/config.ts'
import { loadFolder } from '../../folder.ts'
import { CommandError, doing } from './context.ts'
import type { ServiceContext } from './context.ts'

type Interfaces = ReturnType<typeof networkInterfaces>

/** Addresses of this machine in place of `0.0.0.0` and `::`; loopback last. */
function expand (address: Multiaddr, interfaces: Interfaces): readonly Multiaddr[] {
  const text = address.toString()
  const unspecified = /^\/(ip4\/0\.0\.0\.0|ip6\/::)\//.exec(text)
  if (unspecified === null) return [address]
  const family = text.startsWith('/ip4') ? 'IPv4' : 'IPv6'
  const own = Object.values(interfaces).flatMap((list) => list ?? []).filter((item) => item.family === family && !item.address.startsWith('fe80'))
  return own.toSorted((a, b) => Number(a.internal) - Number(b.internal)).map((item) => multiaddr(text.replace(unspecified[0], `/${family === 'IPv4' ? 'ip4' : 'ip6'}/${item.address}/`)))
}

/** Where a newcomer may dial this peer, best first: what it announces, else where it listens. Plain TCP before WebSocket. */
export function joinAddresses (config: Config, peerId: string, interfaces: Interfaces): readonly string[] {
  const { announceMultiaddress, listenMultiaddress } = config.cluster
  const usable = (announceMultiaddress.length > 0 ? announceMultiaddress : listenMultiaddress.flatMap((address) => expand(address, interfaces)))
    .map(String).filter((address) => !address.includes('/udp/') && !/\/tcp\/0(\/|$)/.test(address))
  return usable.toSorted((a, b) => Number(a.includes('/ws')) - Number(b.includes('/ws'))).map((address) => `${address.replace(/\/p2p\/[^/]+$/, '')}/p2p/${peerId}`)
}

const quoted = (text: string): string => /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`

/** The text of the invitation. */
export function invitation (config: Config, peerId: string, interfaces: Interfaces): string {
  const [address, ...others] = joinAddresses(config, peerId, interfaces)
  if (address === undefined) throw new CommandError('making the invitation', 'this peer has no fixed TCP address: set cluster.listen_multiaddress or cluster.announce_multiaddress')
  const { clusterName, trustedPeers } = config.consensus.crdt
  const environment = [`CLUSTER_SECRET=${config.cluster.secret}`, ...clusterName === 'ipfs-cluster' ? [] : [`CLUSTER_CRDT_CLUSTERNAME=${quoted(clusterName)}`]].join(' ')
  return [
    'Whoever has this text can join the cluster: pass it on as you would a password.',
    '',
    'On another machine, in a clone of pinswarm after `npm ci`:',
    `  ${environment} npm start -- --bootstrap ${address}`,
    'On another machine, where pinswarm is installed:',
    `  ${environment} ipfs-cluster-service init --ipfs helia && ipfs-cluster-service daemon --bootstrap ${address}`,
    'On this machine, as a second peer with a folder and ports of its own:',
    `  IPFS_CLUSTER_PATH=~/.ipfs-cluster-2 ${environment} npm start -- --randomports --bootstrap ${address}`,
    ...others.length === 0 ? [] : ['', 'Other addresses of this peer:', ...others.map((other) => `  ${other}`)],
    ...trustedPeers === '*' ? [] : ['', 'This cluster trusts named peers only (consensus.crdt.trusted_peers): the newcomer can read and replicate; add its peer ID there to let it pin.'],
    ''
  ].join('\n')
}

export async function invite (context: ServiceContext): Promise<void> {
  const { config, identity } = await doing('loading configurations', async () => await loadFolder(context.folder, context.environment, context.logger.forComponent('config')))
  if (config.cluster.secret === '') throw new CommandError('making the invitation', 'cluster.secret is empty: anybody who reaches this peer is let in')
  context.out(invitation(config, identity.peerId.toString(), networkInterfaces()))
}
