import { peerIdFromString } from '@libp2p/peer-id'
import fc from 'fast-check'
import { toHex } from 'multiformats/bytes'
import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { closestAmong, distance, isClosest } from '../../src/pin/distance.ts'
import { cidKey, keyToCid, multihashKey } from '../../src/pin/keys.ts'
import { peerIdFromBytes, peerIdToBytes } from '../../src/pin/peer-ids.ts'
import vectors from '../vectors/wire/keys.json' with { type: 'json' }

describe('keys', () => {
  for (const { cid: text, cid_bytes_hex: bytes, ds_key: key, multihash_key: multihash } of vectors.cid_keys) {
    it(`names ${text} as Go does`, () => {
      const cid = CID.parse(text)
      expect([toHex(cid.bytes), cidKey(cid), multihashKey(cid)]).toEqual([bytes, key, multihash])
      expect(keyToCid(key).equals(cid)).toBe(true)
    })
  }

  it('answers any text with a CID or a DecodeError', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.string().map((text) => '/' + text), fc.uint8Array().map((bytes) => '/' + toHex(bytes))), (key) => {
      try { keyToCid(key) } catch (error) { expect(error).toMatchObject({ name: 'DecodeError' }) }
    }))
    expect(() => keyToCid('/' + 'A'.repeat(5000))).toThrow(expect.objectContaining({ name: 'DecodeError' }))
  })

  it('reads and writes peer IDs', () => {
    for (const { peer_id: text, peer_id_bytes_hex: hex } of [vectors.identity, vectors.identity_b]) {
      const peer = peerIdFromString(text)
      expect(toHex(peerIdToBytes(peer))).toBe(hex)
      expect(peerIdFromBytes(peerIdToBytes(peer)).equals(peer)).toBe(true)
      expect(peerIdFromBytes(peerIdToBytes(peer))).toBe(peerIdFromBytes(peerIdToBytes(peer)))
    }
    expect(() => peerIdFromBytes(new Uint8Array())).toThrow(expect.objectContaining({ name: 'DecodeError' }))
  })
})

describe('distance', () => {
  const [near, far] = vectors.distances.map(({ cid, peer }) => ({ cid: CID.parse(cid), peer: peerIdFromString(peer) }))
  if (near === undefined || far === undefined) throw new Error('no vectors')

  it('is that of Go', () => {
    expect(vectors.distances.map(({ cid, peer }) => toHex(distance(CID.parse(cid), peerIdFromString(peer))))).toEqual(vectors.distances.map(({ xor_hex: xor }) => xor))
  })

  it('finds the closest; ties count as closest', () => {
    expect(isClosest(near.cid, near.peer, [far.peer])).toBe(true)
    expect(isClosest(near.cid, far.peer, [near.peer])).toBe(false)
    expect(isClosest(near.cid, far.peer, [])).toBe(true)
    expect(closestAmong(near.peer, [near.peer, far.peer])(near.cid)).toBe(true)
  })
})
