/** `cluster`: the peer itself (config.md §3). */
import type { Multiaddr } from '@multiformats/multiaddr'
import { multiaddr } from '@multiformats/multiaddr'
import { amount, count, duration, field, flag, integer, minute, optionalDuration, second, text } from './fields.ts'
import { multiaddrList, stringsOfMultiaddrs } from './kinds.ts'
import { schema } from './schema.ts'
import type { SchemaValues } from './schema.ts'

const factor = { zeroIsDefault: true, check: (value: number): string | undefined => value >= -1 ? undefined : 'must be -1 (everywhere) or at least 1' } as const
const goOnly = 'js-libp2p limits itself'

/** Where a peer of ours listens for browsers: WebSocket for pages on this machine or behind TLS, webrtc-direct for pages on https anywhere. */
export const browserListen = ['/ip4/0.0.0.0/tcp/9098/ws', '/ip4/0.0.0.0/udp/9098/webrtc-direct'].map((address) => multiaddr(address))

const isTls = (address: Multiaddr): boolean => address.getComponents().some(({ name }) => name === 'tls' || name === 'wss')

export const clusterSchema = schema({
  peername: text('', { zeroIsDefault: true }),
  secret: text('', {
    // the value never appears in the message
    check: (value) => value === '' || /^[0-9a-f]{64}$/i.test(value) ? undefined : `must be exactly 64 hexadecimal characters (32 bytes), or empty for a network without a secret; it has ${value.length} characters${/^[0-9a-f]*$/i.test(value) ? '' : ', not all of them hexadecimal'}`
  }),
  leaveOnShutdown: flag(false, { unused: 'only Raft members leave the peerset; a CRDT member just stops' }),
  listenMultiaddress: field(stringsOfMultiaddrs, ['/ip4/0.0.0.0/tcp/9096', '/ip4/0.0.0.0/udp/9096/quic'].map((address) => multiaddr(address)), { check: (value) => value.length > 0 ? undefined : 'must name at least one address' }),
  announceMultiaddress: field(stringsOfMultiaddrs, []),
  noAnnounceMultiaddress: field(stringsOfMultiaddrs, []),
  enableRelayHop: flag(true),
  tlsCertFile: text('', { hide: 'when zero' }),
  tlsKeyFile: text('', { hide: 'when zero' }),
  connectionManager: schema({ highWater: count(400), lowWater: count(100), gracePeriod: duration(2 * minute) }, (values) => values.lowWater <= values.highWater ? undefined : { key: 'low_water', reason: 'must not be greater than high_water' }),
  resourceManager: schema({ enabled: flag(true, { unused: goOnly }), memoryLimitBytes: amount(0, { unused: goOnly }), fileDescriptorsLimit: amount(0, { unused: goOnly }) }),
  pubsub: schema({ seenMessagesTtl: duration(30 * minute), heartbeatInterval: duration(10 * second), dFactor: count(4), historyGossip: count(2), historyLength: count(6), floodPublish: flag(false) }),
  dialPeerTimeout: duration(3 * second),
  stateSyncInterval: duration(5 * minute),
  pinRecoverInterval: duration(12 * minute),
  replicationFactorMin: integer(-1, factor),
  replicationFactorMax: integer(-1, factor),
  monitorPingInterval: duration(15 * second),
  peerWatchInterval: duration(5 * second, { unused: 'only Raft members watch the peerset for their own removal' }),
  mdnsInterval: optionalDuration(10 * second),
  pinOnlyOnTrustedPeers: flag(false),
  pinOnlyOnUntrustedPeers: flag(false),
  disableRepinning: flag(true),
  allowLightPeers: flag(false, { hide: 'when zero' }),
  followerMode: flag(false, { hide: 'when zero' }),
  peerstoreFile: text('', { hide: 'when zero' }),
  peerAddresses: field(multiaddrList, [], { check: (value) => value.every((address) => address.getComponents().some((part) => part.name === 'p2p')) ? undefined : 'each address must end in /p2p/<peer ID>' })
}, (values) => {
  const { replicationFactorMin: min, replicationFactorMax: max } = values
  if ((values.tlsCertFile === '') !== (values.tlsKeyFile === '')) return { key: values.tlsCertFile === '' ? 'tls_cert_file' : 'tls_key_file', reason: 'tls_cert_file and tls_key_file must be set together' }
  if (values.tlsCertFile === '' && values.listenMultiaddress.some(isTls)) return { key: 'tls_cert_file', reason: 'is needed for the /tls/ws address in listen_multiaddress' }
  if ((min === -1) !== (max === -1)) return { key: 'replication_factor_min', reason: 'must be -1 exactly when replication_factor_max is' }
  if (min > max) return { key: 'replication_factor_min', reason: 'must not be greater than replication_factor_max' }
  if (values.pinOnlyOnTrustedPeers && values.pinOnlyOnUntrustedPeers) return { key: 'pin_only_on_trusted_peers', reason: 'cannot be set together with pin_only_on_untrusted_peers' }
  return undefined
})

export type ClusterConfig = SchemaValues<typeof clusterSchema>
