/** Several whole peers in one process: a network, a block exchange and a clock in memory. */
import { onTestFinished } from 'vitest'
import { createAdder } from '../../src/adder/unixfs.ts'
import { createPeer } from '../../src/cluster/peer.ts'
import { silentLogger } from '../../src/component.ts'
import { createCrdtConsensus } from '../../src/consensus/crdt/crdt-consensus.ts'
import { createMemoryExchange } from '../../src/exchange/memory.ts'
import { informers } from '../../src/informer/index.ts'
import { MemoryConnector } from '../../src/ipfs/memory.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { createMemoryNetwork } from '../../src/transport/memory.ts'
import { ManualClock, testPeer } from '../contract/values.ts'
import type { Peer } from '../../src/cluster/peer.ts'
import type { PeerComponents, PeerOptions } from '../../src/cluster/components.ts'
import type { CrdtConsensusOptions } from '../../src/consensus/crdt/crdt-consensus.ts'
import type { Store } from '../../src/store/store.ts'
import type { MemoryNetwork } from '../../src/transport/memory.ts'
import type { MemoryExchange } from '../../src/exchange/memory.ts'
import type { Transport } from '../../src/transport/transport.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

export interface MemberOptions extends Partial<PeerOptions> {
  readonly crdt?: CrdtConsensusOptions | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
  readonly storageMax?: bigint | undefined
  readonly store?: Store | undefined
  readonly components?: Partial<PeerComponents> | undefined
  /** Where the IPFS gets blocks that it does not hold. */
  readonly fetch?: ((cid: CID) => Promise<Uint8Array | undefined>) | undefined
}

export interface Member {
  readonly id: PeerId
  readonly ipfsId: PeerId
  readonly peer: Peer
  readonly connector: MemoryConnector
  readonly transport: Transport
  readonly store: Store
}

export class TestCluster {
  readonly clock = new ManualClock()
  readonly network: MemoryNetwork = createMemoryNetwork({ clock: this.clock })
  readonly members: Member[] = []
  readonly #exchange: MemoryExchange = createMemoryExchange({ clock: this.clock })

  constructor () { onTestFinished(async () => { await this.stop() }) }

  /** The member with this index. */
  at (index: number): Member {
    const member = this.members[index]
    if (member === undefined) throw new Error(`no member ${index}`)
    return member
  }

  /** A new member, not started. Numbers become stable identities. */
  create ({ crdt, tags, storageMax, store = new MemoryStore(), components, fetch, ...options }: MemberOptions = {}): Member {
    const number = this.members.length + 1
    const id = testPeer(number)
    const ipfsId = testPeer(1000 + number)
    const transport = this.network.join(id)
    const connector = new MemoryConnector({ id: ipfsId, storageMax, fetch })
    const { clock } = this
    const exchange = this.#exchange
    const peer = createPeer({
      transport,
      connector,
      clock,
      random: seeded(number),
      informers: [informers.disk(), informers.tags({ tags: tags ?? { group: 'default' } })],
      adder: createAdder,
      consensus: ({ hooks, monitor }) => {
        const blocks = exchange.join(transport, { get: async (cid) => await consensus.blocks.get(cid) })
        const consensus = createCrdtConsensus({ store, exchange: blocks, pubsub: transport.pubsub, monitor, peerId: id, hooks, clock, logger: silentLogger, random: seeded(number) }, crdt)
        // The exchange lives as long as the consensus that serves through it.
        const { start, stop } = consensus
        return Object.assign(consensus, {
          start: async () => { await blocks.start(); await start.call(consensus) },
          stop: async () => { await stop.call(consensus); await blocks.stop() }
        })
      },
      ...components
    }, { peername: `peer-${number}`, connectSwarmsDelay: 0, ...options })
    const member = { id, ipfsId, peer, connector, transport, store }
    this.members.push(member)
    return member
  }

  /** Starts members, connects everybody and waits until all know each other. */
  async start (members: readonly Member[] = this.members): Promise<void> {
    for (const { peer } of members) await peer.start()
    await this.network.connectAll()
    const ids = members.map(({ id }) => id.toString())
    await this.until(() => {
      for (const { peer } of members) {
        for (const name of ['ping', 'freespace']) {
          const known = new Set(peer.metrics(name).map((metric) => metric.peer.toString()))
          if (!ids.every((id) => known.has(id))) throw new Error(`${peer.peerId.toString()} does not know everybody`)
        }
      }
    })
  }

  /** Lets time pass until the check no longer throws; at most `limit` ms of it. */
  async until<T> (check: () => T | Promise<T>, limit = 120_000): Promise<T> {
    const end = this.clock.now() + limit
    for (;;) {
      try {
        return await check()
      } catch (error) {
        if (this.clock.now() >= end) throw error
        // Digests and the like take real time.
        await new Promise((resolve) => { setTimeout(resolve, 1) })
        await this.clock.advance(500)
      }
    }
  }

  async stop (): Promise<void> {
    await Promise.all(this.members.map(async ({ peer }) => { await peer.stop() }))
  }
}

/** A cluster of `count` members with the same options, running. */
export async function runningCluster (count: number, options: MemberOptions = {}): Promise<TestCluster> {
  const cluster = new TestCluster()
  for (let index = 0; index < count; index++) cluster.create(options)
  await cluster.start()
  return cluster
}

/** Numbers in [0, 1) that are the same in every run. */
export function seeded (seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
