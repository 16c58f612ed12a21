/** One whole peer of the simulation, through all of its lives: its identity, its disk and its IPFS outlast them. */
import type { CrdtConsensus, CrdtConsensusOptions } from '../../../src/consensus/crdt/crdt-consensus.ts'
import type { Peer } from '../../../src/cluster/peer.ts'
import type { MemoryNetwork } from '../../../src/transport/memory.ts'
import type { Transport } from '../../../src/transport/transport.ts'
import type { ManualClock } from '../../contract/values.ts'
import type { PeerId } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { createAdder } from '../../../src/adder/unixfs.ts'
import { createPeer } from '../../../src/cluster/peer.ts'
import { silentLogger } from '../../../src/component.ts'
import { createCrdtConsensus } from '../../../src/consensus/crdt/crdt-consensus.ts'
import { bitswapExchange } from '../../../src/exchange/bitswap.ts'
import { informers } from '../../../src/informer/index.ts'
import { Bootstrap } from '../../../src/transport/bootstrap.ts'
import { seededRandom } from '../../../src/transport/random.ts'
import { testPeer } from '../../contract/values.ts'
import { FaultyIpfs } from './faulty-ipfs.ts'
import { Disk, FragileStore } from './fragile-store.ts'
import { FragileTransport } from './fragile-transport.ts'
import { Life } from './life.ts'
import { PeerClock } from './peer-clock.ts'

export interface SimMemberOptions {
  readonly number: number
  readonly seed: number
  readonly clock: ManualClock
  readonly network: MemoryNetwork
  readonly crdt: CrdtConsensusOptions
  /** Members of the cluster, this one included: their numbers are 1 to this. */
  readonly members: number
}

export class SimMember {
  readonly id: PeerId
  readonly name: string
  readonly disk: Disk
  readonly ipfs: FaultyIpfs
  readonly clock: PeerClock
  /** An acknowledged change may still wait in memory. */
  readonly isBatching: boolean
  readonly isSyncing: boolean
  readonly #options: SimMemberOptions
  readonly #place: Transport
  readonly #random: () => number
  #life = new Life()
  #transport: FragileTransport | undefined
  #peer: Peer | undefined
  #consensus: CrdtConsensus | undefined
  /** The end of earlier lives. */
  #burial: Promise<unknown> = Promise.resolve()

  constructor (options: SimMemberOptions) {
    const { number, seed, clock, network, crdt } = options
    this.#options = options
    this.#random = seededRandom(seed * 100 + number)
    this.id = testPeer(number)
    this.name = `peer ${number}`
    this.clock = new PeerClock(clock, () => this.#life)
    this.disk = new Disk(clock, this.#random)
    this.ipfs = new FaultyIpfs(testPeer(1000 + number), clock, this.#random)
    this.#place = network.join(this.id)
    this.isBatching = crdt.batching !== undefined
    this.isSyncing = crdt.sync === true
  }

  get life (): Life { return this.#life }
  get isUp (): boolean { return this.#peer !== undefined }

  /** The running peer; throws when there is none. */
  get peer (): Peer {
    if (this.#peer === undefined) throw new Error(`${this.name} does not run`)
    return this.#peer
  }

  get consensus (): CrdtConsensus {
    if (this.#consensus === undefined) throw new Error(`${this.name} does not run`)
    return this.#consensus
  }

  /** How far the disk surely is with what was acknowledged now. */
  get promise (): number { return this.isBatching ? Infinity : this.isSyncing ? this.disk.syncedMark : this.disk.mark }

  async start (): Promise<void> {
    if (this.#peer !== undefined) return
    this.#life = new Life()
    this.#transport = new FragileTransport(this.#place, this.#life)
    const peer = this.#create(this.#transport, new FragileStore(this.disk, this.#life))
    this.#peer = peer
    await this.#burial
    try {
      await peer.start()
    } catch (error) {
      // A daemon that cannot start ends.
      if (this.#peer === peer) this.#peer = undefined
      throw error
    }
  }

  /** Stops in order. */
  async stop (): Promise<void> {
    const peer = this.#peer
    this.#peer = undefined
    await peer?.stop()
  }

  /** The process is gone at once, or the whole machine: then what was not synced may be, too. Returns how far the disk is. */
  async crash (machine: boolean): Promise<number> {
    const peer = this.#peer
    const transport = this.#transport
    this.#peer = undefined
    this.#life.kill()
    await transport?.die()
    const mark = machine ? await this.disk.cutPower() : await this.disk.kill().then(() => this.disk.mark)
    // What is left of the dead process in ours must end; it can do nothing any more.
    this.#burial = Promise.allSettled([this.#burial, peer?.stop()])
    return mark
  }

  async buried (): Promise<void> { await this.#burial }

  #create (transport: FragileTransport, store: FragileStore): Peer {
    const { clock } = this
    const { crdt, members, number } = this.#options
    const logger = silentLogger
    const random = this.#random
    const addresses = Array.from({ length: members }, (_, index) => testPeer(index + 1)).filter((id) => !id.equals(this.id)).map((id) => `/memory/${id.toString()}/p2p/${id.toString()}`)
    let consensus: CrdtConsensus | undefined
    const exchange = bitswapExchange({ transport, logger, clock, random, blocks: { get: async (cid, abort) => await consensus?.blocks.get(cid, abort) } })
    return createPeer({
      transport, clock, random, logger,
      connector: this.ipfs,
      informers: [informers.disk(), informers.tags({ tags: { group: `group ${number}` } })],
      adder: createAdder,
      services: [exchange],
      bootstrap: new Bootstrap({ transport, logger, clock, random }, { knownAddresses: addresses.map((address) => multiaddr(address)) }),
      consensus: ({ hooks, monitor }) => {
        consensus = createCrdtConsensus({ store, exchange, pubsub: transport.pubsub, monitor, peerId: this.id, hooks, clock, logger, random, onConnect: (listener) => transport.onConnect(listener), streams: transport }, crdt)
        this.#consensus = consensus
        return consensus
      }
    }, { peername: this.name, connectSwarmsDelay: 0 })
  }
}
