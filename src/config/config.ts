/** The whole configuration of a peer: defaults, reading, validation and writing of `service.json` (config.md §2). Reads no files. */
import { InvalidConfigError } from '../errors.ts'
import { browserListen, clusterSchema } from './cluster.ts'
import type { ClusterConfig } from './cluster.ts'
import { balancedSchema, diskSchema, pinqueueSchema, pubsubmonSchema, statelessSchema, tagsSchema } from './components.ts'
import type { BalancedConfig, DiskConfig, PinqueueConfig, PubsubmonConfig, StatelessConfig, TagsConfig } from './components.ts'
import { crdtSchema } from './crdt.ts'
import type { CrdtConfig } from './crdt.ts'
import { foreignEngines, leveldbSchema } from './datastore.ts'
import type { LeveldbConfig } from './datastore.ts'
import { heliaSchema } from './helia.ts'
import type { HeliaConfig } from './helia.ts'
import { ipfsHttpSchema } from './ipfs-http.ts'
import type { IpfsHttpConfig } from './ipfs-http.ts'
import { metricsSchema, tracingSchema } from './observations.ts'
import type { MetricsConfig, TracingConfig } from './observations.ts'
import { restApiSchema } from './rest-api.ts'
import type { RestApiConfig } from './rest-api.ts'
import { decodeSection, defaultsOf, encodeSection, isObject, typeName, withEnvironment } from './schema.ts'
import type { Fields, Json, JsonObject, Schema, Values } from './schema.ts'

export type IpfsConnectorConfig = { readonly kind: 'ipfshttp', readonly ipfshttp: IpfsHttpConfig } | { readonly kind: 'helia', readonly helia: HeliaConfig }

/** Every value a peer runs with. Durations in ms, sizes in bytes. An undefined component is off. */
export interface Config {
  readonly cluster: ClusterConfig
  readonly consensus: { readonly crdt: CrdtConfig }
  readonly api: { readonly restapi?: RestApiConfig | undefined }
  readonly ipfsConnector: IpfsConnectorConfig
  readonly pinTracker: { readonly stateless: StatelessConfig }
  readonly monitor: { readonly pubsubmon: PubsubmonConfig }
  readonly allocator: { readonly balanced: BalancedConfig }
  readonly informer: { readonly disk?: DiskConfig | undefined, readonly pinqueue?: PinqueueConfig | undefined, readonly tags?: TagsConfig | undefined }
  readonly observations: { readonly metrics: MetricsConfig, readonly tracing: TracingConfig }
  readonly datastore: { readonly leveldb: LeveldbConfig }
}

export type Environment = Readonly<Record<string, string | undefined>>

/** Sections of components that run here, with the prefix of their environment variables. */
const components: Readonly<Record<string, Readonly<Record<string, { readonly schema: Schema<Fields>, readonly prefix: string }>>>> = {
  consensus: { crdt: { schema: crdtSchema, prefix: 'CLUSTER_CRDT' } },
  api: { restapi: { schema: restApiSchema, prefix: 'CLUSTER_RESTAPI' } },
  ipfs_connector: { helia: { schema: heliaSchema, prefix: 'CLUSTER_HELIA' }, ipfshttp: { schema: ipfsHttpSchema, prefix: 'CLUSTER_IPFSHTTP' } },
  pin_tracker: { stateless: { schema: statelessSchema, prefix: 'CLUSTER_STATELESS' } },
  monitor: { pubsubmon: { schema: pubsubmonSchema, prefix: 'CLUSTER_PUBSUBMON' } },
  allocator: { balanced: { schema: balancedSchema, prefix: 'CLUSTER_BALANCED' } },
  informer: { disk: { schema: diskSchema, prefix: 'CLUSTER_DISK' }, pinqueue: { schema: pinqueueSchema, prefix: 'CLUSTER_PINQUEUE' }, tags: { schema: tagsSchema, prefix: 'CLUSTER_TAGS' } },
  observations: { metrics: { schema: metricsSchema, prefix: 'CLUSTER_METRICS' }, tracing: { schema: tracingSchema, prefix: 'CLUSTER_TRACING' } },
  datastore: { leveldb: { schema: leveldbSchema, prefix: 'CLUSTER_LEVELDB' } }
}
/** Top-level sections in the order they are written. */
const order = ['cluster', 'consensus', 'api', 'ipfs_connector', 'pin_tracker', 'monitor', 'allocator', 'informer', 'observations', 'datastore']
/** Components of Go that do not run here yet: their sections are kept. */
const later: Readonly<Record<string, readonly string[]>> = { api: ['ipfsproxy', 'pinsvcapi'], consensus: ['raft'], informer: ['numpin'] }

const lookUp = (object: JsonObject, key: string): Json | undefined => {
  const name = Object.keys(object).findLast((candidate) => candidate.toLowerCase() === key)
  return name === undefined ? undefined : object[name] ?? undefined
}

/** A group such as `api`: its components by name; `null` means missing. */
function group (document: JsonObject, name: string): JsonObject {
  const value = lookUp(document, name)
  if (value === undefined) return {}
  if (!isObject(value)) throw new InvalidConfigError(name, `expected an object, found ${typeName(value)}`)
  return Object.fromEntries(Object.entries(value).filter(([, component]) => component !== null))
}

export const defaultIpfsConnector = (kind: 'ipfshttp' | 'helia'): IpfsConnectorConfig => kind === 'helia' ? { kind, helia: defaultsOf(heliaSchema) } : { kind, ipfshttp: defaultsOf(ipfsHttpSchema) }

/** Browsers can join a peer with the embedded store as it is; a peer beside kubo listens as Go's does. */
function defaultCluster (ipfs: 'ipfshttp' | 'helia'): ClusterConfig {
  const defaults = defaultsOf(clusterSchema)
  return ipfs === 'helia' ? { ...defaults, listenMultiaddress: [...defaults.listenMultiaddress, ...browserListen] } : defaults
}

/** What `init` writes. The platform supplies the name of the peer and a fresh secret. */
export const defaultConfig = (settings: { readonly peername: string, readonly secret: string, readonly ipfs: 'ipfshttp' | 'helia' }): Config => ({
  cluster: { ...defaultCluster(settings.ipfs), peername: settings.peername, secret: settings.secret },
  consensus: { crdt: defaultsOf(crdtSchema) },
  api: { restapi: defaultsOf(restApiSchema) },
  ipfsConnector: defaultIpfsConnector(settings.ipfs),
  pinTracker: { stateless: defaultsOf(statelessSchema) },
  monitor: { pubsubmon: defaultsOf(pubsubmonSchema) },
  allocator: { balanced: defaultsOf(balancedSchema) },
  informer: { disk: defaultsOf(diskSchema), pinqueue: defaultsOf(pinqueueSchema), tags: defaultsOf(tagsSchema) },
  observations: { metrics: defaultsOf(metricsSchema), tracing: defaultsOf(tracingSchema) },
  datastore: { leveldb: defaultsOf(leveldbSchema) }
})

/** Figures and tracing run without their sections, too: what a file lacks of them is written out where a variable is about it. */
function withObservations (document: JsonObject, environment: Environment): JsonObject {
  const name = Object.keys(document).findLast((key) => key.toLowerCase() === 'observations') ?? 'observations'
  const kept = group(document, 'observations')
  const added = Object.entries(components['observations'] ?? {})
    .filter(([component, { prefix }]) => kept[component] === undefined && Object.keys(environment).some((variable) => variable.startsWith(`${prefix}_`)))
    .map(([component, { schema }]) => [component, encodeSection(schema, defaultsOf(schema))] as const)
  return added.length === 0 ? document : { ...document, [name]: { ...kept, ...Object.fromEntries(added) } }
}

/** The document with `CLUSTER_*` variables put in place. Only sections that are there are touched, and observations. */
export function applyEnvironment (document: JsonObject, environment: Environment): JsonObject {
  const complete = withObservations(document, environment)
  const replaced: Record<string, Json> = { ...complete }
  for (const [name, value] of Object.entries(complete)) {
    const key = name.toLowerCase()
    if (key === 'cluster') replaced[name] = withEnvironment(clusterSchema, value, 'CLUSTER', environment)
    const known = components[key]
    if (known === undefined || !isObject(value)) continue
    replaced[name] = Object.fromEntries(Object.entries(value).map(([component, section]) => {
      const found = known[component]
      return [component, found === undefined ? section : withEnvironment(found.schema, section, found.prefix, environment)]
    }))
  }
  return replaced
}

export interface DecodeOptions {
  /** Stands in for an empty `cluster.peername`. */
  readonly peername: string
  /** Told once per unknown key, per section that nothing here runs, and per key that has no effect. */
  readonly warn: (message: string) => void
}

/** Validates the whole document. Throws InvalidConfigError naming the dotted key. */
export function decodeConfig (document: Json, { peername, warn }: DecodeOptions): Config {
  if (!isObject(document)) throw new InvalidConfigError('service.json', `expected an object, found ${typeName(document)}`)
  const groups = Object.fromEntries(Object.keys(components).map((name) => [name, group(document, name)]))
  const of = (name: string): JsonObject => groups[name] ?? {}
  const optional = <F extends Fields>(section: Schema<F>, name: string, component: string): Values<F> | undefined => {
    const value = of(name)[component]
    return value === undefined ? undefined : decodeSection(section, value, `${name}.${component}`, warn)
  }
  const orDefaults = <F extends Fields>(section: Schema<F>, name: string, component: string): Values<F> => optional(section, name, component) ?? defaultsOf(section)

  const cluster = lookUp(document, 'cluster')
  if (cluster === undefined) throw new InvalidConfigError('cluster', 'the section is missing')
  const decoded = decodeSection(clusterSchema, cluster, 'cluster', warn)
  if (decoded.secret === '') warn('cluster.secret is empty: this peer accepts connections from anybody')
  checkConsensus(of('consensus'))
  const config: Config = {
    cluster: decoded.peername === '' ? { ...decoded, peername } : decoded,
    consensus: { crdt: orDefaults(crdtSchema, 'consensus', 'crdt') },
    api: { restapi: optional(restApiSchema, 'api', 'restapi') },
    ipfsConnector: decodeConnector(of('ipfs_connector'), warn),
    pinTracker: { stateless: orDefaults(statelessSchema, 'pin_tracker', 'stateless') },
    monitor: { pubsubmon: orDefaults(pubsubmonSchema, 'monitor', 'pubsubmon') },
    // configurations from before the allocator had a section
    allocator: { balanced: optional(balancedSchema, 'allocator', 'balanced') ?? { allocateBy: ['freespace'] } },
    informer: { disk: optional(diskSchema, 'informer', 'disk'), pinqueue: optional(pinqueueSchema, 'informer', 'pinqueue'), tags: optional(tagsSchema, 'informer', 'tags') },
    observations: { metrics: orDefaults(metricsSchema, 'observations', 'metrics'), tracing: orDefaults(tracingSchema, 'observations', 'tracing') },
    datastore: { leveldb: decodeDatastore(of('datastore'), warn) }
  }
  if (config.informer.disk === undefined && config.informer.pinqueue === undefined && config.informer.tags === undefined) throw new InvalidConfigError('informer', 'no informers are passed')
  warnOfTheRest(document, warn)
  return config
}

function checkConsensus (consensus: JsonObject): void {
  const crdt = consensus['crdt'] !== undefined
  const raft = consensus['raft'] !== undefined
  if (raft && !crdt) throw new InvalidConfigError('consensus.raft', 'Raft is not available yet: this peer runs CRDT consensus only')
  if (crdt === raft) throw new InvalidConfigError('consensus', 'could not determine the consensus component: exactly one of crdt and raft must be there')
}

function decodeConnector (connectors: JsonObject, warn: (message: string) => void): IpfsConnectorConfig {
  const { helia, ipfshttp } = connectors
  if (helia !== undefined && ipfshttp !== undefined) throw new InvalidConfigError('ipfs_connector', 'exactly one of ipfshttp and helia must be there: remove the other section')
  if (helia !== undefined) return { kind: 'helia', helia: decodeSection(heliaSchema, helia, 'ipfs_connector.helia', warn) }
  return { kind: 'ipfshttp', ipfshttp: ipfshttp === undefined ? defaultsOf(ipfsHttpSchema) : decodeSection(ipfsHttpSchema, ipfshttp, 'ipfs_connector.ipfshttp', warn) }
}

function decodeDatastore (engines: JsonObject, warn: (message: string) => void): LeveldbConfig {
  const names = Object.keys(engines).filter((name) => name === 'leveldb' || foreignEngines.includes(name))
  const [name] = names
  if (name === undefined || names.length > 1) throw new InvalidConfigError('datastore', 'unknown datastore: exactly one of leveldb, pebble, badger3 and badger must be there')
  const section = engines[name]
  if (name === 'leveldb' && section !== undefined) return decodeSection(leveldbSchema, section, 'datastore.leveldb', warn)
  warn(`datastore.${name} is kept, but this peer stores its state in LevelDB, in the folder "leveldb"`)
  return defaultsOf(leveldbSchema)
}

function warnOfTheRest (document: JsonObject, warn: (message: string) => void): void {
  for (const name of Object.keys(document)) {
    const key = name.toLowerCase()
    if (key === 'cluster' || key === 'source' || key === 'state') continue
    if (!order.includes(key)) { warn(`${name} is not a known section: ignored, and kept in the file`); continue }
    for (const component of Object.keys(group(document, key))) {
      if (components[key]?.[component] !== undefined || (key === 'datastore' && foreignEngines.includes(component))) continue
      warn(later[key]?.includes(component) === true ? `${key}.${component} does not run here yet: the section is kept` : `${key}.${component} is not a known component: ignored, and kept in the file`)
    }
  }
}

/** The document to write: our sections, and what `original` has that we do not know, in Go's order (config.md §11). */
export function encodeConfig (config: Config, original: JsonObject = {}): JsonObject {
  const ours: Readonly<Record<string, Readonly<Record<string, ((kept: Json | undefined) => JsonObject) | undefined>>>> = {
    consensus: { crdt: (kept) => encodeSection(crdtSchema, config.consensus.crdt, kept) },
    api: { restapi: whenThere(restApiSchema, config.api.restapi) },
    ipfs_connector: { [config.ipfsConnector.kind]: (kept) => config.ipfsConnector.kind === 'helia' ? encodeSection(heliaSchema, config.ipfsConnector.helia, kept) : encodeSection(ipfsHttpSchema, config.ipfsConnector.ipfshttp, kept) },
    pin_tracker: { stateless: (kept) => encodeSection(statelessSchema, config.pinTracker.stateless, kept) },
    monitor: { pubsubmon: (kept) => encodeSection(pubsubmonSchema, config.monitor.pubsubmon, kept) },
    allocator: { balanced: (kept) => encodeSection(balancedSchema, config.allocator.balanced, kept) },
    informer: { disk: whenThere(diskSchema, config.informer.disk), pinqueue: whenThere(pinqueueSchema, config.informer.pinqueue), tags: whenThere(tagsSchema, config.informer.tags) },
    observations: { metrics: (kept) => encodeSection(metricsSchema, config.observations.metrics, kept), tracing: (kept) => encodeSection(tracingSchema, config.observations.tracing, kept) },
    datastore: Object.keys(group(original, 'datastore')).some((name) => foreignEngines.includes(name)) ? {} : { leveldb: (kept) => encodeSection(leveldbSchema, config.datastore.leveldb, kept) }
  }
  const written: Array<readonly [string, Json]> = [['cluster', encodeSection(clusterSchema, config.cluster, lookUp(original, 'cluster'))]]
  for (const name of order.slice(1)) {
    const kept = group(original, name)
    const names = new Set([...Object.keys(ours[name] ?? {}), ...Object.keys(kept)])
    const sections = [...names].toSorted().flatMap((component) => {
      const encode = ours[name]?.[component]
      const section = encode === undefined ? components[name]?.[component] === undefined ? kept[component] : undefined : encode(kept[component])
      return section === undefined ? [] : [[component, section] as const]
    })
    if (sections.length > 0) written.push([name, Object.fromEntries(sections)])
  }
  for (const [name, value] of Object.entries(original)) if (!order.includes(name.toLowerCase()) && name.toLowerCase() !== 'source') written.push([name, value])
  return Object.fromEntries(written)
}

const whenThere = <F extends Fields>(section: Schema<F>, values: Values<F> | undefined): ((kept: Json | undefined) => JsonObject) | undefined => values === undefined ? undefined : (kept) => encodeSection(section, values, kept)

/** JSON as Go writes it: 2 spaces, `<`, `>` and `&` escaped, no line end. */
export const configText = (document: JsonObject): string => JSON.stringify(document, null, 2).replaceAll(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
