/** Garbage collection of the IPFS of each member, one after another (behaviour.md §11). */
import { errorText } from '../component.ts'
import type { AbortOptions } from '../component.ts'
import type { LocalOptions } from './cluster.ts'
import type { PeerContext } from './components.ts'
import { isAuthorizationError } from './errors.ts'
import type { RepoGc, RepoGcKey } from './types.ts'
import type { PeerId } from '@libp2p/interface'

type Parts = Pick<PeerContext, 'self' | 'options' | 'connector' | 'consensus' | 'monitor' | 'rpc' | 'log'>

/** Collects here. What went wrong is in the answer. */
export async function repoGcLocal ({ self, options: { peername }, connector }: Parts, options?: AbortOptions): Promise<RepoGc> {
  const keys: RepoGcKey[] = []
  try {
    for await (const key of connector.repoGc(options)) keys.push(key)
    return { peer: self, peerName: peername, keys, error: '' }
  } catch (error) {
    return { peer: self, peerName: peername, keys, error: errorText(error) }
  }
}

/** Collects on every member, or only here; by text peer ID. No time limit: it may take hours. */
export async function repoGc (parts: Parts, { local = false, signal }: LocalOptions = {}): Promise<ReadonlyMap<string, RepoGc>> {
  const { self, consensus, monitor, rpc, log } = parts
  const members = local ? [self] : await consensus.peerset.peers()
  const collected = new Map<string, RepoGc>()
  const collect = async (peer: PeerId): Promise<RepoGc> =>
    peer.equals(self) ? await repoGcLocal(parts, { signal }) : { ...await rpc.call(peer, 'Cluster.RepoGCLocal', {}, { signal }), peer }
  for (const peer of members) {
    signal?.throwIfAborted()
    try {
      collected.set(peer.toString(), await collect(peer))
    } catch (error) {
      if (isAuthorizationError(error)) continue
      log.warn(`garbage collection on ${peer.toString()} failed:`, errorText(error))
      collected.set(peer.toString(), { peer, peerName: monitor.latestPing(peer)?.peerName ?? '', keys: [], error: errorText(error) })
    }
  }
  return collected
}
