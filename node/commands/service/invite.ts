/** `ipfs-cluster-service invite`: how another peer or a browser joins this cluster. The only command that prints the secret. */
import { networkInterfaces } from 'node:os'
import type { Config } from '../../../src/config/config.ts'
import { loadFolder } from '../../folder.ts'
import { CommandError, doing } from './context.ts'
import type { ServiceContext } from './context.ts'
import { configuredAddresses, expand, joinLinks, runningAddresses } from './join-links.ts'
import type { Interfaces, JoinLinks, LinkOptions } from './join-links.ts'

export interface InviteFlags { readonly role: string, readonly secret: boolean, readonly url?: string }

/** What `invite --help` teaches below the flags. */
export const inviteHelp = `
A join link opens the dashboard in a browser and makes that tab a member. All it needs is in the part after '#', which browsers send to nobody:
whoever has the link can join. With --no-secret the newcomer is asked for the secret instead.

  member   may change the pinset, where the other peers trust it
  reader   follows and changes nothing by itself

The role is a wish: only consensus.crdt.trusted_peers in the configuration of the other peers decides whose changes count.

Browsers let a page be a member on https or on localhost only. For other devices give the API listener a network address and a certificate
(api.restapi.http_listen_multiaddress, ssl_cert_file, ssl_key_file), or name a dashboard that is deployed elsewhere with --url.

Examples:
  ipfs-cluster-service invite                            everything, with the secret
  ipfs-cluster-service invite --role reader --no-secret  for an audience; the secret goes another way
  ipfs-cluster-service invite --url https://dash.example/
`

/** Where a newcomer may dial this peer, best first: what it announces, else where it listens. Plain TCP before WebSocket. */
export function joinAddresses (config: Config, peerId: string, interfaces: Interfaces): readonly string[] {
  const { announceMultiaddress, listenMultiaddress } = config.cluster
  const usable = (announceMultiaddress.length > 0 ? announceMultiaddress : listenMultiaddress.flatMap((address) => expand(address, interfaces)))
    .map(String).filter((address) => !address.includes('/udp/') && !/\/tcp\/0(\/|$)/.test(address))
  return usable.toSorted((a, b) => Number(a.includes('/ws')) - Number(b.includes('/ws'))).map((address) => `${address.replace(/\/p2p\/[^/]+$/, '')}/p2p/${peerId}`)
}

const quoted = (text: string): string => /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`

/** How another peer joins; `SECRET` stands where the secret is not to be printed. */
function forPeers (config: Config, peerId: string, interfaces: Interfaces, { role, withSecret }: LinkOptions): readonly string[] {
  const [address, ...others] = joinAddresses(config, peerId, interfaces)
  if (address === undefined) throw new CommandError('making the invitation', 'this peer has no fixed TCP address: set cluster.listen_multiaddress or cluster.announce_multiaddress')
  const { clusterName, trustedPeers } = config.consensus.crdt
  const environment = [
    `CLUSTER_SECRET=${withSecret ? config.cluster.secret : 'SECRET'}`, ...clusterName === 'ipfs-cluster' ? [] : [`CLUSTER_CRDT_CLUSTERNAME=${quoted(clusterName)}`], ...role === 'reader' ? ['CLUSTER_FOLLOWERMODE=true'] : []
  ].join(' ')
  return [
    withSecret ? 'Whoever has this text can join the cluster: pass it on as you would a password.' : 'Put the cluster secret in place of SECRET.',
    '',
    'On another machine, in a clone of pinswarm after `npm ci`:',
    `  ${environment} npm start -- --bootstrap ${address}`,
    'On another machine, where pinswarm is installed:',
    `  ${environment} ipfs-cluster-service init --ipfs helia && ipfs-cluster-service daemon --bootstrap ${address}`,
    'On this machine, as a second peer with a folder and ports of its own:',
    `  IPFS_CLUSTER_PATH=~/.ipfs-cluster-2 ${environment} npm start -- --randomports --bootstrap ${address}`,
    ...others.length === 0 ? [] : ['', 'Other addresses of this peer:', ...others.map((other) => `  ${other}`)],
    ...trustedPeers === '*' ? [] : ['', 'This cluster trusts named peers only (consensus.crdt.trusted_peers): the newcomer can read and replicate; add its peer ID there to let it pin.']
  ]
}

/** How a browser joins. */
function forBrowsers ({ urls, short, isLocal }: JoinLinks, { role }: LinkOptions, isRunning: boolean, qrCode: (text: string) => string): readonly string[] {
  if (short === undefined) {
    return ['', 'No join link for browsers: this peer needs a listener for them, such as /ip4/0.0.0.0/tcp/9098/ws in cluster.listen_multiaddress,', 'and a dashboard that opens on localhost or https: the API on a TCP port (api.restapi), or one elsewhere (--url).']
  }
  return [
    '', `In a browser, as a ${role}${isRunning ? '' : ' (start this peer first)'}:`, ...urls.map((each) => `  ${each}`), '', qrCode(short).trimEnd(),
    ...isLocal ? ['', 'These links work on this machine only: browsers want localhost or https, and a way to this peer. See --help for other devices.'] : [],
    ...role === 'reader' ? ['', "A reader's link is a wish: only consensus.crdt.trusted_peers of the other peers decides whose changes count."] : [],
    ...isRunning ? [] : ['', 'Asked for while the peer runs, the link also has its webrtc-direct address, which pages on https reach without a domain.']
  ]
}

export async function invite (context: ServiceContext, flags: InviteFlags): Promise<void> {
  const { role } = flags
  if (role !== 'member' && role !== 'reader') throw new CommandError('making the invitation', `--role: ${JSON.stringify(role)} is neither member nor reader`)
  if (flags.url !== undefined && !/^https?:\/\/[^\s]+$/.test(flags.url)) throw new CommandError('making the invitation', `--url: ${JSON.stringify(flags.url)} is no http or https URL`)
  const { config, identity } = await doing('loading configurations', async () => await loadFolder(context.folder, context.environment, context.logger.forComponent('config')))
  if (config.cluster.secret === '') throw new CommandError('making the invitation', 'cluster.secret is empty: anybody who reaches this peer is let in')
  const options: LinkOptions = { role, withSecret: flags.secret, url: flags.url }
  const interfaces = networkInterfaces()
  const peers = forPeers(config, identity.peerId.toString(), interfaces, options)
  const running = await runningAddresses(config, identity.peerId)
  const links = joinLinks(config, identity.peerId, running ?? configuredAddresses(config, identity.peerId, interfaces), interfaces, options)
  const { default: encodeQR } = await import('qr')
  const browsers = forBrowsers(links, options, running !== undefined, (text) => encodeQR(text, 'ascii', { ecc: 'low', border: 2 }))
  context.out([...peers, ...browsers, ''].join('\n'))
}
