/**
 * The typed client of the REST API, for Node and browsers: the door `pinswarm/client`.
 *
 * @example
 * const client = new ClusterClient({ url: 'http://127.0.0.1:9094' })
 * for await (const added of client.add([{ kind: 'file', path: 'hello.txt', content: new Blob(['hello']) }])) console.log(added.cid)
 */
import { JsonClient } from './client/json-client.ts'
import { nodeOf } from './client/content.ts'
import { waitForStatus } from './client/wait.ts'
import { ApiError } from './errors.ts'
import { addedFromJson, bandwidthFromJson, graphFromJson, repoGcFromJson } from './json/cluster.ts'
import { eventFromJson, storageFromJson, syncFromJson } from './json/events.ts'
import { inviteFromJson } from './json/invite.ts'
import { alertFromJson, metricFromJson } from './json/metric.ts'
import { peerInfoFromJson } from './json/peer.ts'
import { globalPinInfoFromJson } from './json/status.ts'
import { asText, parseJson } from './json/json.ts'
import { pinFromJson } from '../pin/pin-json.ts'
import { formatStatusFilter } from '../pin/status.ts'
import type { Added } from '../adder/adder.ts'
import type { Bandwidth, ConnectGraph, PeerInfo, RepoGc, StorageState, SyncState } from '../cluster/types.ts'
import type { AbortOptions } from '../component.ts'
import type { Alert, Metric } from '../monitor/metric.ts'
import type { GlobalPinInfo } from '../pin/pin-info.ts'
import type { Pin, PinType } from '../pin/pin.ts'
import type { StatusFilter } from '../pin/status.ts'
import type { AddCallOptions, ClientOptions, ScopeOptions } from './client/json-client.ts'
import type { RemoteNode } from './client/content.ts'
import type { Identifier, InviteRequest, PinRequest } from './client/query.ts'
import type { WaitOptions } from './client/wait.ts'
import type { ApiEvent } from './events.ts'
import type { Invite } from './json/invite.ts'
import type { Json } from './json/json.ts'
import type { UploadEntry } from './multipart/writer.ts'

export { JsonClient } from './client/json-client.ts'
export { localTransport, webTransport } from './client/transport.ts'
export { WaitFailedError } from './client/wait.ts'
export { ApiError } from './errors.ts'
export type { ApiEvent } from './events.ts'
export type { AddCallOptions, ClientOptions, ScopeOptions } from './client/json-client.ts'
export type { DirectoryEntry, RemoteNode } from './client/content.ts'
export type { AddRequest, Identifier, InviteRequest, PinRequest } from './client/query.ts'
export type { Invite } from './json/invite.ts'
export type { ClientRequest, ClientResponse, Transport } from './client/transport.ts'
export type { WaitOptions } from './client/wait.ts'
export type { Content, UploadEntry } from './multipart/writer.ts'

async function * mapped<T> (items: AsyncIterable<Json>, decode: (item: Json) => T): AsyncGenerator<T> {
  for await (const item of items) yield decode(item)
}

/** Calls a peer. Failures are `ApiError`; streams throw at their end when they were cut. A call ends with its signal's reason. */
export class ClusterClient {
  /** The same calls with answers as plain JSON. */
  readonly json: JsonClient

  constructor (options: ClientOptions = {}) { this.json = new JsonClient(options) }

  async id (options?: AbortOptions): Promise<PeerInfo> { return peerInfoFromJson(await this.json.id(options)) }
  async version (options?: AbortOptions): Promise<string> { return asText((await this.json.version(options))['version'], 'version') }
  /** Every member; one that does not answer has `error`. */
  peers (options?: AbortOptions): AsyncIterable<PeerInfo> { return mapped(this.json.peers(options), peerInfoFromJson) }
  async peerAdd (peer: Identifier, options?: AbortOptions): Promise<PeerInfo> { return peerInfoFromJson(await this.json.peerAdd(peer, options)) }
  async peerRemove (peer: Identifier, options?: AbortOptions): Promise<void> { await this.json.peerRemove(peer, options) }

  /** Pins a CID, or what an /ipfs/, /ipns/ or /ipld/ path leads to. */
  async pin (target: Identifier, pin?: PinRequest, options?: AbortOptions): Promise<Pin> { return pinFromJson(await this.json.pin(target, pin, options)) }
  /** Returns the pin that was removed. */
  async unpin (target: Identifier, options?: AbortOptions): Promise<Pin> { return pinFromJson(await this.json.unpin(target, options)) }
  async pinGet (cid: Identifier, options?: AbortOptions): Promise<Pin> { return pinFromJson(await this.json.allocation(cid, options)) }
  pins ({ types = [], signal }: AbortOptions & { readonly types?: readonly PinType[] | undefined } = {}): AsyncIterable<Pin> {
    return mapped(this.json.allocations({ signal, filter: types.length === 0 ? 'all' : types.join(',') }), pinFromJson)
  }

  async status (cid: Identifier, options?: ScopeOptions): Promise<GlobalPinInfo> { return globalPinInfoFromJson(await this.json.status(cid, options)) }
  /** `filter`: bits of statuses (`parseStatusFilter`); with `cids` only those. */
  statusAll ({ filter = 0, ...options }: ScopeOptions & { readonly filter?: StatusFilter | undefined, readonly cids?: readonly Identifier[] | undefined } = {}): AsyncIterable<GlobalPinInfo> {
    return mapped(this.json.statusAll({ ...options, filter: formatStatusFilter(filter) }), globalPinInfoFromJson)
  }

  async recover (cid: Identifier, options?: ScopeOptions): Promise<GlobalPinInfo> { return globalPinInfoFromJson(await this.json.recover(cid, options)) }
  recoverAll (options?: ScopeOptions): AsyncIterable<GlobalPinInfo> { return mapped(this.json.recoverAll(options), globalPinInfoFromJson) }

  /** Asks until `limit` peers (0 = all that are to) have the status. WaitFailedError when one of them says it failed. */
  async waitFor (cid: Identifier, status: 'pinned' | 'unpinned', options: WaitOptions = {}): Promise<GlobalPinInfo> {
    return globalPinInfoFromJson(await waitForStatus(async () => await this.json.status(cid, { signal: options.signal }), status, options))
  }

  /** Uploads entries, depth first, and yields what was added as it is; the last one is the root. Arrays of Blobs and bytes go out as one Blob, which every browser can send. */
  add (entries: readonly UploadEntry[] | AsyncIterable<UploadEntry>, options?: AddCallOptions): AsyncIterable<Added> { return mapped(this.json.add(entries, options), addedFromJson) }

  /** What is at `<cid>[/path]`. */
  async get (target: Identifier, options?: AbortOptions): Promise<RemoteNode> { return await nodeOf(await this.json.content(target, options)) }
  /** The bytes of a file. Throws at their end when the answer was cut. */
  async * cat (target: Identifier, options?: AbortOptions & { readonly offset?: bigint | number | undefined }): AsyncIterable<Uint8Array> {
    const node = await nodeOf(await this.json.content(target, options))
    if (node.kind !== 'file') throw new ApiError(0, `${target.toString()} is a ${node.kind}`)
    yield * node.content
  }

  async repoGc (options?: ScopeOptions): Promise<ReadonlyMap<string, RepoGc>> { return repoGcFromJson(await this.json.repoGc(options)) }
  async graph (options?: AbortOptions): Promise<ConnectGraph> { return graphFromJson(await this.json.graph(options)) }
  async alerts (options?: AbortOptions): Promise<readonly Alert[]> { return (await this.json.alerts(options)).map(alertFromJson) }
  async bandwidth (options?: AbortOptions): Promise<ReadonlyMap<string, Bandwidth>> { return bandwidthFromJson(await this.json.bandwidth(options)) }
  async metricNames (options?: AbortOptions): Promise<readonly string[]> { return await this.json.metricNames(options) }
  async metrics (name: string, options?: AbortOptions): Promise<readonly Metric[]> { return (await this.json.metrics(name, options)).map(metricFromJson) }
  /** How far the peer's pinset has come. */
  async sync (options?: AbortOptions): Promise<SyncState> { return syncFromJson(await this.json.sync(options)) }
  /** Where the peer keeps content, and what room it has. */
  async storage (options?: AbortOptions): Promise<StorageState> { return storageFromJson(await this.json.storage(options)) }
  /** A link by which a browser joins. The secret is in it only where this client may have it. */
  async invite (request?: InviteRequest & AbortOptions): Promise<Invite> { return inviteFromJson(await this.json.invite(request)) }
  /** What happens at the peer, as it happens; of these types, or of all. Ends when the connection does: read the state anew and listen again. */
  async * events ({ types = [], signal }: AbortOptions & { readonly types?: ReadonlyArray<ApiEvent['type']> | undefined } = {}): AsyncGenerator<ApiEvent> {
    for await (const { type, data } of this.json.events({ types, signal })) {
      const event = eventFromJson(type, parseJson(data))
      if (event !== undefined) yield event
    }
  }

  /** A token that stands for the credentials of this client. */
  async token (options?: AbortOptions): Promise<string> { return await this.json.token(options) }
}
