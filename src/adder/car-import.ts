/** Adding a CAR: its blocks as they are, its one root the pin (rest-api.md §5.2). */
import { InvalidValueError } from '../errors.ts'
import { matchesCid } from '../ipfs/block.ts'
import { BlockMismatchError } from '../ipfs/errors.ts'
import { readCar } from './car.ts'
import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import * as raw from 'multiformats/codecs/raw'
import type { AddEntry } from './adder.ts'
import type { PutBlock } from './directory.ts'
import type { ImportedNode } from './unixfs-import.ts'
import type { Block } from '../ipfs/ipfs.ts'
import type { CID } from 'multiformats/cid'

const codecs: ReadonlySet<number> = new Set([dagPb.code, raw.code, dagCbor.code])

/** Size of the file a block is the root of; undefined for everything else. */
function fileSize ({ cid, bytes }: Block): number | undefined {
  if (cid.code !== dagPb.code) return undefined
  try {
    const { Data } = dagPb.decode(bytes)
    const unixfs = Data === undefined ? undefined : UnixFS.unmarshal(Data)
    return unixfs?.type === 'file' || unixfs?.type === 'raw' ? Number(unixfs.fileSize()) : undefined
  } catch {
    return undefined
  }
}

export class CarImport {
  readonly #put: PutBlock
  readonly #emit: (node: ImportedNode) => Promise<void>
  #root: CID | undefined

  constructor (wrap: boolean, put: PutBlock, emit: (node: ImportedNode) => Promise<void>) {
    if (wrap) throw new InvalidValueError('wrap-with-directory', 'cannot wrap a CAR file upload')
    this.#put = put
    this.#emit = emit
  }

  async add (entry: AddEntry): Promise<void> {
    if (entry.kind !== 'file' || this.#root !== undefined) throw new InvalidValueError('format', 'a CAR upload is a single file')
    const { roots, blocks } = await readCar(entry.content)
    const [root] = roots
    if (root === undefined || roots.length > 1) throw new Error('only CAR files with a single root are supported')
    this.#root = root
    let bytes = 0
    let size: number | undefined
    for await (const block of blocks) {
      if (!codecs.has(block.cid.code)) throw new InvalidValueError('format', `block ${block.cid} is neither dag-pb nor raw nor dag-cbor`)
      if (!await matchesCid(block.cid, block.bytes)) throw new BlockMismatchError(block.cid)
      bytes += block.bytes.length
      if (block.cid.equals(root)) size = fileSize(block)
      await this.#put(block)
    }
    await this.#emit({ name: entry.path, cid: root, bytes, size })
  }

  async finish (): Promise<CID | undefined> { return this.#root }
}
