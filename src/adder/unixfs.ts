/** The adder: allocates at the first block, streams the blocks as they are made, pins the root (behaviour.md §4, rest-api.md §5). */
import { depthOf } from '../pin/pin.ts'
import { BlockStreamer } from './block-streamer.ts'
import { CarImport } from './car-import.ts'
import { Channel } from './channel.ts'
import { UnixFsImport } from './unixfs-import.ts'
import type { AddEntry, Added, Adder, AddOptions } from './adder.ts'
import type { AbortOptions, Clock, ComponentLogger } from '../component.ts'
import type { Block } from '../ipfs/ipfs.ts'
import type { ImportedNode } from './unixfs-import.ts'
import type { Pin, PinOptions } from '../pin/pin.ts'
import type { RpcClient } from '../rpc/rpc.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

export interface AdderComponents {
  readonly self: PeerId
  readonly rpc: Pick<RpcClient, 'stream'>
  /** Where the blocks go: the allocations, or every peer that is alive. */
  readonly allocate: (options: PinOptions) => readonly PeerId[] | Promise<readonly PeerId[]>
  /** Commits a pin whose allocations are set. */
  readonly pin: (pin: Pin, options?: AbortOptions) => Promise<unknown>
  readonly logger: ComponentLogger
  readonly clock?: Clock | undefined
}

/** Objects that wait for whoever reads the output. */
const outputLimit = 64

/** Adds UnixFS content and CARs. */
export const createAdder = (components: AdderComponents): Adder => ({ add: (entries, options) => new Adding(components, options).run(entries) })

/** One request. */
class Adding {
  readonly #components: AdderComponents
  readonly #options: AddOptions
  readonly #output = new Channel<Added>(outputLimit)
  readonly #abort = new AbortController()
  #allocating: Promise<{ readonly allocations: readonly PeerId[], readonly streamer: BlockStreamer }> | undefined
  #allocations: readonly PeerId[] = []

  constructor (components: AdderComponents, options: AddOptions) {
    this.#components = components
    this.#options = options
  }

  async * run (entries: AsyncIterable<AddEntry>): AsyncGenerator<Added> {
    const { signal } = this.#options
    signal?.throwIfAborted()
    const onAbort = (): void => { this.#abort.abort(signal?.reason) }
    signal?.addEventListener('abort', onAbort, { once: true })
    const working = this.#work(entries).then(() => { this.#output.end() }, (error: unknown) => { this.#output.end(error) })
    try {
      yield * this.#output
    } finally {
      // Whoever stops reading stops the adding.
      this.#abort.abort(new Error('adding was given up'))
      signal?.removeEventListener('abort', onAbort)
      await working
    }
  }

  async #work (entries: AsyncIterable<AddEntry>): Promise<void> {
    try {
      const { format, wrapWithDirectory = false } = this.#options
      const put = (block: Block): Promise<void> => this.#put(block)
      const emit = (node: ImportedNode): Promise<void> => this.#emit(node)
      const content = format === 'car' ? new CarImport(wrapWithDirectory, put, emit) : new UnixFsImport(this.#options, put, emit)
      for await (const entry of entries) {
        this.#abort.signal.throwIfAborted()
        await content.add(entry)
      }
      const root = await content.finish()
      await (await this.#allocating)?.streamer.finish()
      this.#abort.signal.throwIfAborted()
      if (root !== undefined && this.#options.noPin !== true) await this.#pin(root)
    } catch (error) {
      const opened = await this.#allocating?.catch(() => undefined)
      await opened?.streamer.abort(error)
      throw error
    }
  }

  async #put (block: Block): Promise<void> {
    this.#abort.signal.throwIfAborted()
    this.#allocating ??= this.#allocate()
    const { streamer } = await this.#allocating
    await streamer.put(block)
  }

  /** Once, at the first block. */
  async #allocate (): Promise<{ readonly allocations: readonly PeerId[], readonly streamer: BlockStreamer }> {
    const { self, rpc, logger, clock } = this.#components
    const { pin, local } = this.#options
    let allocations = await this.#components.allocate({ ...pin, mode: 'recursive' })
    const toSelf = local === true && pin.userAllocations.length === 0 && !allocations.some((peer) => peer.equals(self))
    if (toSelf) allocations = [...allocations.slice(0, -1), self]
    this.#allocations = allocations
    const streamer = new BlockStreamer(local === true ? [self] : allocations, { rpc, logger: logger.forComponent('adder'), clock }, this.#abort.signal)
    return { allocations, streamer }
  }

  async #emit ({ name, cid, bytes, size }: ImportedNode): Promise<void> {
    await this.#output.push({ name, cid, bytes, size, allocations: cid === undefined ? [] : this.#allocations })
  }

  async #pin (cid: CID): Promise<void> {
    const options: PinOptions = { ...this.#options.pin, mode: 'recursive', pinUpdate: undefined }
    await this.#components.pin({ ...options, cid, type: 'pin', allocations: this.#allocations, maxDepth: depthOf('recursive') }, { signal: this.#abort.signal })
  }
}
