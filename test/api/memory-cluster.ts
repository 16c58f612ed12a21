/** A cluster of two peers, alpha and beta, that lives in memory: enough of one for the API and its programs to be tested against. */
import { encodeJson } from '../../src/api/json/json.ts'
import { globalPinInfoToJson } from '../../src/api/json/status.ts'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { InsufficientAllocationsError, PinNotFoundError, PinRefusedError } from '../../src/errors.ts'
import { ClusterEmitter } from '../../src/cluster/events.ts'
import { asStored, encodePinLine } from '../../src/pin/pin-json.ts'
import { defaultPinOptions, depthOf, pinTypeFlag } from '../../src/pin/pin.ts'
import { matchesFilter } from '../../src/pin/status.ts'
import type { AddEntry, Added, AddOptions } from '../../src/adder/adder.ts'
import type { Cluster, ContentNode, LocalOptions } from '../../src/cluster/cluster.ts'
import type { PeerInfo, RepoGc } from '../../src/cluster/types.ts'
import type { AbortOptions } from '../../src/component.ts'
import type { PinsFilter } from '../../src/consensus/consensus.ts'
import type { Alert, Metric } from '../../src/monitor/metric.ts'
import type { GlobalPinInfo, PinInfoShort } from '../../src/pin/pin-info.ts'
import type { Pin, PinOptions } from '../../src/pin/pin.ts'
import type { StatusFilter, TrackerStatus } from '../../src/pin/status.ts'
import type { PeerId } from '@libp2p/interface'

export const alpha = peerIdFromString('12D3KooWRWTQEAfTUiRJnXDJ3gH6NP7jqgwFYSzrVmwKLMzV4Cay')
export const beta = peerIdFromString('12D3KooWFykm5gndKjXgNgAF2shsNfKvoDhEunPQF2XeWSkQrX4H')
const alphaIpfs = peerIdFromString('12D3KooWDebwamDbFt1AppfvtogvC1PJXFxMGYxY8LnvmJ31gXBs')
const betaIpfs = peerIdFromString('12D3KooWCKRPkC1fatE7xtnkfbDufEhU9Y88sW4hhGy8dQk75rdg')
const members = [{ id: beta, name: 'beta', ipfs: betaIpfs, port: 47006 }, { id: alpha, name: 'alpha', ipfs: alphaIpfs, port: 46006 }] as const

type Entry = { readonly name: string, readonly cid: CID, readonly size: bigint, readonly kind: 'file' | 'directory' | 'symlink' }
type Stored = { readonly kind: 'file', readonly bytes: Uint8Array } | { readonly kind: 'directory', readonly entries: readonly Entry[] } | { readonly kind: 'symlink', readonly target: string }
interface Folder { readonly folders: Map<string, Folder>, readonly leaves: Map<string, Entry> }

const encoder = new TextEncoder()
const cidOf = async (bytes: Uint8Array, codec: number): Promise<CID> => CID.createV1(codec, await sha256.digest(bytes))

async function bytesOf (content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(chunk.slice())
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer())
}

export class MemoryCluster implements Cluster {
  readonly peerId = alpha
  readonly pinset = new Map<string, Pin>()
  readonly contents = new Map<string, Stored>()
  /** What every peer says of a pin. */
  statusOfPins: TrackerStatus = 'pinned'
  /** Thrown by a listing after this many items. */
  breakAfter = Number.POSITIVE_INFINITY
  /** Calls that were ended by their signal. */
  aborted = 0
  now: () => number = Date.now

  #peer (index: number): PeerInfo {
    const [peer, other] = index === 0 ? [members[0], members[1]] : [members[1], members[0]]
    return {
      id: peer.id, peerName: peer.name, version: this.version(), commit: '', rpcProtocolVersion: '/ipfscluster/1.0/rpc', error: '',
      addresses: [multiaddr(`/ip4/127.0.0.1/tcp/${peer.port}/p2p/${peer.id.toString()}`)],
      clusterPeers: [beta, alpha], clusterPeersAddresses: [multiaddr(`/ip4/127.0.0.1/tcp/${other.port}/p2p/${other.id.toString()}`)],
      ipfs: { id: peer.ipfs, addresses: [multiaddr(`/ip4/127.0.0.1/tcp/4001/p2p/${peer.ipfs.toString()}`)], error: '' }
    }
  }

  id = async (): Promise<PeerInfo> => this.#peer(1)
  version = (): string => '1.1.6'
  async * peers (): AsyncGenerator<PeerInfo> { yield this.#peer(1); yield this.#peer(0) }
  peerAdd = async (peer: PeerId): Promise<PeerInfo> => this.#peer(peer.equals(beta) ? 0 : 1)
  peerRemove = async (): Promise<void> => { throw new Error('crdt consensus component cannot remove peers') }
  join = async (): Promise<void> => {}

  async pin (cid: CID, options: Partial<PinOptions> = {}): Promise<Pin> {
    const wanted = { ...defaultPinOptions, ...options }
    const min = wanted.replicationFactorMin === 0 ? -1 : wanted.replicationFactorMin
    const max = wanted.replicationFactorMax === 0 ? -1 : wanted.replicationFactorMax
    if (min > 0 && max > 0 && min > max) throw new PinRefusedError('cluster.replication_factor_min is larger than max')
    if (wanted.expireAt !== undefined && wanted.expireAt < this.now()) throw new PinRefusedError('pin.ExpireAt set before current time')
    if (min > members.length) throw new InsufficientAllocationsError(min, max, members.length)
    if (wanted.pinUpdate !== undefined) await this.pinGet(wanted.pinUpdate)
    const preferred = [...wanted.userAllocations, beta, alpha].filter((peer, index, all) => all.findIndex((other) => other.equals(peer)) === index)
    const pin: Pin = { ...wanted, replicationFactorMin: min, replicationFactorMax: max, cid, type: 'pin', allocations: min < 0 ? [] : preferred.slice(0, max), maxDepth: depthOf(wanted.mode), timestamp: this.now() }
    this.pinset.set(cid.toString(), asStored(pin))
    return pin
  }

  pinPath = async (path: string, options?: Partial<PinOptions>): Promise<Pin> => await this.pin((await this.content(path)).cid, options)
  unpinPath = async (path: string): Promise<Pin> => await this.unpin((await this.content(path)).cid)

  async unpin (cid: CID): Promise<Pin> {
    const pin = await this.pinGet(cid)
    this.pinset.delete(cid.toString())
    return pin
  }

  async pinGet (cid: CID): Promise<Pin> {
    const pin = this.pinset.get(cid.toString())
    if (pin === undefined) throw new PinNotFoundError()
    return pin
  }

  async * pins ({ types = 30, signal }: PinsFilter = {}): AsyncGenerator<Pin> {
    let count = 0
    try {
      for (const pin of this.pinset.values()) {
        if (count++ >= this.breakAfter) throw new Error('the listing broke')
        if (signal?.aborted === true) return
        if ((pinTypeFlag(pin.type) & types) !== 0) yield pin
      }
    } finally {
      if (signal?.aborted === true) this.aborted++
    }
  }

  async * pinLines (filter?: PinsFilter): AsyncGenerator<readonly Uint8Array[]> {
    for await (const pin of this.pins(filter)) yield [encodePinLine(pin, { fromState: true })]
  }

  pinCount = (): number => this.pinset.size

  #short (member: typeof members[number], status: TrackerStatus, timestamp: number): PinInfoShort {
    const error = status.endsWith('_error') ? 'it went wrong' : status === 'unexpectedly_unpinned' ? 'the item should be pinned but it is not' : ''
    return { peerName: member.name, ipfsId: member.ipfs, ipfsAddresses: [], status, timestamp, error, attemptCount: 0, priorityPin: false }
  }

  #status (cid: CID, { local = false }: LocalOptions = {}): GlobalPinInfo {
    const pin = this.pinset.get(cid.toString())
    const timestamp = pin?.timestamp ?? this.now()
    const asked = members.filter(({ id }) => !local || id.equals(alpha))
    const of = (id: PeerId): TrackerStatus => pin === undefined ? 'unpinned' : pin.allocations.length === 0 || pin.allocations.some((each) => each.equals(id)) ? this.statusOfPins : 'remote'
    return {
      cid, name: pin?.name ?? '', allocations: pin?.allocations ?? [], origins: pin?.origins ?? [], created: timestamp, metadata: pin?.metadata ?? {},
      peerMap: new Map(asked.map((member) => [member.id.toString(), this.#short(member, of(member.id), timestamp)]))
    }
  }

  /** Called after each status of one CID. */
  onStatus = (): void => {}
  async status (cid: CID, options?: LocalOptions): Promise<GlobalPinInfo> {
    const status = this.#status(cid, options)
    this.onStatus()
    return status
  }

  async * statusLines (filter: StatusFilter, options?: LocalOptions): AsyncGenerator<readonly string[]> {
    for await (const info of this.statusAll(filter, options)) yield [encodeJson(globalPinInfoToJson(info))]
  }

  async * statusAll (filter: StatusFilter, options?: LocalOptions): AsyncGenerator<GlobalPinInfo> {
    for await (const { cid } of this.pins(options)) {
      const info = this.#status(cid, options)
      if ([...info.peerMap.values()].some(({ status }) => matchesFilter(status, filter))) yield info
    }
  }

  async recover (cid: CID, options?: LocalOptions): Promise<GlobalPinInfo> {
    if (options?.local === true) await this.pinGet(cid)
    return this.#status(cid, options)
  }

  async * recoverAll (options?: LocalOptions): AsyncGenerator<GlobalPinInfo> {
    if (this.statusOfPins !== 'pinned') yield * this.statusAll(0, options)
  }

  async #file (name: string, bytes: Uint8Array): Promise<Entry> {
    const cid = await cidOf(bytes, 0x55)
    this.contents.set(cid.toString(), { kind: 'file', bytes })
    return { name, cid, size: BigInt(bytes.length), kind: 'file' }
  }

  async #folder (name: string, folder: Folder): Promise<{ readonly entry: Entry, readonly below: readonly (readonly [string, Entry])[] }> {
    const below: Array<readonly [string, Entry]> = []
    const entries = [...folder.leaves.values()]
    for (const [child, inner] of folder.folders) {
      const built = await this.#folder(child, inner)
      below.push(...built.below.map(([path, entry]) => [`${child}/${path}`, entry] as const), [child, built.entry])
      entries.push(built.entry)
    }
    const cid = await cidOf(encoder.encode(entries.map((entry) => `${entry.name}=${entry.cid.toString()}`).join()), 0x70)
    this.contents.set(cid.toString(), { kind: 'directory', entries })
    return { entry: { name, cid, size: entries.reduce((sum, { size }) => sum + size, 0n), kind: 'directory' }, below }
  }

  async * add (entries: AsyncIterable<AddEntry>, options: AddOptions): AsyncGenerator<Added> {
    if (options.chunker === 'nope') throw new Error('unrecognized chunker option: nope')
    if (options.hash === 'nope') throw new Error('hash function name not known')
    const root: Folder = { folders: new Map(), leaves: new Map() }
    const folderAt = (path: readonly string[]): Folder => path.reduce((folder, name) => {
      const next = folder.folders.get(name) ?? { folders: new Map(), leaves: new Map() }
      folder.folders.set(name, next)
      return next
    }, root)
    const allocations = [beta, alpha]
    let last: Entry | undefined
    for await (const entry of entries) {
      const path = entry.path.split('/')
      const name = path.pop() ?? ''
      if (entry.kind === 'directory') { folderAt([...path, name]); continue }
      if (entry.kind === 'symlink') {
        const cid = await cidOf(encoder.encode(entry.target), 0x70)
        this.contents.set(cid.toString(), { kind: 'symlink', target: entry.target })
        last = { name, cid, size: 0n, kind: 'symlink' }
      } else {
        const bytes = await bytesOf(entry.content)
        if (options.progress === true) yield { name: '', bytes: bytes.length, allocations: [] }
        last = await this.#file(name, bytes)
      }
      folderAt(path).leaves.set(name, last)
      yield { name: entry.path, cid: last.cid, size: Number(last.size), allocations }
    }
    const { entry, below } = await this.#folder('', root)
    for (const [path, each] of below) yield { name: path, cid: each.cid, size: Number(each.size), allocations }
    if (options.wrapWithDirectory === true) yield { name: '', cid: entry.cid, size: Number(entry.size), allocations }
    const top = options.wrapWithDirectory === true ? entry : below.at(-1)?.[1] ?? last
    if (top !== undefined && options.noPin !== true) await this.pin(top.cid, options.pin)
  }

  async content (path: string, { signal }: AbortOptions = {}): Promise<ContentNode> {
    const [, , root = '', ...names] = path.split('/')
    let cid = CID.parse(root)
    let name = root
    for (const next of names) {
      const stored = this.contents.get(cid.toString())
      const entry = stored?.kind === 'directory' ? stored.entries.find((each) => each.name === next) : undefined
      if (entry === undefined) throw Object.assign(new Error(`no link named ${JSON.stringify(next)} under ${cid.toString()}`), { name: 'NotFoundError' })
      cid = entry.cid
      name = next
    }
    const stored = this.contents.get(cid.toString())
    if (stored === undefined) throw new Error(`block ${cid.toString()} not found`)
    if (stored.kind === 'symlink') return { kind: 'symlink', cid, name, target: stored.target }
    if (stored.kind === 'directory') return { kind: 'directory', cid, name, entries: async function * () { yield * stored.entries } }
    const { bytes } = stored
    return {
      kind: 'file', cid, name, size: BigInt(bytes.length),
      content: async function * (range = { offset: 0n, length: BigInt(bytes.length) }) {
        const end = Number(range.offset + range.length)
        for (let at = Number(range.offset); at < end; at += 65_536) {
          signal?.throwIfAborted()
          yield bytes.subarray(at, Math.min(end, at + 65_536))
        }
      }
    }
  }

  graph = async (): ReturnType<Cluster['graph']> => ({
    clusterId: alpha, idToPeerName: new Map(members.map(({ id, name }) => [id.toString(), name])),
    ipfsLinks: new Map([[betaIpfs.toString(), [alphaIpfs]], [alphaIpfs.toString(), [betaIpfs]]]),
    clusterLinks: new Map([[beta.toString(), [alpha]], [alpha.toString(), [beta]]]),
    clusterTrustLinks: new Map([[beta.toString(), true], [alpha.toString(), false]]),
    clusterToIpfs: new Map(members.map(({ id, ipfs }) => [id.toString(), ipfs]))
  })

  metricNames = (): readonly string[] => ['tag:group', 'pinqueue', 'freespace', 'ping']
  metrics = (name: string): readonly Metric[] => this.metricNames().includes(name) ? members.map(({ id }) => this.#metric(name, id)) : []
  #metric (name: string, peer: PeerId): Metric {
    const value = name === 'freespace' ? '4999978492' : name === 'ping' ? '{"peer_name":"x"}' : name === 'tag:group' ? 'default' : '0'
    const now = BigInt(this.now()) * 1_000_000n
    return { name, peer, value, expire: now + 20_500_000_001n, valid: true, weight: name === 'freespace' ? 4999978492n : 0n, partitionable: name === 'tag:group', receivedAt: now + 1n }
  }

  raised: readonly Alert[] = []
  alerts = (): readonly Alert[] => this.raised
  alert (): Alert { return { ...this.#metric('ping', beta), expire: BigInt(this.now() - 5000) * 1_000_000n, triggeredAt: this.now() - 3000 } }

  sync = (): ReturnType<Cluster['sync']> => ({ heads: 1, height: 7, synced: 7, known: 9, queue: 2, wanted: 1, dirty: true, pins: this.pinCount(), pinQueued: 2, pinning: 1, pinError: 0 })
  storage = async (): ReturnType<Cluster['storage']> => ({ kind: 'helia', repoSize: 1000n, storageMax: 2n ** 60n })
  bandwidth = (): ReturnType<Cluster['bandwidth']> => new Map([['', { totalIn: 238n, totalOut: 238n, rateIn: 0, rateOut: 0 }], ['/ipfs/bitswap/1.2.0', { totalIn: 4200n, totalOut: 2n ** 60n + 1n, rateIn: 4023.39, rateOut: 7410.72 }]])

  async repoGc ({ local = false }: LocalOptions = {}): Promise<ReadonlyMap<string, RepoGc>> {
    const key = { key: CID.parse('bafkreibpmsjuqdvcgjat6job2dyepgswvawrnlda6vlolommnivog6v5ky'), error: '' }
    return new Map(members.filter(({ id }) => !local || id.equals(alpha)).map(({ id, name }) => [id.toString(), { peer: id, peerName: name, keys: name === 'beta' || local ? [] : [key], error: '' }]))
  }

  readonly emitter = new ClusterEmitter()
  /** How many listen. */
  listeners = 0
  addEventListener: Cluster['addEventListener'] = (type, listener) => { this.listeners++; this.emitter.addEventListener(type, listener) }
  removeEventListener: Cluster['removeEventListener'] = (type, listener) => { this.listeners--; this.emitter.removeEventListener(type, listener) }
}
