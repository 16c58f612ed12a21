import { create, toBinary } from '@bufbuild/protobuf'
import * as dagPb from '@ipld/dag-pb'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { sha256 } from '@noble/hashes/sha2.js'
import { describe, expect, it } from 'vitest'
import { decodeBlock, decodeDelta, encodeBlock, encodeDelta } from '../../src/crdt/block.ts'
import { decodeBroadcast, encodeBroadcast } from '../../src/crdt/broadcast.ts'
import { DeltaSchema, ElementSchema } from '../../src/crdt/crdt_pb.ts'
import { maxBlockBytes, maxBroadcastBytes, maxDeltaEntries, maxLinks } from '../../src/crdt/limits.ts'
import { testCid } from '../contract/values.ts'
import { keyOf, valueOf } from './random-dag.ts'

const cidOf = (bytes: Uint8Array): CID => CID.createV1(dagPb.code, createDigest(0x12, sha256(bytes)))
const refused = expect.objectContaining({ name: 'DecodeError' }) as unknown
/** Runs a decoder on hostile bytes: a value or a DecodeError. */
function survives (decode: () => unknown): void {
  try { decode() } catch (error) { expect(error).toEqual(refused) }
}
const flip = (bytes: Uint8Array, flips: ReadonlyArray<readonly [number, number]>): Uint8Array => {
  const changed = bytes.slice()
  for (const [at, value] of flips) changed[at % changed.length] = value
  return changed
}
const flips = fc.array(fc.tuple(fc.nat(10_000), fc.nat(255)), { minLength: 1, maxLength: 8 })

describe('blocks', () => {
  const block = encodeBlock({ elements: [{ key: keyOf(1), value: valueOf(1, 'one') }], tombstones: [{ key: keyOf(2), id: keyOf(3) }], priority: 7 }, [testCid(4), testCid(3)])

  it('come back as they were', () => {
    expect(decodeBlock(block.cid, block.bytes)).toEqual(block)
    expect(block.links.map(String)).toEqual([testCid(3), testCid(4)].map(String))
  })

  it('are refused when they are not what the CID names', () => {
    expect(() => decodeBlock(block.cid, flip(block.bytes, [[3, 1]]))).toThrow('other bytes')
    expect(() => decodeBlock(testCid(1), block.bytes)).toThrow('not dag-pb')
    expect(() => decodeBlock(CID.createV1(dagPb.code, createDigest(0x13, new Uint8Array(64))), block.bytes)).toThrow('not dag-pb')
    expect(() => decodeBlock(block.cid, new Uint8Array(maxBlockBytes + 1))).toThrow('bytes')
  })

  it('are refused with too many links', () => {
    const links = Array.from({ length: maxLinks + 1 }, (_, index) => ({ Hash: testCid(index), Name: '', Tsize: 0 }))
    const bytes = dagPb.encode({ Data: encodeDelta(block.delta), Links: links })
    expect(() => decodeBlock(cidOf(bytes), bytes)).toThrow('links')
  })

  it('may leave out the name and size of links, and have no delta', () => {
    const bytes = dagPb.encode({ Links: [{ Hash: testCid(3) }] })
    expect(decodeBlock(cidOf(bytes), bytes)).toMatchObject({ links: [testCid(3)], delta: { elements: [], tombstones: [], priority: 0 } })
  })

  it('never do worse than a DecodeError', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => { survives(() => decodeBlock(cidOf(bytes), bytes)) }))
    fc.assert(fc.property(flips, (changes) => {
      const bytes = flip(block.bytes, changes)
      survives(() => decodeBlock(cidOf(bytes), bytes))
    }), { numRuns: 500 })
  })
})

describe('deltas', () => {
  it('are refused with more entries than fit into memory', () => {
    const empty = Uint8Array.from({ length: 2 * (maxDeltaEntries + 1) }, (_, index) => index % 2 === 0 ? 0x0a : 0)
    expect(() => decodeDelta(empty)).toThrow('entries')
  })

  it('are refused with a height that is no exact number', () => {
    const bytes = toBinary(DeltaSchema, create(DeltaSchema, { priority: 2n ** 63n }))
    expect(() => decodeDelta(bytes)).toThrow('priority')
  })

  it('clean keys as the Go peers do, and leave out what names nothing', () => {
    const element = (key: string) => create(ElementSchema, { key, id: '/IGNORED', value: Uint8Array.of(1) })
    const tombstone = (key: string, id: string) => create(ElementSchema, { key, id })
    const bytes = toBinary(DeltaSchema, create(DeltaSchema, {
      elements: ['/ABC', 'ABC', '//ABC/', '/./ABC', '/abc', '/A/B', '', '/', '/ÄÖ', `/${'A'.repeat(2000)}`].map(element),
      tombstones: [tombstone('ABC', 'DEF'), tombstone('/ABC', '/d'), tombstone('', '/DEF')],
      priority: 3n
    }))
    const { elements, tombstones, priority } = decodeDelta(bytes)
    expect(elements.map(({ key }) => key)).toEqual(['/ABC', '/ABC', '/ABC', '/ABC'])
    expect([tombstones, priority]).toEqual([[{ key: '/ABC', id: '/DEF' }], 3])
  })

  it('come back as they were, whatever is in them', () => {
    const name = fc.string({ unit: fc.constantFrom('A', 'Z', '2', '7'), minLength: 1, maxLength: 60 }).map((text) => `/${text}`)
    const delta = fc.record({
      elements: fc.array(fc.record({ key: name, value: fc.uint8Array({ maxLength: 50 }) }), { maxLength: 20 }),
      tombstones: fc.array(fc.record({ key: name, id: name }), { maxLength: 20 }),
      priority: fc.nat()
    })
    fc.assert(fc.property(delta, (value) => { expect(decodeDelta(encodeDelta(value))).toEqual(value) }))
  })

  it('never do worse than a DecodeError', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => { survives(() => decodeDelta(bytes)) }), { numRuns: 500 })
  })
})

describe('broadcasts', () => {
  it('carry several heads', () => {
    const heads = [testCid(1), testCid(2), testCid(3)]
    expect(decodeBroadcast(encodeBroadcast(heads)).map(String)).toEqual(heads.map(String))
    expect(decodeBroadcast(encodeBroadcast([]))).toEqual([])
  })

  it('may be the bare CID of a very old peer', () => {
    const legacy = CID.createV0(testCid(1).multihash as Parameters<typeof CID.createV0>[0])
    expect(decodeBroadcast(legacy.bytes).map(String)).toEqual([legacy.toString()])
  })

  it('are refused when too large, or with a CID that is none', () => {
    expect(() => decodeBroadcast(new Uint8Array(maxBroadcastBytes + 1))).toThrow('bytes')
    expect(() => decodeBroadcast(encodeBroadcast(Array.from({ length: maxLinks + 1 }, () => testCid(1))))).toThrow('too many')
    expect(() => decodeBroadcast(Uint8Array.of(0x0a, 0x04, 0x0a, 0x02, 1, 2))).toThrow('invalid CID')
  })

  it('never do worse than a DecodeError', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => { survives(() => decodeBroadcast(bytes)) }), { numRuns: 500 })
    fc.assert(fc.property(flips, (changes) => { survives(() => decodeBroadcast(flip(encodeBroadcast([testCid(1)]), changes))) }), { numRuns: 500 })
  })
})
