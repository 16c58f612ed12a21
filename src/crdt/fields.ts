/** A look at protobuf bytes before they become objects. */
import { BinaryReader } from '@bufbuild/protobuf/wire'
import { errorText } from '../component.ts'
import { DecodeError } from '../errors.ts'

/** How often these top-level fields, or any (undefined), occur; beyond `most` it is not counted further. Throws DecodeError on bytes that are no protobuf message. */
export function countFields (bytes: Uint8Array, fields: readonly number[] | undefined, most: number): number {
  const reader = new BinaryReader(bytes)
  let count = 0
  try {
    while (reader.pos < reader.len && count <= most) {
      const [field, wireType] = reader.tag()
      if (fields?.includes(field) !== false) count++
      reader.skip(wireType, field)
    }
  } catch (error) {
    throw new DecodeError(`not a protobuf message: ${errorText(error)}`, { cause: error })
  }
  return count
}
