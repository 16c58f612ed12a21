/** The ready-made full peer: a configuration folder in, a member of the cluster out. */
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { CID } from 'multiformats/cid'
import type { AddEntry, Added, AddOptions } from '../src/adder/adder.ts'
import { ipfsSources } from '../src/cluster/ipfs-sources.ts'
import { createPeer } from '../src/cluster/peer.ts'
import type { Peer } from '../src/cluster/peer.ts'
import type { Cluster, ClusterEvents, ContentNode, LocalOptions } from '../src/cluster/cluster.ts'
import { silentLogger, stopAll } from '../src/component.ts'
import type { AbortOptions, ComponentLogger, Logger, Startable } from '../src/component.ts'
import type { Config, Environment } from '../src/config/config.ts'
import type { PinsFilter } from '../src/consensus/consensus.ts'
import { newMeasures } from '../src/observations/measures.ts'
import type { Measures } from '../src/observations/measures.ts'
import { defaultPinOptions } from '../src/pin/pin.ts'
import type { Pin, PinOptions } from '../src/pin/pin.ts'
import type { GlobalPinInfo } from '../src/pin/pin-info.ts'
import type { Libp2pTransport } from '../src/transport/libp2p.ts'
import { assemble } from './assemble.ts'
import { defaultFolder, folderAt, loadFolder } from './folder.ts'
import type { Folder } from './folder.ts'
import type { Identity } from './identity.ts'
import { lockFolder } from './lock.ts'
import type { FolderLock } from './lock.ts'
import { invitationOf } from './invitation.ts'
import { openRestApi } from './rest-api.ts'
import type { HttpServer } from './http/server.ts'
import { exists, peerIdOf, setUpFolder } from './setup.ts'
import { openLevelStore } from './store/level-store.ts'
import type { Store } from '../src/store/store.ts'
import { readPeerstore } from './transport/peerstore-file.ts'
import { keepPeerstore } from './transport/peerstore-keeper.ts'

export interface NodePeerOptions {
  /** Where configuration, identity and data are. @default IPFS_CLUSTER_PATH, else ~/.ipfs-cluster */
  readonly folder?: string | undefined
  /** @default the folder's service.json; where there is none, a new one with the embedded store is written */
  readonly config?: Config | undefined
  /** @default the folder's identity.json */
  readonly identity?: Identity | undefined
  /** `CLUSTER_*` variables, put in place of what the folder says. @default none */
  readonly environment?: Environment | undefined
  /** The last word on the configuration, after file and environment; nothing of it is saved. */
  readonly configure?: ((config: Config) => Config) | undefined
  /** Serve the REST API, when the configuration has one. @default true */
  readonly restApi?: boolean | undefined
  /** Members to join through; each ends in /p2p/<peer ID>. @default none */
  readonly bootstrap?: readonly Multiaddr[] | undefined
  /** Trust the members of `bootstrap` until this peer stops. @default true */
  readonly trustBootstrap?: boolean | undefined
  /** @default silent */
  readonly logger?: ComponentLogger | undefined
}

/** Options of `add`; what is left out has the cluster's defaults. */
export type NodeAddOptions = Omit<AddOptions, 'pin'> & { readonly pin?: Partial<PinOptions> | undefined }

/** A full peer in Node. */
export interface NodePeer extends Startable {
  readonly peerId: PeerId
  readonly name: string
  readonly config: Config
  /** Everything a peer can do; the methods beside it are its most used ones. */
  readonly cluster: Cluster
  /** Where members reach this peer; each ends in /p2p/<peer ID>. */
  readonly addresses: () => readonly Multiaddr[]
  /** Multiaddresses of the REST API; none when it is off. */
  readonly restAddresses: () => readonly string[]
  /** Resolves once the IPFS behind the peer has answered and it takes part; the API works before. */
  readonly ready: (options?: AbortOptions) => Promise<void>
  readonly pin: (cid: CID, options?: Partial<PinOptions>, abort?: AbortOptions) => Promise<Pin>
  readonly unpin: (cid: CID, options?: AbortOptions) => Promise<Pin>
  /** Adds files and pins them; the last entry that comes back is the root. */
  readonly add: (entries: Iterable<AddEntry> | AsyncIterable<AddEntry>, options?: NodeAddOptions) => AsyncIterable<Added>
  /** What is below a CID, or `CID/path`, that the cluster keeps. */
  readonly get: (path: CID | string, options?: AbortOptions) => Promise<ContentNode>
  readonly pins: (filter?: PinsFilter) => AsyncIterable<Pin>
  readonly status: (cid: CID, options?: LocalOptions) => Promise<GlobalPinInfo>
  readonly addEventListener: <K extends keyof ClusterEvents>(type: K, listener: (event: ClusterEvents[K]) => void) => void
  readonly removeEventListener: <K extends keyof ClusterEvents>(type: K, listener: (event: ClusterEvents[K]) => void) => void
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/**
 * A peer of a configuration folder; `start` takes the folder's lock and runs it.
 *
 * @example
 * const peer = await createNodePeer({ folder: './peer' })
 * await peer.start()
 * await peer.ready()
 * for await (const { name, cid } of peer.add([{ kind: 'file', path: 'hello.txt', content: blob.stream() }])) console.log(name, cid)
 * await peer.stop()
 */
export async function createNodePeer (options: NodePeerOptions = {}): Promise<NodePeer> {
  const { logger = silentLogger, environment = {} } = options
  const folder = folderAt(options.folder ?? defaultFolder(process.env))
  const log = logger.forComponent('config')
  if (options.config === undefined && !await exists(folder.config)) await setUpFolder(folder, { ipfs: 'helia', environment, warn: (message) => { log.warn(message) } })
  const loaded = options.config !== undefined && options.identity !== undefined ? { config: options.config, identity: options.identity } : await loadFolder(folder, environment, log)
  const config = options.config ?? loaded.config
  return new FullPeer({ options, folder, logger, config: options.configure?.(config) ?? config, identity: options.identity ?? loaded.identity })
}

interface Parts {
  readonly options: NodePeerOptions
  readonly folder: Folder
  readonly logger: ComponentLogger
  readonly config: Config
  readonly identity: Identity
}

async function * iterate<T> (items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> { yield * items }

class FullPeer implements NodePeer {
  readonly #parts: Parts
  readonly #log: Logger
  readonly #abort = new AbortController()
  #running: { readonly peer: Peer, readonly transport: Libp2pTransport, readonly rest: HttpServer | undefined, readonly close: readonly Startable[] } | undefined
  #joining: Promise<void> = Promise.resolve()
  #stopping: Promise<void> | undefined

  constructor (parts: Parts) {
    this.#parts = parts
    this.#log = parts.logger.forComponent('service')
  }

  get peerId (): PeerId { return this.#parts.identity.peerId }
  get name (): string { return this.#parts.config.cluster.peername }
  get config (): Config { return this.#parts.config }
  get cluster (): Cluster { return this.#peer }

  get #peer (): Peer {
    if (this.#running === undefined) throw new Error('the peer is not running: call start first')
    return this.#running.peer
  }

  /** Lock, store, network, consensus, API; a failing step undoes those before it. */
  async start (abort: AbortOptions = {}): Promise<void> {
    if (this.#running !== undefined) return
    const { folder, options } = this.#parts
    const close: Startable[] = []
    try {
      const lock: FolderLock = await lockFolder(folder.path)
      close.push({ start: async () => {}, stop: lock.release })
      const store = await openLevelStore(folder.at(this.config.datastore.leveldb.folder))
      close.push({ start: async () => {}, stop: async () => { await store.close() } })
      const measures = newMeasures()
      const { peer, transport } = await this.#make(store, measures)
      close.push(peer)
      await peer.start(abort)
      const keeper = keepPeerstore({ path: this.#peerstorePath, known: async () => await transport.known(), isReady: () => peer.isReady, log: this.#parts.logger.forComponent('pstoremgr') })
      close.push(keeper)
      await keeper.start()
      const rest = options.restApi === false || this.config.api.restapi === undefined ? undefined : await openRestApi(peer, this.config.api.restapi, { folder, logger: this.#parts.logger, invitation: () => invitationOf(this.config, this.peerId, transport.addresses()) })
      if (rest !== undefined) {
        close.push(rest)
        await rest.start()
      }
      if (this.config.observations.metrics.enableStats) {
        // The library behind it is loaded only where it is used.
        const { openMetricsEndpoint } = await import('./metrics-endpoint.ts')
        const endpoint = openMetricsEndpoint({ cluster: peer, measures, logger: this.#parts.logger }, this.config.observations.metrics)
        close.push(endpoint)
        await endpoint.start()
      }
      abort.signal?.throwIfAborted()
      this.#running = { peer, transport, rest, close }
    } catch (error) {
      await stopAll(close).catch((failure: unknown) => { this.#log.error('undoing a failed start', failure) })
      throw error
    }
    this.#joining = this.#join()
  }

  async #make (store: Store, measures: Measures): Promise<{ readonly peer: Peer, readonly transport: Libp2pTransport }> {
    const { folder, logger, config, identity, options } = this.#parts
    const peerstore = await readPeerstore(this.#peerstorePath, logger.forComponent('pstoremgr'))
    let running: Peer | undefined
    const ipfsAddresses = (): readonly Multiaddr[] => running === undefined ? [] : ipfsSources(running)
    const { components, transport, options: peerOptions } = await assemble({ config, identity, folder, logger, store, measures, knownAddresses: [...options.bootstrap ?? [], ...peerstore], ipfsAddresses })
    running = createPeer(components, peerOptions)
    return { peer: running, transport }
  }

  get #peerstorePath (): string {
    const { folder, config } = this.#parts
    return folder.at(config.cluster.peerstoreFile === '' ? 'peerstore' : config.cluster.peerstoreFile)
  }

  async #join (): Promise<void> {
    const { bootstrap = [], trustBootstrap = true } = this.#parts.options
    for (const address of bootstrap) {
      const id = peerIdOf(address)
      if (trustBootstrap && id !== undefined) this.#peer.consensus.trust.trust(id)
      try {
        await this.#peer.join(address, { signal: this.#abort.signal })
      } catch (error) {
        if (this.#abort.signal.aborted) return
        this.#log.error(`bootstrap to ${address.toString()} failed:`, error)
      }
    }
  }

  async stop (): Promise<void> { await (this.#stopping ??= this.#stop()) }

  async #stop (): Promise<void> {
    this.#abort.abort(new Error('the peer stops'))
    await this.#joining
    if (this.#running !== undefined) await stopAll(this.#running.close)
  }

  async [Symbol.asyncDispose] (): Promise<void> { await this.stop() }

  addresses (): readonly Multiaddr[] { return this.#running?.transport.addresses() ?? [] }
  restAddresses (): readonly string[] { return this.#running?.rest?.addresses() ?? [] }

  async ready ({ signal }: AbortOptions = {}): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>()
    const onAbort = (): void => { reject(signal?.reason as Error) }
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted === true) onAbort()
    try { await Promise.race([this.#peer.ready(), promise]) } finally { signal?.removeEventListener('abort', onAbort) }
  }

  async pin (cid: CID, options?: Partial<PinOptions>, abort?: AbortOptions): Promise<Pin> { return await this.#peer.pin(cid, options, abort) }
  async unpin (cid: CID, options?: AbortOptions): Promise<Pin> { return await this.#peer.unpin(cid, options) }
  add (entries: Iterable<AddEntry> | AsyncIterable<AddEntry>, options: NodeAddOptions = {}): AsyncIterable<Added> { return this.#peer.add(iterate(entries), { ...options, pin: { ...defaultPinOptions, ...options.pin } }) }
  async get (path: CID | string, options?: AbortOptions): Promise<ContentNode> {
    const text = path.toString()
    return await this.#peer.content(text.startsWith('/') ? text : `/ipfs/${text}`, options)
  }

  pins (filter?: PinsFilter): AsyncIterable<Pin> { return this.#peer.pins(filter) }
  async status (cid: CID, options?: LocalOptions): Promise<GlobalPinInfo> { return await this.#peer.status(cid, options) }
  addEventListener<K extends keyof ClusterEvents> (type: K, listener: (event: ClusterEvents[K]) => void): void { this.#peer.addEventListener(type, listener) }
  removeEventListener<K extends keyof ClusterEvents> (type: K, listener: (event: ClusterEvents[K]) => void): void { this.#peer.removeEventListener(type, listener) }
}
