/** The components that every member of ours has, in Node and in a tab: one place that puts them together. */
import { createAdder } from '../adder/unixfs.ts'
import { balancedAllocator } from '../allocator/balanced.ts'
import type { BalancedOptions } from '../allocator/balanced.ts'
import { systemClock } from '../component.ts'
import type { ComponentLogger, Startable } from '../component.ts'
import { createCrdtConsensus } from '../consensus/crdt/crdt-consensus.ts'
import type { CrdtConsensus, CrdtConsensusOptions } from '../consensus/crdt/crdt-consensus.ts'
import { bitswapExchange } from '../exchange/bitswap.ts'
import { ContentExchange } from '../exchange/content.ts'
import type { InformerFactory } from '../informer/index.ts'
import { HeliaConnector } from '../ipfs/helia.ts'
import type { IpfsConnector } from '../ipfs/ipfs.ts'
import { withMembers } from '../ipfs/with-members.ts'
import type { Measures } from '../observations/measures.ts'
import type { Store } from '../store/store.ts'
import type { Libp2pTransport } from '../transport/libp2p.ts'
import type { Bootstrapping, PeerComponents } from './components.ts'

export interface MemberParts {
  readonly transport: Libp2pTransport
  /** Keeps the CRDT state; stays the caller's. */
  readonly store: Store
  /** What drives this peer's own IPFS. */
  readonly connector: IpfsConnector
  readonly contentStore: NonNullable<PeerComponents['contentStore']>
  readonly informers: readonly InformerFactory[]
  readonly bootstrap: Bootstrapping
  /** Started before everything that fetches. */
  readonly services?: readonly Startable[] | undefined
  /** @default nobody reads them */
  readonly measures?: Measures | undefined
  readonly logger: ComponentLogger
}

export interface MemberOptions {
  readonly crdt: CrdtConsensusOptions
  readonly allocator?: BalancedOptions | undefined
}

/** Nothing is started yet. */
export function memberComponents ({ transport, store, connector: own, contentStore, informers, bootstrap, services = [], measures, logger }: MemberParts, options: MemberOptions): PeerComponents {
  // The consensus fetches through the exchange, and the exchange serves what the consensus stores.
  let consensus: CrdtConsensus | undefined
  const exchange = bitswapExchange({ transport, logger, blocks: { get: async (cid, abort) => await consensus?.blocks.get(cid, abort) } })
  const content = new ContentExchange({ transport, logger, blocks: { get: async (cid, abort) => await own.blockGetLocal(cid, abort) } })
  if (own instanceof HeliaConnector) own.useMembers(content)
  return {
    transport,
    connector: own instanceof HeliaConnector ? own : withMembers({ connector: own, members: content, logger }),
    contentStore,
    consensus: ({ hooks, monitor }) => {
      consensus = createCrdtConsensus({ store, exchange, pubsub: transport.pubsub, monitor, peerId: transport.peerId, hooks, clock: systemClock, logger, measures, onTrusted: (peer) => { transport.protect(peer) }, onConnect: (listener) => transport.onConnect(listener), streams: transport }, options.crdt)
      return consensus
    },
    informers,
    allocator: balancedAllocator(options.allocator),
    services: [...services, exchange, content],
    bootstrap,
    addressBook: transport,
    adder: createAdder,
    measures,
    logger
  }
}
