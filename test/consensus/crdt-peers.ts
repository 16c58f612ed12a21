/** CRDT members on a network in memory. */
import type { Clock } from '../../src/component.ts'
import type { CrdtConsensus, CrdtConsensusOptions } from '../../src/consensus/crdt/crdt-consensus.ts'
import type { Metric } from '../../src/monitor/metric.ts'
import type { Store } from '../../src/store/store.ts'
import type { Transport } from '../../src/transport/transport.ts'
import type { ConsensusMember } from '../contract/consensus.ts'
import { silentLogger, systemClock } from '../../src/component.ts'
import { createCrdtConsensus } from '../../src/consensus/crdt/crdt-consensus.ts'
import { createMemoryExchange, type MemoryExchange } from '../../src/exchange/memory.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { createMemoryNetwork, type MemoryNetwork, type MemoryNetworkOptions } from '../../src/transport/memory.ts'
import { testPeer } from '../contract/values.ts'

export interface CrdtMember extends ConsensusMember {
  readonly consensus: CrdtConsensus
  readonly transport: Transport
  readonly store: Store
}

export interface CrdtCluster {
  readonly network: MemoryNetwork
  readonly exchange: MemoryExchange
  readonly members: readonly CrdtMember[]
}

export interface CrdtClusterOptions {
  readonly network?: MemoryNetworkOptions
  readonly consensus?: CrdtConsensusOptions
  readonly clock?: Clock
  readonly random?: () => number
  readonly store?: () => Store
  /** Do not start or connect. */
  readonly idle?: boolean
  /** Members sync in bulk, too. */
  readonly bulk?: boolean
}

export async function openCrdtCluster (count: number, options: CrdtClusterOptions = {}): Promise<CrdtCluster> {
  const clock = options.clock ?? systemClock
  const network = createMemoryNetwork(options.network)
  const exchange = createMemoryExchange()
  const members = Array.from({ length: count }, (_, index) => createMember(network.join(testPeer(index + 1)), exchange, clock, options))
  if (options.idle !== true) {
    for (const { transport, consensus } of members) {
      await transport.start()
      await consensus.start()
    }
    await network.connectAll()
  }
  return { network, exchange, members }
}

function createMember (transport: Transport, meeting: MemoryExchange, clock: Clock, options: CrdtClusterOptions): CrdtMember {
  const store = options.store?.() ?? new MemoryStore()
  const told: string[] = []
  const metrics: Metric[] = []
  const blocks = { get: async (cid: Parameters<CrdtConsensus['blocks']['get']>[0]) => await current.blocks.get(cid) }
  const exchange = meeting.join(transport, blocks)
  const create = (): CrdtConsensus => createCrdtConsensus({
    store,
    exchange,
    pubsub: transport.pubsub,
    monitor: { latestValid: (name) => metrics.filter((metric) => metric.name === name) },
    peerId: transport.peerId,
    hooks: { pinned: ({ cid, name }) => { told.push(`pinned ${cid} ${name}`) }, unpinned: (cid) => { told.push(`unpinned ${cid}`) } },
    clock,
    logger: silentLogger,
    random: options.random,
    streams: options.bulk === true ? transport : undefined
  }, options.consensus)
  let current = create()
  void exchange.start()
  return {
    peerId: transport.peerId,
    transport,
    store,
    told,
    metrics,
    get consensus () { return current },
    restart: async () => {
      await current.stop()
      current = create()
      await current.start()
      return current
    }
  }
}
