/** Which peer is closest to a CID: the one that acts where one must (wire.md §4, repinning and expiry). */
import { blake2b } from '@noble/hashes/blake2.js'
import { peerIdToBytes } from './peer-ids.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

const hash = (bytes: Uint8Array): Uint8Array => blake2b(bytes, { dkLen: 32 })

/** XOR of the blake2b-256 of the binary CID and of the binary peer ID; compare big-endian. */
export function distance (cid: CID, peer: PeerId): Uint8Array {
  const of = hash(peerIdToBytes(peer))
  const to = hash(cid.bytes)
  return of.map((byte, i) => byte ^ (to[i] as number))
}

/** True when `a` is no farther from `to` than `b`. */
function notFarther (to: Uint8Array, a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < to.length; i++) {
    const difference = ((a[i] as number) ^ (to[i] as number)) - ((b[i] as number) ^ (to[i] as number))
    if (difference !== 0) return difference < 0
  }
  return true
}

/** Whether `self` is the closest of itself and `others`, asked for many CIDs: the peers are hashed once. Ties count as closest. */
export function closestAmong (self: PeerId, others: readonly PeerId[]): (cid: CID) => boolean {
  const own = hash(peerIdToBytes(self))
  const rivals = others.map((peer) => hash(peerIdToBytes(peer)))
  return (cid) => {
    const to = hash(cid.bytes)
    return rivals.every((rival) => notFarther(to, own, rival))
  }
}

/** Whether `self` is the closest to `cid` of itself and `others`. */
export const isClosest = (cid: CID, self: PeerId, others: readonly PeerId[]): boolean => closestAmong(self, others)(cid)
