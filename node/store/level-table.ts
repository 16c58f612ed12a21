/** Reads a table of LevelDB without LevelDB, which does not compare checksums: blocks that are damaged are known and left out. */
import { varint } from 'multiformats'
import { DecodeError } from '../../src/errors.ts'
import { uncompress } from './snappy.ts'

export interface Table {
  /** Entries of the blocks that are whole, in order; deleted keys are left out. */
  readonly entries: () => Generator<readonly [key: Uint8Array, value: Uint8Array]>
  /** Every block is whole. */
  readonly isWhole: boolean
}

const footerLength = 48
const magic = 0xdb4775248b80fb57n
/** Behind each block: how it is compressed, and its checksum. */
const trailerLength = 5
/** Behind each key: a number, and whether it was put or deleted. */
const suffixLength = 8
const maxBlockLength = 1 << 30

/** Throws DecodeError where the table's index cannot be read: then nothing of it can. */
export function readTable (file: Uint8Array): Table {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  if (bytes.length < footerLength || bytes.readBigUInt64LE(bytes.length - 8) !== magic) throw new DecodeError('no table')
  const footer = bytes.subarray(bytes.length - footerLength)
  const meta = readHandle(footer)
  const index = blockAt(bytes, readHandle(footer.subarray(meta.end)))
  if (index === undefined) throw new DecodeError('the index of the table is damaged')
  const handles = [...entriesIn(index)].map(([, value]) => readHandle(value))
  return {
    isWhole: [...handles, ...besides(bytes, meta)].every((handle) => isSound(bytes, handle)),
    entries: function * () {
      for (const handle of handles) {
        const block = blockAt(bytes, handle)
        if (block === undefined) continue
        for (const [key, value] of entriesIn(block)) if (key.length >= suffixLength && key[key.length - suffixLength] === 1) yield [key.subarray(0, -suffixLength), value]
      }
    }
  }
}

/** The block that names what is no data, and that: the filter, by which LevelDB knows what it need not look for. */
function besides (bytes: Buffer, meta: Handle): readonly Handle[] {
  const block = blockAt(bytes, meta)
  return block === undefined ? [meta] : [meta, ...[...entriesIn(block)].map(([, value]) => readHandle(value))]
}

interface Handle { readonly offset: number, readonly size: number, readonly end: number }

function readHandle (bytes: Uint8Array): Handle {
  const [offset, first] = number(bytes, 0)
  const [size, second] = number(bytes, first)
  return { offset, size, end: first + second }
}

function number (bytes: Uint8Array, at: number): readonly [value: number, length: number] {
  try { return varint.decode(bytes, at) } catch (error) { throw new DecodeError('no number', { cause: error }) }
}

function isSound (bytes: Buffer, { offset, size }: Handle): boolean {
  const end = offset + size
  return end + trailerLength <= bytes.length && bytes.readUInt32LE(end + 1) === masked(crc32c(bytes, offset, end + 1))
}

function blockAt (bytes: Buffer, handle: Handle): Buffer | undefined {
  if (!isSound(bytes, handle)) return undefined
  const block = bytes.subarray(handle.offset, handle.offset + handle.size)
  return bytes[handle.offset + handle.size] === 0 ? block : Buffer.from(uncompress(block, maxBlockLength))
}

function * entriesIn (block: Buffer): Generator<readonly [key: Uint8Array, value: Uint8Array]> {
  if (block.length < 4) throw new DecodeError('no block')
  const end = block.length - 4 - 4 * block.readUInt32LE(block.length - 4)
  let key = new Uint8Array(0)
  for (let at = 0; at < end;) {
    const [shared, first] = number(block, at)
    const [own, second] = number(block, at + first)
    const [length, third] = number(block, at + first + second)
    at += first + second + third
    if (shared > key.length || at + own + length > end) throw new DecodeError('an entry beyond its block')
    key = Buffer.concat([key.subarray(0, shared), block.subarray(at, at + own)])
    yield [key, block.subarray(at + own, at + own + length)]
    at += own + length
  }
}

/** LevelDB stores checksums so that a checksum of checksums stays one. */
const masked = (crc: number): number => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0

const table = Uint32Array.from({ length: 256 }, (_, value) => {
  let crc = value
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x82f63b78
  return crc
})

/** Castagnoli's polynomial, which Node's zlib does not have. */
function crc32c (bytes: Uint8Array, from: number, to: number): number {
  let crc = 0xffffffff
  for (let at = from; at < to; at++) crc = (crc >>> 8) ^ (table[(crc ^ (bytes[at] ?? 0)) & 255] ?? 0)
  return (crc ^ 0xffffffff) >>> 0
}
