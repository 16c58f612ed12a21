/** A connector that keeps everything in memory: for tests, which may make any of its operations fail or wait. */
import { matchesCid, linksOf, inlineBlock } from './block.ts'
import { BlockMismatchError, BlockNotFoundError } from './errors.ts'
import { resolvePath } from './resolve.ts'
import type { AbortOptions } from '../component.ts'
import type { IpfsId, RepoGcKey, RepoStat } from '../cluster/types.ts'
import type { Pin } from '../pin/pin.ts'
import type { Block, IpfsConnector, IpfsPinStatus, PinProgressOptions } from './ipfs.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { CID } from 'multiformats/cid'

export interface MemoryConnectorOptions {
  readonly id?: PeerId | undefined
  readonly addresses?: readonly Multiaddr[] | undefined
  /** Bytes. @default 10 GiB */
  readonly storageMax?: bigint | undefined
  /** True: a pin needs all its blocks, here or from `fetch`. False: any CID can be pinned at once. @default false */
  readonly needsBlocks?: boolean | undefined
  /** Where blocks that are not here come from. @default nowhere */
  readonly fetch?: ((cid: CID, options: AbortOptions) => Promise<Uint8Array | undefined>) | undefined
}

/** Operations that can be made to fail or wait. */
export type MemoryOperation = 'id' | 'pin' | 'unpin' | 'pinStatus' | 'pins' | 'repoStat' | 'repoGc' | 'swarmConnect' | 'swarmPeers' | 'resolve' | 'blockPut' | 'blockGet'

/** Runs before an operation, with its CID if it has one: throw to fail it, return a promise to hold it. */
export type MemoryHook = (cid: CID | undefined, options: PinProgressOptions) => void | Promise<void>

const keyOf = (cid: CID): string => cid.multihash.bytes.join(',')

export class MemoryConnector implements IpfsConnector {
  /** Every call in order, as `operation cid`. */
  readonly calls: string[] = []
  readonly #options: MemoryConnectorOptions
  readonly #hooks = new Map<MemoryOperation, MemoryHook>()
  readonly #pins = new Map<string, { readonly cid: CID, readonly status: 'recursive' | 'direct' }>()
  readonly #blocks = new Map<string, Block>()
  readonly #connected = new Map<string, PeerId>()

  constructor (options: MemoryConnectorOptions = {}) { this.#options = options }

  /** Puts a hook before an operation; none takes it away. */
  before (operation: MemoryOperation, hook?: MemoryHook): void {
    if (hook === undefined) this.#hooks.delete(operation)
    else this.#hooks.set(operation, hook)
  }

  /** Makes an operation fail until called without an error. */
  fail (operation: MemoryOperation, error?: Error): void {
    this.before(operation, error === undefined ? undefined : () => { throw error })
  }

  /** Removes a pin behind the peer's back. */
  losePin (cid: CID): void { this.#pins.delete(cid.toString()) }

  /** Stores a block without any check or hook. */
  addBlock (block: Block): void { this.#blocks.set(keyOf(block.cid), block) }

  /** Blocks held now. */
  get blockCount (): number { return this.#blocks.size }

  /** Connected IPFS peers, as `swarmPeers` shows them. */
  addSwarmPeer (peer: PeerId): void { this.#connected.set(peer.toString(), peer) }

  async #enter (operation: MemoryOperation, cid?: CID, options: PinProgressOptions = {}): Promise<void> {
    this.calls.push(cid === undefined ? operation : `${operation} ${cid}`)
    options.signal?.throwIfAborted()
    const held = this.#hooks.get(operation)?.(cid, options)
    if (held !== undefined) await untilAborted(held, options.signal)
    options.signal?.throwIfAborted()
  }

  async start (): Promise<void> {}
  async stop (): Promise<void> {}

  async id (options?: AbortOptions): Promise<IpfsId> {
    await this.#enter('id', undefined, options)
    return { id: this.#options.id, addresses: this.#options.addresses ?? [], error: '' }
  }

  async pin (pin: Pin, options: PinProgressOptions = {}): Promise<void> {
    await this.#enter('pin', pin.cid, options)
    const status = pin.maxDepth === 0 ? 'direct' : 'recursive'
    if (this.#pins.get(pin.cid.toString())?.status === status) return
    if (this.#options.needsBlocks === true) await this.#fetchDag(pin, options)
    this.#pins.set(pin.cid.toString(), { cid: pin.cid, status })
  }

  async #fetchDag (pin: Pin, { signal, onProgress }: PinProgressOptions): Promise<void> {
    const seen = new Set<string>()
    const queue = [{ cid: pin.cid, depth: 0 }]
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (seen.has(keyOf(next.cid))) continue
      seen.add(keyOf(next.cid))
      const bytes = await this.#find(next.cid, { signal })
      onProgress?.(seen.size, bytes.length)
      if (pin.maxDepth >= 0 && next.depth >= pin.maxDepth) continue
      const depth = next.depth + 1
      queue.push(...linksOf(next.cid, bytes).map((cid) => ({ cid, depth })))
    }
  }

  async unpin (cid: CID, options?: AbortOptions): Promise<void> {
    await this.#enter('unpin', cid, options)
    this.#pins.delete(cid.toString())
  }

  async pinStatus (pin: Pin, options?: AbortOptions): Promise<IpfsPinStatus> {
    await this.#enter('pinStatus', pin.cid, options)
    const held = this.#pins.get(pin.cid.toString())?.status
    return held === (pin.maxDepth === 0 ? 'direct' : 'recursive') ? held : 'unpinned'
  }

  async * pins (options?: AbortOptions): AsyncGenerator<{ readonly cid: CID, readonly status: IpfsPinStatus }> {
    await this.#enter('pins', undefined, options)
    for (const pin of this.#pins.values()) yield pin
  }

  async repoStat (options?: AbortOptions): Promise<RepoStat> {
    await this.#enter('repoStat', undefined, options)
    const sizes = [...this.#blocks.values()].map((block) => block.bytes.length)
    return { repoSize: BigInt(sizes.reduce((sum, size) => sum + size, 0)), storageMax: this.#options.storageMax ?? 10n * 1024n ** 3n }
  }

  async * repoGc (options?: AbortOptions): AsyncGenerator<RepoGcKey> {
    await this.#enter('repoGc', undefined, options)
    const kept = new Set<string>()
    const stack = [...this.#pins.values()].map(({ cid, status }) => ({ cid, follow: status === 'recursive' }))
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (kept.has(keyOf(next.cid))) continue
      const bytes = this.#blocks.get(keyOf(next.cid))?.bytes
      kept.add(keyOf(next.cid))
      if (bytes !== undefined && next.follow) stack.push(...linksOf(next.cid, bytes).map((cid) => ({ cid, follow: true })))
    }
    for (const [key, { cid }] of this.#blocks) {
      if (kept.has(key)) continue
      this.#blocks.delete(key)
      yield { key: cid, error: '' }
    }
  }

  async swarmConnect (addresses: readonly Multiaddr[], options?: AbortOptions): Promise<void> {
    await this.#enter('swarmConnect', undefined, options)
    this.calls.push(...addresses.map((address) => `connected ${address}`))
  }

  async swarmPeers (options?: AbortOptions): Promise<readonly PeerId[]> {
    await this.#enter('swarmPeers', undefined, options)
    return [...this.#connected.values()]
  }

  async resolve (path: string, options: AbortOptions = {}): Promise<CID> {
    await this.#enter('resolve', undefined, options)
    return await resolvePath(path, (cid) => this.#find(cid, options))
  }

  async * blockPutStream (blocks: AsyncIterable<Block>, options?: AbortOptions): AsyncGenerator<CID> {
    for await (const block of blocks) {
      await this.#enter('blockPut', block.cid, options)
      if (!await matchesCid(block.cid, block.bytes)) throw new BlockMismatchError(block.cid)
      this.addBlock(block)
      yield block.cid
    }
  }

  async blockGetLocal (cid: CID, options?: AbortOptions): Promise<Uint8Array | undefined> {
    await this.#enter('blockGet', cid, options)
    return inlineBlock(cid) ?? this.#blocks.get(keyOf(cid))?.bytes
  }

  async blockGet (cid: CID, options: AbortOptions = {}): Promise<Uint8Array> {
    await this.#enter('blockGet', cid, options)
    return await this.#find(cid, options)
  }

  async #find (cid: CID, options: AbortOptions): Promise<Uint8Array> {
    options.signal?.throwIfAborted()
    const here = inlineBlock(cid) ?? this.#blocks.get(keyOf(cid))?.bytes
    if (here !== undefined) return here
    const bytes = await this.#options.fetch?.(cid, options)
    if (bytes === undefined) throw new BlockNotFoundError(cid)
    if (!await matchesCid(cid, bytes)) throw new BlockMismatchError(cid)
    this.addBlock({ cid, bytes })
    return bytes
  }
}

/** `held`, or the signal's reason when that fires first. */
async function untilAborted (held: Promise<void>, signal?: AbortSignal): Promise<void> {
  if (signal === undefined) return await held
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => { reject(signal.reason as Error) }
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try { await Promise.race([held, promise]) } finally { signal.removeEventListener('abort', onAbort) }
}
