import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import * as fc from 'fast-check'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { expect, test } from 'vitest'
import { dagSize } from '../../src/ipfs/dag-size.ts'
import { testCid } from '../contract/values.ts'

const of = (code: number): CID => CID.createV1(code, testCid(1).multihash)
const linked = (...sizes: ReadonlyArray<number | undefined>): Uint8Array => dagPb.encode(dagPb.prepare({ Links: sizes.map((Tsize) => ({ Hash: testCid(2), Name: '', ...Tsize === undefined ? {} : { Tsize } })) }))

test('the links of a root say how much there is', () => {
  const root = linked(1000, 262_158)
  expect(dagSize(of(dagPb.code), root)).toBe(root.length + 263_158)
  expect(dagSize(of(raw.code), new Uint8Array(70))).toBe(70)
})

test('a root that does not say has no size', () => {
  expect(dagSize(of(dagPb.code), linked(1000, undefined))).toBeUndefined()
  expect(dagSize(of(dagPb.code), linked(2 ** 53 - 1, 2 ** 53 - 1))).toBeUndefined()
  expect(dagSize(of(dagCbor.code), dagCbor.encode({ a: 1 }))).toBeUndefined()
})

test('any bytes are a size or none', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    const size = dagSize(of(dagPb.code), bytes)
    expect(size === undefined || (Number.isSafeInteger(size) && size >= bytes.length)).toBe(true)
  }))
})
