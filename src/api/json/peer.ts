/** PeerInfo and Version (rest-api.md §3.4, §3.5). */
import { addressesOf, addressesToJson, idsToJson, optionalId, optionalPeerIdOf, peerIdOf, peerIdsOf } from './ids.ts'
import { asObject, asText } from './json.ts'
import type { IpfsId, PeerInfo } from '../../cluster/types.ts'
import type { Json, JsonObject } from './json.ts'

const ipfsToJson = (ipfs: IpfsId | undefined): JsonObject => ({
  id: optionalId(ipfs?.id), addresses: ipfs === undefined ? null : addressesToJson(ipfs.addresses), error: ipfs?.error ?? ''
})

/** A peer that did not answer has null arrays and empty texts beside `id` and `error`. */
export function peerInfoToJson (peer: PeerInfo): JsonObject {
  const lists = peer.error === ''
    ? { addresses: addressesToJson(peer.addresses), cluster_peers: idsToJson(peer.clusterPeers), cluster_peers_addresses: addressesToJson(peer.clusterPeersAddresses) }
    : { addresses: null, cluster_peers: null, cluster_peers_addresses: null }
  return {
    id: peer.id.toString(), ...lists, version: peer.version, commit: peer.commit, rpc_protocol_version: peer.rpcProtocolVersion,
    error: peer.error, ipfs: ipfsToJson(peer.ipfs), peername: peer.peerName,
    // Only tabs have it: answers for full peers are the reference's.
    light: peer.light === true ? true : undefined
  }
}

function ipfsFromJson (value: Json | undefined): IpfsId | undefined {
  if (value == null) return undefined
  const ipfs = asObject(value, 'ipfs')
  return { id: optionalPeerIdOf(ipfs['id'], 'ipfs.id'), addresses: addressesOf(ipfs['addresses'], 'ipfs.addresses'), error: asText(ipfs['error'], 'ipfs.error') }
}

export function peerInfoFromJson (value: Json): PeerInfo {
  const peer = asObject(value, 'peer')
  return {
    id: peerIdOf(peer['id'], 'id'),
    addresses: addressesOf(peer['addresses'], 'addresses'),
    clusterPeers: peerIdsOf(peer['cluster_peers'], 'cluster_peers'),
    clusterPeersAddresses: addressesOf(peer['cluster_peers_addresses'], 'cluster_peers_addresses'),
    version: asText(peer['version'], 'version'),
    commit: asText(peer['commit'], 'commit'),
    rpcProtocolVersion: asText(peer['rpc_protocol_version'], 'rpc_protocol_version'),
    error: asText(peer['error'], 'error'),
    ipfs: ipfsFromJson(peer['ipfs']),
    peerName: asText(peer['peername'], 'peername'),
    light: peer['light'] === true
  }
}
