/** Identities and addresses from their bytes. The same few occur in every value, so the objects are shared. */
import { peerIdFromMultihash } from '@libp2p/peer-id'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import * as Digest from 'multiformats/hashes/digest'
import { errorText } from '../component.ts'
import { DecodeError } from '../errors.ts'
import type { PeerId } from '@libp2p/interface'

const maxShared = 2048
/** Longer keys are not worth keeping: binary peer IDs have 38 bytes, addresses rarely more than 100. */
const maxSharedBytes = 128

/** One character per byte; cheaper than any text encoding of the bytes. */
function byteKey (bytes: Uint8Array): string {
  let key = ''
  for (let i = 0; i < bytes.length; i++) key += String.fromCharCode(bytes[i] as number)
  return key
}

/** Wraps `decode` with a bounded memory; when it is full the oldest entry goes. */
function shared<T> (decode: (bytes: Uint8Array) => T): (bytes: Uint8Array) => T {
  const known = new Map<string, T>()
  return (bytes) => {
    if (bytes.length > maxSharedBytes) return decode(bytes.slice())
    const key = byteKey(bytes)
    const found = known.get(key)
    if (found !== undefined) return found
    const value = decode(bytes.slice())
    if (known.size >= maxShared) for (const oldest of known.keys()) { known.delete(oldest); break }
    known.set(key, value)
    return value
  }
}

const maxPeerIdBytes = 1024
const maxMultiaddrBytes = 4096

/** The peer ID with this binary multihash. Throws DecodeError. */
export const peerIdFromBytes: (bytes: Uint8Array) => PeerId = shared((bytes) => {
  if (bytes.length > maxPeerIdBytes) throw new DecodeError(`peer ID of ${bytes.length} bytes`)
  try {
    return peerIdFromMultihash(Digest.decode(bytes))
  } catch (error) {
    throw new DecodeError(`invalid peer ID: ${errorText(error)}`, { cause: error })
  }
})

/** The binary multihash of a peer ID. */
export const peerIdToBytes = (peer: PeerId): Uint8Array => peer.toMultihash().bytes

/** The address with these bytes. Throws DecodeError. */
export const multiaddrFromBytes: (bytes: Uint8Array) => Multiaddr = shared((bytes) => {
  if (bytes.length === 0 || bytes.length > maxMultiaddrBytes) throw new DecodeError(`multiaddr of ${bytes.length} bytes`)
  try {
    return multiaddr(bytes)
  } catch (error) {
    throw new DecodeError(`invalid multiaddr: ${errorText(error)}`, { cause: error })
  }
})
