/** Messages on a bitswap stream: each after its length as a varint. */
import { concat } from '../bytes.ts'
import { DecodeError } from '../errors.ts'

const maxLengthBytes = 4

/** The bytes with their length before them. */
export function frameMessage (message: Uint8Array): Uint8Array {
  const length: number[] = []
  let rest = message.byteLength
  do {
    length.push(rest >= 0x80 ? (rest & 0x7f) | 0x80 : rest)
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  const frame = new Uint8Array(length.length + message.byteLength)
  frame.set(length)
  frame.set(message, length.length)
  return frame
}

/** Cuts a stream into messages, however its bytes arrive; throws DecodeError for a message over `limit` bytes and for a stream that ends inside one. `onHeld` hears how many more bytes, or fewer, are kept; it may throw. */
export async function * readMessages (source: AsyncIterable<Uint8Array>, limit: number, onHeld: (bytes: number) => void = () => {}): AsyncGenerator<Uint8Array> {
  let held = 0
  const hold = (bytes: number): void => {
    held += bytes
    onHeld(bytes)
  }
  try {
    yield * messages(source, limit, hold)
  } finally {
    onHeld(-held)
  }
}

async function * messages (source: AsyncIterable<Uint8Array>, limit: number, hold: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let lengthBytes = 0
  let length = 0
  // Undefined while the length is still being read.
  let missing: number | undefined
  let parts: Uint8Array[] = []
  for await (const bytes of source) {
    for (let offset = 0; offset < bytes.byteLength;) {
      if (missing === undefined) {
        const byte = bytes[offset++] ?? 0
        length += (byte & 0x7f) * 128 ** lengthBytes++
        if (length > limit || lengthBytes > maxLengthBytes) throw new DecodeError(`bitswap message: longer than ${limit} bytes`)
        if (byte >= 0x80) continue
        missing = length
      }
      const part = bytes.subarray(offset, offset + missing)
      parts.push(part)
      hold(part.byteLength)
      offset += part.byteLength
      missing -= part.byteLength
      if (missing > 0) continue
      // Never the chunk itself: it may be a part of a buffer that the connection uses again.
      const message = new Uint8Array(concat(parts))
      yield message
      hold(-message.byteLength)
      missing = undefined
      parts = []
      length = lengthBytes = 0
    }
  }
  if (lengthBytes > 0) throw new DecodeError('bitswap message: cut off')
}
