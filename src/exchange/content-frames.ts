/**
 * Frames of `/pinswarm/content/1.0.0`, the exchange of user content between members of ours.
 * Frame: length of the body (uint32, big endian), body. The asker sends requests: one byte kind, then for each
 * CID its length (one byte) and its bytes. The other side answers each CID in order: one byte, and the block.
 */
import { DecodeError } from '../errors.ts'
import { maxBlockSize } from '../ipfs/block.ts'
import { frame } from '../frames.ts'
import { CID } from 'multiformats/cid'

export const contentProtocol = '/pinswarm/content/1.0.0'

/** `block`: send it. `have`: only say whether it is there. */
export type Want = 'block' | 'have'
export interface ContentRequest { readonly want: Want, readonly cids: readonly CID[] }
/** Undefined bytes: a `have` that is there. */
export type ContentAnswer = { readonly here: false } | { readonly here: true, readonly bytes?: Uint8Array | undefined }

const wants: readonly Want[] = ['block', 'have']
/** CIDs in one request. */
export const maxCids = 128
const maxCidLength = 255
export const maxRequestLength = 1 + maxCids * (1 + maxCidLength)
export const maxAnswerLength = 1 + maxBlockSize

/** The CID must fit into 255 bytes; `isAskable` says so. */
export const encodeRequest = ({ want, cids }: ContentRequest): Uint8Array => frame([Uint8Array.of(wants.indexOf(want)), ...cids.flatMap(({ bytes }) => [Uint8Array.of(bytes.length), bytes])])

export const isAskable = (cid: CID): boolean => cid.bytes.length <= maxCidLength

export function decodeRequest (body: Uint8Array): ContentRequest {
  const want = wants[body[0] ?? -1]
  if (want === undefined) throw new DecodeError('content request: unknown kind')
  const cids: CID[] = []
  for (let offset = 1; offset < body.length;) {
    const length = body[offset] ?? 0
    const bytes = body.subarray(offset + 1, offset + 1 + length)
    if (bytes.length !== length || cids.length === maxCids) throw new DecodeError('content request: wrong length')
    cids.push(decodeCid(bytes))
    offset += 1 + length
  }
  return { want, cids }
}

function decodeCid (bytes: Uint8Array): CID {
  try {
    return CID.decode(bytes)
  } catch (error) {
    throw new DecodeError('content request: not a CID', { cause: error })
  }
}

const absent = Uint8Array.of(0)
const present = Uint8Array.of(1)
const blockFollows = Uint8Array.of(2)

export const encodeAnswer = (answer: ContentAnswer): Uint8Array => answer.here ? frame(answer.bytes === undefined ? [present] : [blockFollows, answer.bytes]) : frame([absent])

export function decodeAnswer (body: Uint8Array): ContentAnswer {
  if (body[0] === blockFollows[0]) return { here: true, bytes: body.subarray(1) }
  if (body.length !== 1 || (body[0] !== present[0] && body[0] !== absent[0])) throw new DecodeError('content answer: unknown kind')
  return { here: body[0] === present[0] }
}
