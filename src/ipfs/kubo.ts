/** Drives a kubo daemon over its HTTP API (behaviour.md §5, config.md §7). Built on `fetch`: kubo-rpc-client costs 25 MB and hides the progress of pins. */
import { InvalidConfigError } from '../errors.ts'
import { inlineBlock, maxBlockSize } from './block.ts'
import { batches } from './batches.ts'
import { BlockMismatchError, BlockNotFoundError, UnpinDisabledError } from './errors.ts'
import { decodeBlockPut, decodeGcLine, decodeId, decodePinCount, decodePinKey, decodePinLine, decodePinProgress, decodeRepoStat, decodeResolved, decodeSwarmPeers } from './kubo-answers.ts'
import { blockPutPath, multipartOf } from './kubo-blocks.ts'
import { ProgressWatch } from './progress-watch.ts'
import { IpfsError, IpfsUnreachableError, KuboHttp } from './kubo-http.ts'
import { systemClock } from '../component.ts'
import { newMeasures } from '../observations/measures.ts'
import type { Measures } from '../observations/measures.ts'
import { equals } from 'multiformats/bytes'
import type { CID } from 'multiformats/cid'
import type { AbortOptions, Clock, ComponentLogger, Logger } from '../component.ts'
import type { IpfsId, RepoGcKey, RepoStat } from '../cluster/types.ts'
import type { Pin } from '../pin/pin.ts'
import type { Block, IpfsConnector, IpfsPinStatus, PinProgressOptions } from './ipfs.ts'
import type { KuboCall, KuboPost } from './kubo-http.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

/** Times in ms (config.md §7). */
export interface KuboOptions {
  /** Longest time a pin may go without a new block. @default 2 minutes */
  readonly pinTimeout?: number | undefined
  /** @default 3 hours */
  readonly unpinTimeout?: number | undefined
  /** @default 24 hours */
  readonly repoGcTimeout?: number | undefined
  /** For everything else. @default 5 minutes */
  readonly requestTimeout?: number | undefined
  /** Refuse to unpin. @default false */
  readonly unpinDisable?: boolean | undefined
  /** How requests are posted. @default fetch */
  readonly post?: KuboPost | undefined
}

export interface KuboComponents {
  readonly logger: ComponentLogger
  readonly clock?: Clock | undefined
  /** @default nobody reads them */
  readonly measures?: Measures | undefined
}

const minute = 60_000
const maxOrigins = 10
/** For pins whose content should be here. */
const localPinTimeout = 10_000
/** Bytes of blocks in one `block/put`. */
const putBatch = 4 * 1024 * 1024

/** The HTTP origin of a `node_multiaddress`: `/ip4/…`, `/ip6/…` or `/dns*` with `/tcp`, and `/http` or `/https` behind it. */
export function originOf (address: Multiaddr): string {
  const parts = address.getComponents()
  const host = parts[0]?.value
  const port = parts.find(({ name }) => name === 'tcp')?.value
  if (host === undefined || port === undefined) throw new InvalidConfigError('ipfs_connector.ipfshttp.node_multiaddress', `${address} is not a host with a TCP port`)
  const scheme = parts.some(({ name }) => name === 'https' || name === 'tls') ? 'https' : 'http'
  return `${scheme}://${parts[0]?.name === 'ip6' ? `[${host}]` : host}:${port}`
}

export class KuboConnector implements IpfsConnector {
  readonly #http: KuboHttp
  readonly #options: KuboOptions
  readonly #log: Logger
  readonly #measures: Measures
  readonly #pinTimeout: number
  readonly #requestTimeout: number
  readonly #background = new Set<Promise<void>>()
  readonly #stopped = new AbortController()

  constructor (node: Multiaddr, components: KuboComponents, options: KuboOptions = {}) {
    this.#http = new KuboHttp(originOf(node), { post: options.post, clock: components.clock ?? systemClock })
    this.#options = options
    this.#log = components.logger.forComponent('ipfshttp')
    this.#measures = components.measures ?? newMeasures()
    this.#pinTimeout = options.pinTimeout ?? 2 * minute
    this.#requestTimeout = options.requestTimeout ?? 5 * minute
  }

  async start (): Promise<void> {}

  async stop (): Promise<void> {
    this.#stopped.abort(new Error('the IPFS connector has stopped'))
    await Promise.all(this.#background)
  }

  #call ({ signal }: AbortOptions = {}, timeout = this.#requestTimeout): KuboCall { return { signal, timeout } }

  async id (options?: AbortOptions): Promise<IpfsId> {
    return decodeId(await this.#http.value('id', this.#call(options)))
  }

  async pin (pin: Pin, options: PinProgressOptions = {}): Promise<void> {
    this.#connectOrigins(pin.origins)
    if (pin.pinUpdate === undefined || !await this.#update(pin.pinUpdate, pin, options)) {
      this.#measures.pinRequests++
      try {
        await this.#add(pin, options)
      } catch (error) {
        this.#measures.pinErrors++
        throw error
      }
    }
    this.#measures.ipfsPins++
  }

  /** Kubo takes them one after another, and ends at the first whose root is not here. Missing blocks below a root it fetches all the same: hence the short time. */
  async pinLocal (cids: readonly CID[], options?: AbortOptions): Promise<void> {
    const path = `pin/add?${cids.map((cid) => `arg=${cid}`).join('&')}&recursive=true&offline=true`
    const pinned = decodePinCount(await this.#http.value(path, this.#call(options, Math.min(localPinTimeout, this.#pinTimeout))))
    if (pinned !== cids.length) throw new IpfsUnreachableError(`IPFS pinned ${pinned} of ${cids.length} pins`)
    this.#measures.pinRequests += pinned
    this.#measures.ipfsPins += pinned
  }

  /** Pins by difference to `from`; false where that is not possible. */
  async #update (from: CID, pin: Pin, options: AbortOptions): Promise<boolean> {
    try {
      if (await this.pinStatus({ ...pin, cid: from, maxDepth: -1 }, options) !== 'recursive') return false
      await this.#http.value(`pin/update?arg=${from}&arg=${pin.cid}&unpin=false`, this.#call(options))
      return true
    } catch (error) {
      options.signal?.throwIfAborted()
      this.#log.warn('updating the pin %s to %s failed, pinning it anew: %s', from, pin.cid, error)
      return false
    }
  }

  /** Kubo itself knows what is pinned already: no question before. */
  async #add ({ cid, maxDepth }: Pin, { signal, onProgress }: PinProgressOptions): Promise<void> {
    const depth = maxDepth > 0 ? `&max-depth=${maxDepth}` : ''
    const progress = new ProgressWatch(cid, this.#pinTimeout, signal)
    let done = false
    try {
      for await (const line of this.#http.values(`pin/add?arg=${cid}&recursive=${maxDepth !== 0}${depth}&progress=true`, { signal: progress.signal, timeout: Infinity })) {
        const step = decodePinProgress(line)
        done ||= step.done
        if (progress.grew(step.blocks)) onProgress?.(step.blocks, step.bytes)
      }
    } finally {
      progress.clear()
    }
    if (!done) throw new IpfsUnreachableError(`IPFS ended the pin of ${cid} without an answer`)
  }

  #connectOrigins (origins: readonly Multiaddr[]): void {
    for (const origin of origins.slice(0, maxOrigins)) {
      const connecting = this.swarmConnect([origin], { signal: this.#stopped.signal })
        .catch((error: unknown) => { this.#log.debug('could not connect to origin %s: %s', origin, error) })
        .finally(() => { this.#background.delete(connecting) })
      this.#background.add(connecting)
    }
  }

  async unpin (cid: CID, options?: AbortOptions): Promise<void> {
    if (this.#options.unpinDisable === true) throw new UnpinDisabledError()
    try {
      await this.#http.value(`pin/rm?arg=${cid}`, this.#call(options, this.#options.unpinTimeout ?? 180 * minute))
      this.#measures.ipfsPins--
    } catch (error) {
      if (!(error instanceof IpfsError && error.reason.includes('not pinned or pinned indirectly'))) throw error
    }
  }

  async pinStatus ({ cid, maxDepth }: Pin, options?: AbortOptions): Promise<IpfsPinStatus> {
    const type = maxDepth === 0 ? 'direct' : 'recursive'
    let pinned = false
    try {
      // Read to the end: a connection left in the middle of an answer is lost.
      for await (const line of this.#http.values(`pin/ls?stream=true&arg=${cid}&type=${type}`, this.#call(options))) pinned ||= decodePinLine(line).type === type
      return pinned ? type : 'unpinned'
    } catch (error) {
      if (error instanceof IpfsError && error.reason.endsWith('not pinned')) return 'unpinned'
      throw error
    }
  }

  async * pins (options?: AbortOptions): AsyncGenerator<{ readonly cid: CID, readonly status: IpfsPinStatus }> {
    for await (const { lines, status } of this.#pinLines(options)) for (const line of lines) yield { cid: decodePinLine(line).cid, status }
  }

  async * pinnedKeys (options?: AbortOptions): AsyncGenerator<ReadonlyArray<readonly [key: string, status: IpfsPinStatus]>> {
    for await (const { lines, status } of this.#pinLines(options)) yield lines.map((line) => [decodePinKey(line), status])
  }

  /** Lines of all pins, as many at a time as came. Once all were taken it is known how many there are. */
  async * #pinLines (options?: AbortOptions): AsyncGenerator<{ readonly lines: readonly unknown[], readonly status: IpfsPinStatus }> {
    let total = 0
    for (const status of ['recursive', 'direct'] as const) {
      for await (const lines of this.#http.valueChunks(`pin/ls?stream=true&type=${status}`, this.#call(options))) {
        total += lines.length
        yield { lines, status }
      }
    }
    this.#measures.ipfsPins = total
  }

  async repoStat (options?: AbortOptions): Promise<RepoStat> {
    return decodeRepoStat(await this.#http.value('repo/stat?size-only=true', this.#call(options)))
  }

  async * repoGc (options?: AbortOptions): AsyncGenerator<RepoGcKey> {
    for await (const line of this.#http.values('repo/gc?stream-errors=true', this.#call(options, this.#options.repoGcTimeout ?? 24 * 60 * minute))) yield decodeGcLine(line)
  }

  async swarmConnect (addresses: readonly Multiaddr[], options?: AbortOptions): Promise<void> {
    await Promise.all(addresses.map((address) => this.#http.value(`swarm/connect?arg=${encodeURIComponent(address.toString())}`, this.#call(options))))
  }

  async swarmPeers (options?: AbortOptions): Promise<readonly PeerId[]> {
    return decodeSwarmPeers(await this.#http.value('swarm/peers', this.#call(options)))
  }

  async resolve (path: string, options?: AbortOptions): Promise<CID> {
    return decodeResolved(await this.#http.value(`resolve?arg=${encodeURIComponent(path)}`, this.#call(options)))
  }

  async * blockPutStream (blocks: AsyncIterable<Block>, options?: AbortOptions): AsyncGenerator<CID> {
    for await (const batch of batches(blocks, ({ bytes }) => bytes.length, putBatch)) {
      for (const [path, group] of Map.groupBy(batch.filter(({ cid }) => inlineBlock(cid) === undefined), blockPutPath)) yield * this.#put(path, group, options)
      for (const { cid } of batch) if (inlineBlock(cid) !== undefined) yield cid
    }
  }

  /** One request with all these blocks. */
  async * #put (path: string, blocks: readonly Block[], options?: AbortOptions): AsyncGenerator<CID> {
    let stored = 0
    this.#measures.blockPuts++
    try {
      for await (const line of this.#http.values(path, { ...this.#call(options), ...multipartOf(blocks) })) {
        const asked = blocks[stored++]
        const cid = decodeBlockPut(line)
        if (asked === undefined || !equals(asked.cid.multihash.bytes, cid.multihash.bytes)) throw new BlockMismatchError(asked?.cid ?? cid)
        this.#measures.blocksAdded++
        this.#measures.bytesAdded += asked.bytes.length
        yield asked.cid
      }
      if (stored < blocks.length) throw new IpfsUnreachableError(`IPFS stored ${stored} of ${blocks.length} blocks`)
    } catch (error) {
      this.#measures.blockPutErrors++
      throw error
    }
  }

  async blockGetLocal (cid: CID, options?: AbortOptions): Promise<Uint8Array | undefined> {
    const inline = inlineBlock(cid)
    if (inline !== undefined) return inline
    try {
      return await this.#http.all(`block/get?arg=${cid}&offline=true`, this.#call(options), 2 * maxBlockSize)
    } catch (error) {
      if (error instanceof IpfsError && /not find|not found/.test(error.reason)) return undefined
      throw error
    }
  }

  async blockGet (cid: CID, options?: AbortOptions): Promise<Uint8Array> {
    try {
      return inlineBlock(cid) ?? await this.#http.all(`block/get?arg=${cid}`, this.#call(options), 2 * maxBlockSize)
    } catch (error) {
      if (error instanceof IpfsError && /not find|not found/.test(error.reason)) throw new BlockNotFoundError(cid, { cause: error })
      throw error
    }
  }
}
