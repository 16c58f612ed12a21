/** The embedded IPFS: own blocks and pins, fed by members and, where it is allowed, by the IPFS network (design.md). */
import { systemClock } from '../component.ts'
import { inlineBlock, matchesCid, maxBlockSize } from './block.ts'
import { batches } from './batches.ts'
import { blockKey } from './block-storage.ts'
import { walkDag } from './dag-walk.ts'
import { BlockMismatchError, BlockNotFoundError, StorageFullError, UnpinDisabledError } from './errors.ts'
import { GcGuard } from './gc-guard.ts'
import { PinRecords } from './pin-records.ts'
import { ProgressWatch } from './progress-watch.ts'
import { resolvePath } from './resolve.ts'
import { newMeasures } from '../observations/measures.ts'
import type { Measures } from '../observations/measures.ts'
import * as raw from 'multiformats/codecs/raw'
import type { BlockStorage } from './block-storage.ts'
import type { AbortOptions, Clock, ComponentLogger, Logger } from '../component.ts'
import type { IpfsId, RepoGcKey, RepoStat } from '../cluster/types.ts'
import type { BlockExchange, FetchOptions } from '../exchange/exchange.ts'
import type { Pin } from '../pin/pin.ts'
import type { Store } from '../store/store.ts'
import type { Block, GcOptions, IpfsConnector, IpfsPinStatus, PinProgressOptions } from './ipfs.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { CID } from 'multiformats/cid'

/** Members who keep content too. */
export interface MemberBlocks extends Pick<BlockExchange, 'fetch'> {
  /** Asks everybody once; undefined when none of them has it. */
  readonly fetchNow: (cid: CID, options?: FetchOptions) => Promise<Uint8Array | undefined>
}

/** The IPFS network beyond the cluster: the kubo of members (`private`), or everybody (`public`). */
export interface ContentNetwork {
  /** Own IPFS identity; addresses only where others may dial. */
  readonly id: () => Promise<IpfsId>
  /** Waits until somebody gives the block, or the signal fires. */
  readonly fetch: (cid: CID, options: AbortOptions & { readonly origins: readonly Multiaddr[] }) => Promise<Uint8Array>
  readonly connect: (addresses: readonly Multiaddr[], options?: AbortOptions) => Promise<void>
  readonly peers: () => readonly PeerId[]
  readonly stop: () => Promise<void>
}

export interface HeliaComponents {
  readonly storage: BlockStorage
  /** Keeps the pins; every key begins with `pin/`. Closed at stop, as the storage is. */
  readonly store: Store
  readonly network: ContentNetwork
  readonly logger: ComponentLogger
  readonly clock?: Clock | undefined
  /** Absent where there are no members to ask. */
  readonly members?: MemberBlocks | undefined
  /** @default nobody reads them */
  readonly measures?: Measures | undefined
}

/** Times in ms. */
export interface HeliaOptions {
  /** Longest time a pin may go without a new block. @default 2 minutes */
  readonly pinTimeout?: number | undefined
  /** For a block that is read and not here. @default 5 minutes */
  readonly requestTimeout?: number | undefined
  /** Blocks that one pin asks for at the same time. @default 32 */
  readonly concurrency?: number | undefined
  /** Remove what no pin reaches when something is put and there is no room. @default false */
  readonly collectWhenFull?: boolean | undefined
  /** Refuse to unpin. @default false */
  readonly unpinDisable?: boolean | undefined
}

/** Where a missing block may come from. */
interface Wanted extends AbortOptions {
  readonly from?: readonly PeerId[] | undefined
  readonly origins?: readonly Multiaddr[] | undefined
}

/** For this long after they were put, in ms, blocks are safe from a collection that keeps recent ones. */
const putGrace = 60_000
/** Bytes of blocks that are written at the same time. */
const putBatch = 8 * 1024 * 1024

export class HeliaConnector implements IpfsConnector {
  readonly #storage: BlockStorage
  readonly #store: Store
  readonly #pins: PinRecords
  readonly #network: ContentNetwork
  readonly #clock: Clock
  readonly #log: Logger
  readonly #options: HeliaOptions
  readonly #measures: Measures
  readonly #guard = new GcGuard()
  /** Keys of blocks that were put a moment ago: their pin may be on its way. */
  readonly #recent = new Set<ReadonlySet<string>>()
  readonly #stopped = new AbortController()
  #members: MemberBlocks | undefined
  #collecting: Promise<void> | undefined
  #stopping: Promise<void> | undefined

  constructor ({ storage, store, network, members, logger, measures = newMeasures(), clock = systemClock }: HeliaComponents, options: HeliaOptions = {}) {
    this.#storage = storage
    this.#store = store
    this.#pins = new PinRecords(store)
    this.#network = network
    this.#members = members
    this.#measures = measures
    this.#clock = clock
    this.#log = logger.forComponent('helia')
    this.#options = options
  }

  /** The exchange serves this connector's blocks, and this connector asks the exchange: whoever is made later is handed over here. */
  useMembers (members: MemberBlocks): void { this.#members = members }

  async start (options?: AbortOptions): Promise<void> { this.#measures.ipfsPins = await this.#pins.load(options) }

  async stop (): Promise<void> {
    this.#stopping ??= this.#close()
    await this.#stopping
  }

  async #close (): Promise<void> {
    this.#stopped.abort(new Error('the IPFS has stopped'))
    await this.#collecting
    try {
      await this.#network.stop()
    } finally {
      try { await this.#storage.close() } finally { await this.#store.close() }
    }
  }

  async id (): Promise<IpfsId> { return await this.#network.id() }

  async pin (pin: Pin, options: PinProgressOptions = {}): Promise<void> {
    const held = await this.#pins.get(pin.cid)
    if (held !== undefined && held < 0 && pin.maxDepth === 0) throw new Error(`pin: ${pin.cid} already pinned recursively`)
    if (held === pin.maxDepth || (held !== undefined && held < 0)) return
    this.#measures.pinRequests++
    const progress = new ProgressWatch(pin.cid, this.#options.pinTimeout ?? 120_000, options.signal)
    const release = this.#guard.protect()
    let bytes = 0
    try {
      await walkDag(pin.cid, (cid, { signal }) => this.#blockFor(pin, cid, signal), {
        maxDepth: pin.maxDepth, concurrency: this.#options.concurrency, signal: progress.signal,
        onVisit: release.visited,
        onBlock: (blocks, block) => {
          bytes += block.length
          if (progress.grew(blocks)) options.onProgress?.(blocks, bytes)
        }
      })
      progress.signal.throwIfAborted()
      // Where the record survives a crash the blocks must, too.
      await this.#storage.sync?.()
      await this.#pins.put(pin.cid, pin.maxDepth)
      if (held === undefined) this.#measures.ipfsPins++
    } catch (error) {
      this.#measures.pinErrors++
      throw error
    } finally {
      progress.clear()
      release.done()
    }
  }

  /** A block of a pin, kept here when it resolves. */
  async #blockFor (pin: Pin, cid: CID, signal: AbortSignal | undefined): Promise<Uint8Array> {
    await this.#guard.deleted(blockKey(cid))
    return await this.#local(cid) ?? await this.#fetched(cid, { signal, from: pin.allocations, origins: pin.origins })
  }

  async #local (cid: CID): Promise<Uint8Array | undefined> { return inlineBlock(cid) ?? await this.#storage.get(cid) }

  /** Fetches a block and stores it. */
  async #fetched (cid: CID, wanted: Wanted): Promise<Uint8Array> {
    const bytes = await this.#remote(cid, wanted)
    await this.#put({ cid, bytes })
    return bytes
  }

  /** Members first; when none of them has it, they and the network are asked until somebody does. */
  async #remote (cid: CID, { signal, from, origins = [] }: Wanted): Promise<Uint8Array> {
    signal?.throwIfAborted()
    const members = this.#members
    const now = await members?.fetchNow(cid, { signal, from })
    if (now !== undefined) return now
    const either = new AbortController()
    const onAbort = (): void => { either.abort(signal?.reason) }
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted === true) onAbort()
    // The network stores what it fetches: a store that is full ends the search among members too.
    let full: unknown
    const network = this.#network.fetch(cid, { signal: either.signal, origins }).catch((error: unknown) => {
      if (error instanceof StorageFullError) either.abort(full = error)
      throw error
    })
    try {
      return await Promise.any([network, ...(members === undefined ? [] : [members.fetch(cid, { signal: either.signal, from })])])
    } catch (error) {
      signal?.throwIfAborted()
      throw full ?? new BlockNotFoundError(cid, { cause: error })
    } finally {
      signal?.removeEventListener('abort', onAbort)
      either.abort(new Error('another source had the block'))
    }
  }

  async #put (block: Block): Promise<void> {
    if (inlineBlock(block.cid) !== undefined) return
    const key = blockKey(block.cid)
    this.#guard.visited(key)
    await this.#guard.deleted(key)
    await this.#storage.put(block)
  }

  async unpin (cid: CID): Promise<void> {
    if (this.#options.unpinDisable === true) throw new UnpinDisabledError()
    if (await this.#pins.delete(cid)) this.#measures.ipfsPins--
  }

  mayHold (cid: CID): boolean { return this.#pins.mayHave(cid) }

  async pinStatus ({ cid, maxDepth }: Pin): Promise<IpfsPinStatus> {
    const held = await this.#pins.get(cid)
    if (held === undefined || (held === 0) !== (maxDepth === 0)) return 'unpinned'
    return held === 0 ? 'direct' : 'recursive'
  }

  async * pins (options?: AbortOptions): AsyncGenerator<{ readonly cid: CID, readonly status: IpfsPinStatus }> {
    let total = 0
    for await (const { cid, maxDepth } of this.#pins.all(options)) {
      total++
      yield { cid, status: maxDepth === 0 ? 'direct' : 'recursive' }
    }
    this.#measures.ipfsPins = total
  }

  async repoStat (): Promise<RepoStat> { return { repoSize: await this.#storage.size(), storageMax: this.#storage.storageMax } }

  /** Removes what no pin reaches. Pins and blocks that come meanwhile are left alone. The set of reached blocks is held in memory (about 100 bytes each). */
  async * repoGc ({ keepRecent = false, ...options }: GcOptions = {}): AsyncGenerator<RepoGcKey> {
    const sweep = this.#guard.beginSweep()
    try {
      if (keepRecent) for (const keys of this.#recent) for (const key of keys) sweep.keep(key)
      for await (const { cid, maxDepth } of this.#pins.all(options)) await this.#mark(cid, maxDepth, sweep.keep, options)
      for await (const cid of this.#storage.all()) {
        options.signal?.throwIfAborted()
        try {
          if (await sweep.remove(blockKey(cid), () => this.#storage.delete(cid))) yield { key: cid, error: '' }
        } catch (error) {
          yield { key: cid, error: error instanceof Error ? error.message : String(error) }
        }
      }
    } finally {
      sweep.end()
    }
  }

  /** A block that is missing or does not parse keeps nothing below it; one that links to nothing is not even read. */
  async #mark (root: CID, maxDepth: number, keep: (key: string) => void, { signal }: AbortOptions): Promise<void> {
    await walkDag(root, async (cid) => {
      if (cid.code === raw.code) return undefined
      const bytes = await this.#local(cid)
      if (bytes === undefined) this.#log.warn('block %s of the pin %s is missing', cid, root)
      return bytes
    }, { maxDepth, signal, onVisit: keep, concurrency: 8, ignoreBroken: true })
  }

  async swarmConnect (addresses: readonly Multiaddr[], options?: AbortOptions): Promise<void> { await this.#network.connect(addresses, options) }

  async swarmPeers (): Promise<readonly PeerId[]> { return this.#network.peers() }

  async resolve (path: string, options: AbortOptions = {}): Promise<CID> {
    return await resolvePath(path, (cid, get) => this.blockGet(cid, get), options)
  }

  async * blockPutStream (blocks: AsyncIterable<Block>, { signal }: AbortOptions = {}): AsyncGenerator<CID> {
    const keys = new Set<string>()
    this.#recent.add(keys)
    this.#measures.blockPuts++
    try {
      for await (const batch of batches(blocks, ({ bytes }) => bytes.length, putBatch)) {
        signal?.throwIfAborted()
        await Promise.all(batch.map(async ({ cid, bytes }) => {
          if (bytes.length > maxBlockSize || !await matchesCid(cid, bytes)) throw new BlockMismatchError(cid)
          keys.add(blockKey(cid))
          await this.#put({ cid, bytes })
        }))
        await this.#storage.sync?.()
        for (const { cid, bytes } of batch) {
          this.#measures.blocksAdded++
          this.#measures.bytesAdded += bytes.length
          yield cid
        }
      }
    } catch (error) {
      this.#measures.blockPutErrors++
      this.#recent.delete(keys)
      if (error instanceof StorageFullError && this.#options.collectWhenFull === true) this.#collecting ??= this.#collect().finally(() => { this.#collecting = undefined })
      throw error
    } finally {
      // Whoever stopped listening may pin all the same.
      if (this.#recent.has(keys)) void this.#clock.sleep(putGrace, { signal: this.#stopped.signal }).catch(() => {}).finally(() => { this.#recent.delete(keys) })
    }
  }

  /** Never rejects. */
  async #collect (): Promise<void> {
    try {
      let removed = 0
      for await (const { error } of this.repoGc({ signal: this.#stopped.signal, keepRecent: true })) if (error === '') removed++
      this.#log.info('the store was full: %d blocks that no pin reaches were removed', removed)
    } catch (error) {
      if (!this.#stopped.signal.aborted) this.#log.warn('the store is full and could not be tidied: %s', error)
    }
  }

  async blockGetLocal (cid: CID): Promise<Uint8Array | undefined> { return await this.#local(cid) }

  async blockGet (cid: CID, { signal }: AbortOptions = {}): Promise<Uint8Array> {
    signal?.throwIfAborted()
    return await this.#local(cid) ?? await this.#read(cid, signal)
  }

  /** What is read stays here until the next collection; a full store only reads. */
  async #read (cid: CID, outer?: AbortSignal): Promise<Uint8Array> {
    const deadline = AbortSignal.timeout(this.#options.requestTimeout ?? 300_000)
    const signal = outer === undefined ? deadline : AbortSignal.any([outer, deadline])
    try {
      const bytes = await this.#remote(cid, { signal })
      await this.#put({ cid, bytes }).catch((error: unknown) => {
        if (!(error instanceof StorageFullError)) throw error
      })
      return bytes
    } catch (error) {
      if (deadline.aborted) throw new BlockNotFoundError(cid, { cause: error })
      throw error
    }
  }
}
