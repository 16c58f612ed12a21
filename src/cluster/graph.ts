/** Who sees whom (behaviour.md §11, rest-api.md §3.5). */
import { errorText } from '../component.ts'
import type { AbortOptions } from '../component.ts'
import type { PeerContext } from './components.ts'
import { answerTimeout, within } from './deadline.ts'
import type { PeersService } from './peers.ts'
import type { ConnectGraph, PeerInfo } from './types.ts'
import type { PeerId } from '@libp2p/interface'

type Parts = Pick<PeerContext, 'self' | 'connector' | 'consensus' | 'rpc' | 'clock' | 'log'> & { readonly peers: PeersService }

/** What one member told of the others. */
interface View {
  readonly member: PeerId
  /** Undefined when it failed. */
  readonly seen: readonly PeerInfo[] | undefined
  /** Its own entry. */
  readonly own: PeerInfo | undefined
  /** Peers of its IPFS; undefined when the IPFS did not tell. */
  readonly swarm: readonly PeerId[] | undefined
}

/** Asks every member whom it sees. Only members are in the answer, and every one of them is a key of `clusterLinks`. */
export async function connectGraph (parts: Parts, options: AbortOptions = {}): Promise<ConnectGraph> {
  const members = await parts.consensus.peerset.peers()
  const views = await Promise.all(members.map((member) => viewOf(parts, member, options)))
  options.signal?.throwIfAborted()
  const isMember = new Set(members.map(String))
  const told = views.flatMap(({ own, swarm }) => own?.ipfs?.id === undefined || own.ipfs.error !== '' ? [] : [{ own, ipfs: own.ipfs.id, swarm }])
  return {
    clusterId: parts.self,
    idToPeerName: new Map(views.filter(({ seen }) => seen !== undefined).map(({ member, own }) => [member.toString(), own?.peerName ?? ''])),
    clusterTrustLinks: new Map(members.map((member) => [member.toString(), parts.consensus.trust.isTrusted(member)])),
    clusterLinks: new Map(views.map(({ member, seen = [] }) =>
      [member.toString(), seen.filter(({ id, error }) => error === '' && !id.equals(member) && isMember.has(id.toString())).map(({ id }) => id)])),
    clusterToIpfs: new Map(told.map(({ own, ipfs }) => [own.id.toString(), ipfs])),
    ipfsLinks: new Map(told.map(({ ipfs, swarm = [] }) => [ipfs.toString(), swarm]))
  }
}

async function viewOf (parts: Parts, member: PeerId, options: AbortOptions): Promise<View> {
  const { self, peers, connector, rpc, clock, log } = parts
  const here = member.equals(self)
  let seen: readonly PeerInfo[]
  try {
    seen = await within(clock, answerTimeout, options, async (limited) => await collect(here ? peers.all(limited) : rpc.stream(member, 'Cluster.Peers', [], limited)))
  } catch (error) {
    log.debug(`${member.toString()} does not say whom it sees:`, errorText(error))
    return { member, seen: undefined, own: undefined, swarm: undefined }
  }
  const own = seen.find(({ id, error }) => error === '' && id.equals(member))
  try {
    const swarm = await within(clock, answerTimeout, options, async (limited) => here ? await connector.swarmPeers(limited) : await rpc.call(member, 'IPFSConnector.SwarmPeers', {}, limited))
    return { member, seen, own, swarm }
  } catch (error) {
    log.debug(`the IPFS of ${member.toString()} does not name its peers:`, errorText(error))
    return { member, seen, own, swarm: undefined }
  }
}

/** A member cannot see more peers than this. */
const maxPeers = 10_000

async function collect (infos: AsyncIterable<PeerInfo>): Promise<readonly PeerInfo[]> {
  const seen: PeerInfo[] = []
  for await (const info of infos) {
    if (seen.push(info) > maxPeers) throw new Error(`more than ${maxPeers} peers`)
  }
  return seen
}
