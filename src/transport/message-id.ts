/** The ids by which pubsub messages are known to every member (wire.md §2). */
import type { PeerId } from '@libp2p/interface'

const prefixLength = 16

/** First 16 bytes of the author's peer id, then the sequence number as 8 bytes, big-endian. */
export function messageId (from: PeerId, sequenceNumber: bigint): Uint8Array {
  const prefix = from.toMultihash().bytes.subarray(0, prefixLength)
  const id = new Uint8Array(prefix.byteLength + 8)
  id.set(prefix)
  new DataView(id.buffer).setBigUint64(prefix.byteLength, sequenceNumber)
  return id
}
