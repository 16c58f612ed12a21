import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyEnvironment, configText, decodeConfig, defaultConfig, encodeConfig } from '../../src/config/config.ts'
import type { Config } from '../../src/config/config.ts'
import { isSynced } from '../../src/config/datastore.ts'
import type { Json, JsonObject } from '../../src/config/schema.ts'
import goCrdt from '../vectors/ctl/service-crdt.json' with { type: 'json' }
import goRaft from '../vectors/ctl/service-raft.json' with { type: 'json' }

const secret = '22'.repeat(32)
const go = goCrdt as JsonObject
const read = (document: Json): { readonly config: Config, readonly warnings: readonly string[] } => {
  const warnings: string[] = []
  return { config: decodeConfig(document, { peername: 'host', warn: (message) => warnings.push(message) }), warnings }
}
const fresh = (ipfs: 'ipfshttp' | 'helia' = 'ipfshttp'): JsonObject => encodeConfig(defaultConfig({ peername: 'alpha', secret, ipfs }))
/** The fresh document with the value at a dotted path replaced; undefined removes the key. */
const set = (path: string, value: Json | undefined, document: JsonObject = fresh()): JsonObject => {
  const [head = '', ...rest] = path.split('.')
  const inner = document[head]
  const next = rest.length === 0 ? value : set(rest.join('.'), value, (inner ?? {}) as JsonObject)
  return next === undefined ? Object.fromEntries(Object.entries(document).filter(([key]) => key !== head)) : { ...document, [head]: next }
}
const refused = (path: string, value: Json | undefined): string => {
  try { read(set(path, value)) } catch (error) { return (error as Error).message }
  return 'accepted'
}

describe('service.json', () => {
  test('what Go wrote is read, and written back byte for byte', () => {
    const { config, warnings } = read(go)
    expect(configText(encodeConfig(config, go))).toBe(JSON.stringify(goCrdt, null, 2))
    expect(warnings.toSorted()).toEqual([
      'api.ipfsproxy does not run here yet: the section is kept', 'api.pinsvcapi does not run here yet: the section is kept',
      'datastore.pebble is kept, but this peer stores its state in LevelDB, in the folder "leveldb"'
    ])
  })

  test('our own sections have the keys, order and values of Go', () => {
    const ours = fresh()
    for (const name of ['cluster', 'consensus', 'ipfs_connector', 'pin_tracker', 'monitor', 'allocator', 'informer', 'observations']) {
      const expected = name === 'cluster' ? { ...goCrdt.cluster, peername: 'alpha' } : go[name]
      expect(JSON.stringify(ours[name]), name).toBe(JSON.stringify(expected))
    }
    expect(JSON.stringify(ours['api'])).toBe(JSON.stringify({ restapi: goCrdt.api.restapi }))
    expect(Object.keys(ours)).toEqual(Object.keys(goCrdt))
    expect(read(ours).warnings).toEqual([])
    expect(read(ours).config).toEqual(defaultConfig({ peername: 'alpha', secret, ipfs: 'ipfshttp' }))
  })

  test('lets browsers join a peer with the embedded store, and listens as Go does beside kubo', () => {
    const listens = (ipfs: 'ipfshttp' | 'helia'): readonly string[] => defaultConfig({ peername: 'alpha', secret, ipfs }).cluster.listenMultiaddress.map(String)
    expect(listens('ipfshttp')).toEqual(['/ip4/0.0.0.0/tcp/9096', '/ip4/0.0.0.0/udp/9096/quic'])
    expect(listens('helia')).toEqual([...listens('ipfshttp'), '/ip4/0.0.0.0/tcp/9098/ws', '/ip4/0.0.0.0/udp/9098/webrtc-direct'])
  })

  test('commits are fsynced unless our key or Go’s says not to', () => {
    const synced = (leveldb: Json): boolean => isSynced(read(set('datastore.leveldb', leveldb)).config.datastore.leveldb)
    expect([synced({}), synced({ sync: true }), synced({ leveldb_options: { no_sync: false } })]).toEqual([true, true, true])
    expect([synced({ sync: false }), synced({ leveldb_options: { no_sync: true } }), synced({ sync: true, leveldb_options: { NO_SYNC: true } })]).toEqual([false, false, false])
    expect(read(set('datastore.leveldb', { leveldb_options: { no_sync: true } })).warnings).toEqual([])
    expect(read(set('datastore.leveldb', { leveldb_options: { no_sync: true, write_buffer: 1 } })).warnings).toEqual([expect.stringContaining('only no_sync')])
    expect(refused('datastore.leveldb.leveldb_options', { no_sync: 'yes' })).toBe('datastore.leveldb.leveldb_options: no_sync: expected true or false')
    expect(refused('datastore.leveldb.sync', 'yes')).toContain('datastore.leveldb.sync')
    const off = applyEnvironment(fresh('helia'), { CLUSTER_LEVELDB_SYNC: 'false', CLUSTER_HELIA_SYNC: 'false' })
    expect(read(off).config).toMatchObject({ datastore: { leveldb: { sync: false } }, ipfsConnector: { helia: { sync: false } } })
    expect(encodeConfig(read(off).config)).toMatchObject({ datastore: { leveldb: { sync: false } } })
  })

  test('Helia in place of kubo', () => {
    const { config, warnings } = read(fresh('helia'))
    expect(warnings).toEqual([])
    expect(config.ipfsConnector).toMatchObject({ kind: 'helia', helia: { network: 'private', storageMax: 10e9 } })
    expect(refused('ipfs_connector.helia', {})).toBe('ipfs_connector: exactly one of ipfshttp and helia must be there: remove the other section')
    expect(refused('ipfs_connector', { helia: { network: 'secret' } })).toBe('ipfs_connector.helia.network: must be "private" or "public"')
  })

  test('a bad value names its key', () => {
    expect(refused('cluster.secret', 'zz')).toBe('cluster.secret: must be exactly 64 hexadecimal characters (32 bytes), or empty for a network without a secret; it has 2 characters, not all of them hexadecimal')
    expect(refused('cluster.peername', 5)).toBe('cluster.peername: expected a string, found a number')
    expect(refused('cluster.connection_manager.low_water', 500)).toBe('cluster.connection_manager.low_water: must not be greater than high_water')
    expect(refused('cluster.connection_manager.grace_period', '0s')).toBe('cluster.connection_manager.grace_period: must be greater than zero')
    expect(refused('cluster.dial_peer_timeout', '3 seconds')).toBe('cluster.dial_peer_timeout: "3 seconds" is not a duration such as "1m30s"')
    expect(refused('cluster.dial_peer_timeout', 3)).toBe('cluster.dial_peer_timeout: expected a duration such as "1m30s", found a number')
    expect(refused('cluster.listen_multiaddress', [])).toBe('cluster.listen_multiaddress: must name at least one address')
    expect(refused('cluster.listen_multiaddress', 'localhost:9096')).toMatch(/^cluster\.listen_multiaddress: "localhost:9096" is not a multiaddress/)
    expect(refused('cluster.peer_addresses', ['/ip4/1.2.3.4/tcp/1'])).toMatch(/^cluster\.peer_addresses: /)
    expect(refused('cluster.replication_factor_min', 2)).toMatch(/^cluster\.replication_factor_min: must be -1 exactly/)
    expect(refused('cluster.replication_factor_max', -2)).toMatch(/^cluster\.replication_factor_max: must be -1 \(everywhere\)/)
    expect(refused('cluster.disable_repinning', 'yes')).toBe('cluster.disable_repinning: expected true or false, found a string')
    expect(refused('consensus.crdt.trusted_peers', ['Qm'])).toBe('consensus.crdt.trusted_peers: "Qm" is not a peer ID')
    expect(refused('api.restapi.max_header_bytes', 100)).toBe('api.restapi.max_header_bytes: must be at least 4096')
    expect(refused('api.restapi.basic_auth_credentials', {})).toMatch(/^api\.restapi\.basic_auth_credentials: /)
    expect(refused('api.restapi.ssl_cert_file', 'cert.pem')).toMatch(/^api\.restapi\.ssl_key_file: /)
    expect(refused('ipfs_connector.ipfshttp.node_multiaddress', undefined)).toBe('ipfs_connector.ipfshttp.node_multiaddress: the key is missing')
    expect(refused('informer.disk.metric_type', 'bytes')).toBe('informer.disk.metric_type: must be "freespace" or "reposize"')
    expect(refused('informer', undefined)).toBe('informer: no informers are passed')
    expect(refused('monitor.pubsubmon', {})).toBe('monitor.pubsubmon.check_interval: the key is missing')
    expect(refused('consensus', {})).toMatch(/^consensus: could not determine the consensus component/)
    expect(refused('datastore', {})).toMatch(/^datastore: unknown datastore/)
    expect(refused('datastore.pebble', {})).toMatch(/^datastore: unknown datastore/)
    expect(refused('api', [])).toBe('api: expected an object, found a list')
    expect(refused('cluster', undefined)).toBe('cluster: the section is missing')
    expect(() => read(goRaft)).toThrow('consensus.raft: Raft is not available yet')
  })

  test('no message holds the secret or a password', () => {
    const hidden = 'a1'.repeat(31) + 'xy'
    expect(refused('cluster.secret', hidden)).not.toContain('a1a1')
    expect(refused('api.restapi.basic_auth_credentials', { user: ['hunter2'] })).not.toContain('hunter2')
  })

  test('observations: figures and tracing', () => {
    expect(refused('observations.metrics', { enable_stats: true })).toBe('observations.metrics.prometheus_endpoint: the key is missing')
    expect(refused('observations.metrics.enable_stats', 'yes')).toBe('observations.metrics.enable_stats: expected true or false, found a string')
    expect(refused('observations.metrics.prometheus_endpoint', '127.0.0.1:8888')).toMatch(/^observations\.metrics\.prometheus_endpoint: "127\.0\.0\.1:8888" is not a multiaddress/)
    expect(refused('observations.metrics.reporting_interval', '-1s')).toBe('observations.metrics.reporting_interval: must not be negative')
    expect(refused('observations.tracing', {})).toBe('observations.tracing.jaeger_agent_endpoint: the key is missing')
    expect(refused('observations.tracing.sampling_prob', '0.3')).toBe('observations.tracing.sampling_prob: expected a number, found a string')
    expect(refused('observations.tracing.sampling_prob', -0.1)).toBe('observations.tracing.sampling_prob: must not be negative')
    const document = set('observations.tracing.enable_tracing', true, set('observations.tracing.sampling_prob', 0.125, set('observations.metrics.reporting_interval', '5s')))
    const { config, warnings } = read(document)
    expect(warnings).toEqual(['observations.metrics.reporting_interval has no effect: figures are read at the moment they are asked for', 'observations.tracing.enable_tracing has no effect: tracing is not available here'])
    expect(encodeConfig(config, document)).toEqual(document)
    expect(read(set('observations', undefined)).config.observations).toEqual(read(fresh()).config.observations)
  })

  test('what is absent or zero', () => {
    const { config } = read({ cluster: { secret, replication_factor_min: 0, state_sync_interval: '' }, consensus: { crdt: {} }, informer: { disk: { metric_ttl: '10s', metric_type: 'reposize' }, tags: null }, datastore: { badger: {} }, api: { restapi: {} } })
    expect(config.cluster).toMatchObject({ peername: 'host', replicationFactorMin: -1, stateSyncInterval: 300_000, disableRepinning: true })
    expect(config.consensus.crdt.trustedPeers).toEqual([])
    expect(config.allocator.balanced.allocateBy).toEqual(['freespace'])
    expect(config.informer).toEqual({ disk: { metricTtl: 10_000, metricType: 'reposize' }, pinqueue: undefined, tags: undefined })
    expect(config.api.restapi).toMatchObject({ corsAllowedOrigins: [], corsAllowCredentials: false, maxHeaderBytes: 4096 })
    expect(config.ipfsConnector.kind).toBe('ipfshttp')
    expect(read(set('api', undefined)).config.api.restapi).toBeUndefined()
  })

  test('unknown keys, later sections and keys without effect are warned about once and kept', () => {
    const document = set('cluster.resource_manager.memory_limit_bytes', 5, set('cluster.colour', 'red', set('api.soap', { a: 1 }, set('api.ipfsproxy', { b: 2 }, set('extra', { c: [3] })))))
    const { config, warnings } = read(document)
    expect(warnings.toSorted()).toEqual([
      'api.ipfsproxy does not run here yet: the section is kept', 'api.soap is not a known component: ignored, and kept in the file', 'cluster.colour is not a known key: ignored, and kept in the file',
      'cluster.resource_manager.memory_limit_bytes has no effect: js-libp2p limits itself', 'extra is not a known section: ignored, and kept in the file'
    ])
    const written = encodeConfig(config, document)
    expect(written).toEqual(document)
  })

  test('keys match without regard to case, and are written in their own', () => {
    const { config, warnings } = read(set('cluster', { Secret: secret, PeerName: 'x', Connection_Manager: { HIGH_WATER: 7, low_water: 6 } }))
    expect(warnings).toEqual([])
    expect(config.cluster).toMatchObject({ secret, peername: 'x', connectionManager: { highWater: 7, lowWater: 6 } })
  })

  test('text is escaped as Go escapes it', () => {
    expect(configText({ a: '<b>&' })).toBe('{\n  "a": "\\u003cb\\u003e\\u0026"\n}')
  })

  test('any JSON gives a configuration or an InvalidConfigError', () => {
    fc.assert(fc.property(fc.constantFrom('cluster', 'cluster.pubsub', 'cluster.listen_multiaddress', 'consensus.crdt', 'consensus.crdt.trusted_peers', 'api.restapi', 'api.restapi.headers', 'ipfs_connector', 'informer.tags', 'informer.tags.tags', 'datastore', 'allocator', 'pin_tracker.stateless', 'observations', 'observations.metrics', 'observations.tracing.sampling_prob'), fc.jsonValue(), (path, value) => {
      try { read(set(path, value as Json)) } catch (error) { expect((error as Error).name).toBe('InvalidConfigError') }
    }), { numRuns: 500 })
  })

  test('what is accepted survives writing and reading', () => {
    fc.assert(fc.property(fc.record({ name: fc.string(), high: fc.integer({ min: 100, max: 1e6 }), ms: fc.integer({ min: 1, max: 1e9 }), tags: fc.dictionary(fc.string(), fc.string()) }), ({ name, high, ms, tags }) => {
      const base = defaultConfig({ peername: name === '' ? 'x' : name, secret, ipfs: 'helia' })
      const config: Config = { ...base, cluster: { ...base.cluster, dialPeerTimeout: ms, connectionManager: { ...base.cluster.connectionManager, highWater: high } }, informer: { ...base.informer, tags: { metricTtl: ms, tags } } }
      expect(read(JSON.parse(configText(encodeConfig(config))) as Json).config).toEqual(config)
    }))
  })
})

describe('environment', () => {
  const with_ = (environment: Record<string, string>, document: JsonObject = fresh()): Config => read(applyEnvironment(document, environment)).config

  test('overrides the file', () => {
    const config = with_({
      CLUSTER_PEERNAME: 'env', CLUSTER_SECRET: 'ab'.repeat(32), CLUSTER_LISTENMULTIADDRESS: '/ip4/127.0.0.1/tcp/1,/ip4/127.0.0.1/tcp/2/ws', CLUSTER_CONNECTIONMANAGER_HIGHWATER: '500', CLUSTER_PUBSUB_DFACTOR: '2', CLUSTER_DISABLEREPINNING: 'f',
      CLUSTER_CRDT_TRUSTEDPEERS: '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5', CLUSTER_CRDT_BATCHING_MAXBATCHSIZE: '10', CLUSTER_RESTAPI_BASICAUTHCREDENTIALS: 'u:p,v:q:r', CLUSTER_RESTAPI_CORSALLOWEDORIGINS: 'a, b',
      CLUSTER_IPFSHTTP_NODEMULTIADDRESS: '/dns4/ipfs/tcp/5001', CLUSTER_TAGS_TAGS: 'group:eu', CLUSTER_MONITORPINGINTERVAL: '2s', CLUSTER_MDNSINTERVAL: '0s', CLUSTER_LEAVEONSHUTDOWN: ''
    })
    expect(config.cluster).toMatchObject({ peername: 'env', secret: 'ab'.repeat(32), disableRepinning: false, connectionManager: { highWater: 500, lowWater: 100 }, pubsub: { dFactor: 2 }, monitorPingInterval: 2000, mdnsInterval: 0, leaveOnShutdown: false })
    expect(config.cluster.listenMultiaddress.map(String)).toEqual(['/ip4/127.0.0.1/tcp/1', '/ip4/127.0.0.1/tcp/2/ws'])
    expect(String(config.consensus.crdt.trustedPeers)).toBe('12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5')
    expect(config.consensus.crdt.batching.maxBatchSize).toBe(10)
    expect(config.api.restapi).toMatchObject({ basicAuthCredentials: { u: 'p', v: 'q:r' }, corsAllowedOrigins: ['a', 'b'] })
    expect(config.ipfsConnector.kind === 'ipfshttp' && config.ipfsConnector.ipfshttp.nodeMultiaddress.toString()).toBe('/dns4/ipfs/tcp/5001')
    expect(config.informer.tags?.tags).toEqual({ group: 'eu' })
  })

  test('switches figures on, also where the file has no section for them', () => {
    const environment = { CLUSTER_METRICS_ENABLESTATS: 'true', CLUSTER_METRICS_PROMETHEUSENDPOINT: '/ip4/127.0.0.1/tcp/1', CLUSTER_METRICS_REPORTINGINTERVAL: '30s', CLUSTER_TRACING_SAMPLINGPROB: '0.5', CLUSTER_TRACING_SERVICENAME: 'x' }
    for (const document of [fresh(), set('observations', undefined), set('observations.metrics', undefined), set('observations.metrics', null)]) {
      const { metrics, tracing } = with_(environment, document).observations
      expect([metrics.enableStats, String(metrics.prometheusEndpoint), metrics.reportingInterval]).toEqual([true, '/ip4/127.0.0.1/tcp/1', 30_000])
      expect(tracing).toMatchObject({ enableTracing: false, samplingProb: 0.5, serviceName: 'x' })
    }
    expect(() => with_({ CLUSTER_TRACING_SAMPLINGPROB: 'half' })).toThrow('CLUSTER_TRACING_SAMPLINGPROB: expected a number')
    expect(() => with_({ CLUSTER_METRICS_ENABLESTATS: 'on' }, set('observations', undefined))).toThrow('CLUSTER_METRICS_ENABLESTATS: expected true or false')
  })

  test('leaves absent sections absent', () => {
    expect(with_({ CLUSTER_RESTAPI_HTTPLOGFILE: 'x', CLUSTER_HELIA_NETWORK: 'public' }, set('api', undefined)).api.restapi).toBeUndefined()
  })

  test('names the variable that does not parse, not its value', () => {
    expect(() => with_({ CLUSTER_PUBSUB_DFACTOR: 'four' })).toThrow('CLUSTER_PUBSUB_DFACTOR: expected an integer')
    expect(() => with_({ CLUSTER_FOLLOWERMODE: 'maybe' })).toThrow('CLUSTER_FOLLOWERMODE: expected true or false')
    expect(() => with_({ CLUSTER_RESTAPI_BASICAUTHCREDENTIALS: 'hunter2' })).toThrow('CLUSTER_RESTAPI_BASICAUTHCREDENTIALS: expected key:value pairs')
  })
})
