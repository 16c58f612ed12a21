/** Frames on a stream: length of the body (uint32, big endian), body. */
import { concat } from './bytes.ts'
import { DecodeError } from './errors.ts'

const headerLength = 4

/** The frame whose body is these parts. */
export function frame (parts: readonly Uint8Array[]): Uint8Array {
  const header = new Uint8Array(headerLength)
  new DataView(header.buffer).setUint32(0, parts.reduce((length, part) => length + part.length, 0))
  return concat([header, ...parts])
}

/** Bodies of the frames in a stream of chunks; one longer than `limit` bytes, or a cut one, is a DecodeError. */
export async function * framesOf (source: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array> {
  const header = new Uint8Array(headerLength)
  let headerFilled = 0
  let body: Uint8Array | undefined
  let bodyFilled = 0
  for await (const chunk of source) {
    let offset = 0
    while (offset < chunk.length) {
      if (body === undefined) {
        const part = chunk.subarray(offset, offset + headerLength - headerFilled)
        header.set(part, headerFilled)
        headerFilled += part.length
        offset += part.length
        if (headerFilled < headerLength) break
        const length = new DataView(header.buffer).getUint32(0)
        if (length === 0 || length > limit) throw new DecodeError(`frame of ${length} bytes; 1 to ${limit} are allowed`)
        body = new Uint8Array(length)
        bodyFilled = 0
      }
      const part = chunk.subarray(offset, offset + body.length - bodyFilled)
      body.set(part, bodyFilled)
      bodyFilled += part.length
      offset += part.length
      if (bodyFilled < body.length) break
      yield body
      body = undefined
      headerFilled = 0
    }
  }
  if (headerFilled > 0) throw new DecodeError('the stream ended inside a frame')
}
