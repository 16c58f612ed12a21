/** ConnectGraph, Bandwidth, GlobalRepoGC and AddedOutput (rest-api.md §3.5). */
import { cidOf, entriesOf, idsToJson, mapToJson, optionalCidOf, peerIdOf, peerIdsOf } from './ids.ts'
import { asBigInt, asBoolean, asInteger, asList, asNumber, asObject, asText } from './json.ts'
import type { Added } from '../../adder/adder.ts'
import type { Bandwidth, ConnectGraph, RepoGc, RepoGcKey } from '../../cluster/types.ts'
import type { Json, JsonObject } from './json.ts'
import type { PeerId } from '@libp2p/interface'

const links = (map: ReadonlyMap<string, readonly PeerId[]>): JsonObject => mapToJson(map, idsToJson)

export const graphToJson = (graph: ConnectGraph): JsonObject => ({
  cluster_id: graph.clusterId.toString(),
  id_to_peername: mapToJson(graph.idToPeerName, (name) => name),
  ipfs_links: links(graph.ipfsLinks),
  cluster_links: links(graph.clusterLinks),
  cluster_trust_links: mapToJson(graph.clusterTrustLinks, (trusted) => trusted),
  cluster_to_ipfs: mapToJson(graph.clusterToIpfs, (id) => id.toString())
})

const mapFromJson = <V>(value: Json | undefined, at: string, decode: (value: Json, at: string) => V): ReadonlyMap<string, V> =>
  new Map(entriesOf(value, at).map(([key, item]) => [key, decode(item, `${at}.${key}`)]))

export function graphFromJson (value: Json): ConnectGraph {
  const graph = asObject(value, 'graph')
  return {
    clusterId: peerIdOf(graph['cluster_id'], 'cluster_id'),
    idToPeerName: mapFromJson(graph['id_to_peername'], 'id_to_peername', asText),
    ipfsLinks: mapFromJson(graph['ipfs_links'], 'ipfs_links', peerIdsOf),
    clusterLinks: mapFromJson(graph['cluster_links'], 'cluster_links', peerIdsOf),
    clusterTrustLinks: mapFromJson(graph['cluster_trust_links'], 'cluster_trust_links', asBoolean),
    clusterToIpfs: mapFromJson(graph['cluster_to_ipfs'], 'cluster_to_ipfs', peerIdOf)
  }
}

export const bandwidthToJson = (bandwidth: ReadonlyMap<string, Bandwidth>): JsonObject =>
  mapToJson(bandwidth, (each) => ({ total_in: each.totalIn, total_out: each.totalOut, rate_in: each.rateIn, rate_out: each.rateOut }))

export const bandwidthFromJson = (value: Json): ReadonlyMap<string, Bandwidth> => mapFromJson(value, 'bandwidth', (item, at) => {
  const each = asObject(item, at)
  return { totalIn: asBigInt(each['total_in'], `${at}.total_in`), totalOut: asBigInt(each['total_out'], `${at}.total_out`), rateIn: asNumber(each['rate_in'], `${at}.rate_in`), rateOut: asNumber(each['rate_out'], `${at}.rate_out`) }
})

const gcKeyToJson = ({ key, error }: RepoGcKey): JsonObject => ({ key: key?.toString() ?? null, error: error === '' ? undefined : error })

export const repoGcToJson = (peers: ReadonlyMap<string, RepoGc>): JsonObject => ({
  peer_map: mapToJson(peers, (gc) => ({ peer: gc.peer.toString(), peername: gc.peerName, keys: gc.keys.map(gcKeyToJson), error: gc.error === '' ? undefined : gc.error }))
})

export const repoGcFromJson = (value: Json): ReadonlyMap<string, RepoGc> => mapFromJson(asObject(value, 'gc')['peer_map'], 'peer_map', (item, at) => {
  const gc = asObject(item, at)
  const keys = asList(gc['keys'], `${at}.keys`).map((key): RepoGcKey => {
    const each = asObject(key, `${at}.keys`)
    return { key: optionalCidOf(each['key'], `${at}.keys.key`), error: asText(each['error'], `${at}.keys.error`) }
  })
  return { peer: peerIdOf(gc['peer'], `${at}.peer`), peerName: asText(gc['peername'], `${at}.peername`), keys, error: asText(gc['error'], `${at}.error`) }
})

/** Zero sizes and empty allocations are left out. */
export const addedToJson = (added: Added): JsonObject => ({
  name: added.name,
  cid: added.cid?.toString() ?? null,
  bytes: added.bytes === 0 ? undefined : added.bytes,
  size: added.size === 0 ? undefined : added.size,
  allocations: added.allocations.length === 0 ? undefined : idsToJson(added.allocations)
})

export function addedFromJson (value: Json): Added {
  const added = asObject(value, 'added')
  const cid = added['cid']
  return {
    name: asText(added['name'], 'name'),
    cid: cid == null ? undefined : cidOf(cid, 'cid'),
    bytes: added['bytes'] === undefined ? undefined : asInteger(added['bytes'], 'bytes'),
    size: added['size'] === undefined ? undefined : asInteger(added['size'], 'size'),
    allocations: peerIdsOf(added['allocations'], 'allocations')
  }
}
