/** What this peer does when others call it (wire.md §5.4). Who may call is decided before. */
import { InvalidValueError } from '../errors.ts'
import type { AbortOptions } from '../component.ts'
import { version } from '../version.ts'
import type { NodeWithMeta } from '../rpc/methods.ts'
import type { RpcHandlers } from '../rpc/rpc.ts'
import type { PeerContext } from './components.ts'
import type { PeersService } from './peers.ts'
import { repoGcLocal } from './repo-gc.ts'
import type { StatusService } from './status.ts'
import type { PeerId } from '@libp2p/interface'

/** The services behind the handlers; they are looked up when a call comes. */
export interface ServedParts {
  readonly context: PeerContext
  readonly peers: PeersService
  readonly status: StatusService
  readonly removePeer: (peer: PeerId, options: AbortOptions) => Promise<void>
  /** Blocks were put into our IPFS. */
  readonly onBlocksPut: (count: number) => void
}

/** Every open and trusted method. */
export function rpcHandlers (parts: () => ServedParts): RpcHandlers {
  const context = (): PeerContext => parts().context
  return {
    'Cluster.ID': async (_, call) => await parts().peers.id(call),
    'Cluster.IDStream': async function * (_, call) { yield await parts().peers.id(call) },
    'Cluster.Version': async () => version,
    'Cluster.PeerAdd': async (peer, call) => await parts().peers.add(peer, call),
    'Cluster.PeerRemove': async (peer, call) => { await parts().removePeer(peer, call); return {} },
    'Cluster.Peers': (_, call) => parts().peers.all(call),
    'Cluster.RecoverAllLocal': (_, call) => context().tracker.recoverAll(call),
    'Cluster.RecoverLocal': async (cid, call) => await parts().status.recoverLocal(cid, call),
    'Cluster.RepoGCLocal': async (_, call) => await repoGcLocal(context(), call),
    'PinTracker.Status': async (cid, call) => await context().tracker.status(cid, call),
    'PinTracker.StatusAll': async function * (filters, call) { yield * context().tracker.statusAll(await firstOf(filters) ?? 0, call) },
    'PinTracker.Recover': async (cid, call) => await context().tracker.recover(cid, call),
    'IPFSConnector.BlockStream': async function * (blocks, call) { yield * await putBlocks(parts(), blocks, call) },
    'IPFSConnector.RepoStat': async (_, call) => await context().connector.repoStat(call),
    'IPFSConnector.SwarmPeers': async (_, call) => await context().connector.swarmPeers(call),
    'Consensus.LogPin': async (pin, call) => { await context().consensus.log.put(pin, call); return {} },
    'Consensus.LogUnpin': async ({ cid }, call) => { await context().consensus.log.delete(cid, call); return {} },
    'Consensus.AddPeer': async (peer, call) => { await context().consensus.peerset.add(peer, call); return {} },
    'Consensus.RmPeer': async (peer, call) => { await context().consensus.peerset.remove(peer, call); return {} }
  }
}

/** Stores blocks as they come; nothing is answered but that it worked. */
async function putBlocks ({ context: { connector }, onBlocksPut }: ServedParts, blocks: AsyncIterable<NodeWithMeta>, options: AbortOptions): Promise<readonly never[]> {
  let stored = false
  for await (const cid of connector.blockPutStream(blocks, options)) {
    stored = cid !== undefined
    onBlocksPut(1)
  }
  if (!stored) throw new InvalidValueError('blocks', 'none were sent')
  return []
}

async function firstOf<T> (items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item
  return undefined
}
