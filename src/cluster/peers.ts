/** Who is in the cluster, and becoming one of them (wire.md §6.2 and §6.3). */
import { errorText } from '../component.ts'
import type { AbortOptions, Logger } from '../component.ts'
import { InvalidValueError } from '../errors.ts'
import { limitedLog } from '../limited-log.ts'
import { version } from '../version.ts'
import type { IpfsId, PeerInfo } from './types.ts'
import { rpcProtocol } from './types.ts'
import type { PeerContext } from './components.ts'
import { answerTimeout, within } from './deadline.ts'
import { isAuthorizationError } from './errors.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

/** Addresses of one member's IPFS that ours is connected to: members may name as many as they like. */
const maxIpfsAddresses = 32
/** Ms that our own IPFS has to tell who it is. */
const ipfsIdTimeout = 10_000

type Parts = Pick<PeerContext, 'self' | 'options' | 'transport' | 'connector' | 'consensus' | 'monitor' | 'rpc' | 'clock' | 'log'>

export class PeersService {
  readonly #parts: Parts

  /** For what any member can cause. */
  readonly #told: Logger

  constructor (parts: Parts) {
    this.#parts = parts
    this.#told = limitedLog(parts.log)
  }

  async id (options: AbortOptions = {}): Promise<PeerInfo> {
    const { self, transport, consensus, options: { peername, lightPeer } } = this.#parts
    const clusterPeers = await consensus.peerset.peers()
    const others = clusterPeers.filter((peer) => !peer.equals(self))
    const [clusterPeersAddresses, ipfs] = await Promise.all([transport.addressesOf(others), this.#ipfsId(options)])
    return { id: self, addresses: transport.addresses(), clusterPeers, clusterPeersAddresses, version, commit: '', rpcProtocolVersion: rpcProtocol, error: '', ipfs, peerName: peername, light: lightPeer !== undefined }
  }

  /** Every member, each as soon as it answers; those that do not let us ask are left out. */
  async * all (options: AbortOptions = {}): AsyncGenerator<PeerInfo> {
    const waiting = new Map((await this.#parts.consensus.peerset.peers()).map((peer) => {
      const key = peer.toString()
      return [key, this.#idOf(peer, options).then((info) => ({ key, info }))]
    }))
    while (waiting.size > 0) {
      const { key, info } = await Promise.race(waiting.values())
      waiting.delete(key)
      options.signal?.throwIfAborted()
      if (info !== undefined) yield this.#parts.monitor.latestPing(info.id)?.light === true ? { ...info, light: true } : info
    }
  }

  /** As a member: let another one in and ask it who it is, over the connection it has. */
  async add (peer: PeerId, options: AbortOptions = {}): Promise<PeerInfo> {
    const { self, consensus, rpc, clock } = this.#parts
    await consensus.peerset.add(peer, options)
    const info = peer.equals(self) ? await this.id(options) : await within(clock, answerTimeout, options, async (limited) => await rpc.call(peer, 'Cluster.ID', {}, limited))
    this.#told.info('peer added', peer.toString())
    return info.clusterPeers.some((member) => member.equals(self)) ? info : { ...info, clusterPeers: [...info.clusterPeers, self] }
  }

  /** As a newcomer: reach a member and have it add us. Undefined when the address is our own. */
  async join (address: Multiaddr, options: AbortOptions = {}): Promise<PeerId | undefined> {
    const { self, transport, rpc, clock } = this.#parts
    const named = address.getComponents().findLast(({ name }) => name === 'p2p')?.value
    if (named === undefined) throw new InvalidValueError('address', 'must end in /p2p/<peer ID>')
    if (named === self.toString()) return undefined
    const member = await transport.connect(address, options)
    await within(clock, answerTimeout, options, async (limited) => await rpc.call(member, 'Cluster.PeerAdd', self, limited))
    return member
  }

  /** Connects our IPFS to those of the other members, as far as it goes. */
  async connectSwarms (options: AbortOptions = {}): Promise<void> {
    const { self, connector, log } = this.#parts
    for await (const { id, error, ipfs } of this.all(options)) {
      if (id.equals(self) || error !== '' || ipfs === undefined || ipfs.error !== '' || ipfs.addresses.length === 0) continue
      try {
        await connector.swarmConnect(ipfs.addresses.slice(0, maxIpfsAddresses), options)
      } catch (failure) {
        log.debug('IPFS could not be connected to that of', id.toString(), errorText(failure))
      }
    }
  }

  async #idOf (peer: PeerId, options: AbortOptions): Promise<PeerInfo | undefined> {
    const { self, rpc, clock } = this.#parts
    try {
      if (peer.equals(self)) return await this.id(options)
      const info = await within(clock, answerTimeout, options, async (limited) => {
        for await (const answer of rpc.stream(peer, 'Cluster.IDStream', [], limited)) return answer
        throw new Error('the peer did not say who it is')
      })
      return { ...info, id: peer }
    } catch (error) {
      return isAuthorizationError(error) ? undefined : silentPeer(peer, errorText(error))
    }
  }

  async #ipfsId (options: AbortOptions): Promise<IpfsId> {
    try {
      return await within(this.#parts.clock, ipfsIdTimeout, options, async (limited) => await this.#parts.connector.id(limited))
    } catch (error) {
      return { addresses: [], error: errorText(error) }
    }
  }
}

const silentPeer = (id: PeerId, error: string): PeerInfo => ({
  id, addresses: [], clusterPeers: [], clusterPeersAddresses: [], version: '', commit: '', rpcProtocolVersion: '', error, peerName: ''
})
