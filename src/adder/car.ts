/** Reads a CAR (version 1) from a stream, with bounds, one block at a time. */
import { DecodeError } from '../errors.ts'
import { maxBlockSize } from '../ipfs/block.ts'
import { concat } from '../bytes.ts'
import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import type { Block } from '../ipfs/ipfs.ts'

const maxHeader = 64 * 1024
const maxCid = 512
/** Bytes of a length: more than any that is allowed. */
const maxVarint = 5

/** Takes exact numbers of bytes out of chunks. */
class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>
  #rest: Uint8Array = new Uint8Array()

  constructor (source: AsyncIterable<Uint8Array>) { this.#chunks = source[Symbol.asyncIterator]() }

  /** False at the end of the stream. */
  async #more (): Promise<boolean> {
    const next = await this.#chunks.next()
    if (next.done === true) return false
    this.#rest = next.value
    return true
  }

  async take (length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    for (let missing = length; missing > 0;) {
      if (this.#rest.length === 0 && !await this.#more()) throw new DecodeError('CAR: unexpected end')
      const part = this.#rest.subarray(0, missing)
      this.#rest = this.#rest.subarray(part.length)
      missing -= part.length
      parts.push(part)
    }
    return concat(parts)
  }

  /** Undefined where the stream ends before its first byte. */
  async varint (): Promise<number | undefined> {
    while (this.#rest.length === 0) if (!await this.#more()) return undefined
    let value = 0
    for (let index = 0; index < maxVarint; index++) {
      const [byte = 0] = await this.take(1)
      value += (byte & 0x7f) * 2 ** (7 * index)
      if (byte < 0x80) return value
    }
    throw new DecodeError('CAR: not a length')
  }

  async close (): Promise<void> { await this.#chunks.return?.() }
}

function rootsIn (header: Uint8Array): readonly CID[] {
  let value: unknown
  try {
    value = dagCbor.decode(header)
  } catch (error) {
    throw new DecodeError('CAR: the header does not parse', { cause: error })
  }
  const { version, roots } = typeof value === 'object' && value !== null ? value as { readonly version?: unknown, readonly roots?: unknown } : {}
  if (version !== 1) throw new DecodeError(`CAR: version ${String(version)} is not supported, only 1`)
  if (!Array.isArray(roots)) throw new DecodeError('CAR: no roots')
  return roots.map((root: unknown) => {
    const cid = CID.asCID(root)
    if (cid === null) throw new DecodeError('CAR: a root is not a CID')
    return cid
  })
}

function blockIn (section: Uint8Array): Block {
  try {
    const [cid, bytes] = CID.decodeFirst(section)
    if (cid.bytes.length > maxCid || bytes.length > maxBlockSize) throw new Error('too long')
    return { cid, bytes }
  } catch (error) {
    throw new DecodeError('CAR: a section does not begin with a CID', { cause: error })
  }
}

export interface CarContent {
  readonly roots: readonly CID[]
  /** In the order of the file; their bytes are not checked here. */
  readonly blocks: AsyncIterable<Block>
}

/** DecodeError at what is not a CAR, here or while reading the blocks. */
export async function readCar (source: AsyncIterable<Uint8Array>): Promise<CarContent> {
  const reader = new ByteReader(source)
  const length = await reader.varint()
  if (length === undefined || length === 0 || length > maxHeader) throw new DecodeError('CAR: no header')
  const roots = rootsIn(await reader.take(length))
  return { roots, blocks: sections(reader) }
}

async function * sections (reader: ByteReader): AsyncGenerator<Block> {
  try {
    for (let length = await reader.varint(); length !== undefined; length = await reader.varint()) {
      if (length === 0 || length > maxBlockSize + maxCid) throw new DecodeError(`CAR: a section of ${length} bytes`)
      yield blockIn(await reader.take(length))
    }
  } finally {
    await reader.close()
  }
}
