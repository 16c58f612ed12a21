/** Announcements of heads (wire.md §3.2). */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { CID } from 'multiformats/cid'
import { errorText } from '../component.ts'
import { DecodeError } from '../errors.ts'
import { CRDTBroadcastSchema, HeadSchema, type CRDTBroadcast } from './crdt_pb.ts'
import { countFields } from './fields.ts'
import { maxBroadcastBytes, maxLinks } from './limits.ts'

export const encodeBroadcast = (heads: readonly CID[]): Uint8Array =>
  toBinary(CRDTBroadcastSchema, create(CRDTBroadcastSchema, { Heads: heads.map((head) => create(HeadSchema, { Cid: head.bytes })) }))

/** The announced heads; a bare CID, as very old peers sent it, is one head. Throws DecodeError. */
export function decodeBroadcast (bytes: Uint8Array): readonly CID[] {
  if (bytes.length > maxBroadcastBytes) throw new DecodeError(`broadcast of ${bytes.length} bytes`)
  const known = countFields(bytes, [1], maxLinks)
  if (known > maxLinks) throw new DecodeError('broadcast of too many heads')
  const encoded = countFields(bytes, undefined, known) > known ? [bytes] : parse(bytes).Heads.map((head) => head.Cid)
  try {
    return encoded.map((cid) => CID.decode(cid.slice()))
  } catch (error) {
    throw new DecodeError(`broadcast with an invalid CID: ${errorText(error)}`, { cause: error })
  }
}

function parse (bytes: Uint8Array): CRDTBroadcast {
  try {
    return fromBinary(CRDTBroadcastSchema, bytes, { readUnknownFields: false })
  } catch (error) {
    throw new DecodeError(`not a broadcast: ${errorText(error)}`, { cause: error })
  }
}
