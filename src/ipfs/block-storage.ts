/** Where an embedded IPFS keeps its blocks. Blocks are found by multihash: CIDv0 and v1 of one content are one block. */
import { StorageFullError } from './errors.ts'
import { base32 } from 'multiformats/bases/base32'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import type { Block } from './ipfs.ts'

export interface BlockStorage {
  /** Bytes that were checked against the CID; undefined where there are none, or broken ones. */
  get: (cid: CID) => Promise<Uint8Array | undefined>
  /** True where there seem to be such bytes; only `get` checks them. */
  has: (cid: CID) => Promise<boolean>
  /** Survives a kill of the process once it resolves. StorageFullError beyond the limit; a block that is there already costs nothing. */
  put: (block: Block) => Promise<void>
  /** What was put before is on the disk itself when it resolves, and survives power loss. Absent where every `put` does so, or nothing can. */
  readonly sync?: (() => Promise<void>) | undefined
  /** True where it was there. */
  delete: (cid: CID) => Promise<boolean>
  /** Every block, as a raw CIDv1 of its multihash. */
  all: () => AsyncIterable<CID>
  /** Bytes in use. */
  size: () => Promise<bigint>
  /** Bytes that may be in use. */
  readonly storageMax: bigint
  close: () => Promise<void>
}

/** The name of a block: its multihash in base32. */
export const blockKey = (cid: CID): string => base32.encode(cid.multihash.bytes)

/** Ends when the page or process does. */
export class MemoryBlockStorage implements BlockStorage {
  readonly storageMax: bigint
  readonly #blocks = new Map<string, Block>()
  #size = 0n

  constructor (storageMax = 10n * 1024n ** 3n) { this.storageMax = storageMax }

  async get (cid: CID): Promise<Uint8Array | undefined> { return this.#blocks.get(blockKey(cid))?.bytes }

  async has (cid: CID): Promise<boolean> { return this.#blocks.has(blockKey(cid)) }

  async put ({ cid, bytes }: Block): Promise<void> {
    if (this.#blocks.has(blockKey(cid))) return
    const size = this.#size + BigInt(bytes.length)
    if (size > this.storageMax) throw new StorageFullError(this.#size, this.storageMax)
    this.#blocks.set(blockKey(cid), { cid, bytes })
    this.#size = size
  }

  async delete (cid: CID): Promise<boolean> {
    this.#size -= BigInt(this.#blocks.get(blockKey(cid))?.bytes.length ?? 0)
    return this.#blocks.delete(blockKey(cid))
  }

  async * all (): AsyncGenerator<CID> {
    for (const { cid } of this.#blocks.values()) yield CID.createV1(raw.code, cid.multihash)
  }

  async size (): Promise<bigint> { return this.#size }
  async close (): Promise<void> {}
}
