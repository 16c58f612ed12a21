/** Snappy, as LevelDB compresses blocks with it: the way back only. */
import { varint } from 'multiformats'
import { DecodeError } from '../../src/errors.ts'

/** Throws DecodeError when the bytes are not compressed ones, or more than `most` would come out. */
export function uncompress (bytes: Uint8Array, most: number): Uint8Array {
  const [length, start] = lengthOf(bytes)
  // One byte of a copy gives at most 64.
  if (length > most || length > 64 * bytes.length) throw new DecodeError(`${length} bytes out of ${bytes.length}`)
  const out = new Uint8Array(length)
  let to = 0
  for (let at = start; at < bytes.length;) {
    const tag = bytes[at] ?? 0
    const [size, distance, header] = (tag & 3) === 0 ? literal(bytes, at, tag) : copy(bytes, at, tag)
    at += header
    if (to + size > length || distance > to) throw new DecodeError('a piece beyond its end')
    if (distance === 0) {
      if (at + size > bytes.length) throw new DecodeError('a piece is missing')
      out.set(bytes.subarray(at, at + size), to)
      at += size
      to += size
    } else for (const end = to + size; to < end; to++) out[to] = out[to - distance] ?? 0
  }
  if (to !== length) throw new DecodeError(`${to} bytes in place of ${length}`)
  return out
}

type Piece = readonly [size: number, distance: number, header: number]

function lengthOf (bytes: Uint8Array): readonly [number, number] {
  try { return varint.decode(bytes) } catch (error) { throw new DecodeError('no length', { cause: error }) }
}

function little (bytes: Uint8Array, at: number, count: number): number {
  if (at + count > bytes.length) throw new DecodeError('a piece is missing')
  let value = 0
  for (let index = count - 1; index >= 0; index--) value = value * 256 + (bytes[at + index] ?? 0)
  return value
}

function literal (bytes: Uint8Array, at: number, tag: number): Piece {
  const short = tag >>> 2
  const more = Math.max(0, short - 59)
  return [1 + (more === 0 ? short : little(bytes, at + 1, more)), 0, 1 + more]
}

function copy (bytes: Uint8Array, at: number, tag: number): Piece {
  const kind = tag & 3
  const piece: Piece = kind === 1 ? [4 + ((tag >>> 2) & 7), ((tag >>> 5) << 8) | little(bytes, at + 1, 1), 2] : [1 + (tag >>> 2), little(bytes, at + 1, kind === 2 ? 2 : 4), kind === 2 ? 3 : 5]
  if (piece[1] === 0) throw new DecodeError('a copy of nothing')
  return piece
}
