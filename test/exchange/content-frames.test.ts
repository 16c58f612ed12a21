import { decodeAnswer, decodeRequest, encodeAnswer, encodeRequest, maxAnswerLength, maxCids, maxRequestLength } from '../../src/exchange/content-frames.ts'
import { framesOf } from '../../src/frames.ts'
import { collect, each, rawBlock } from '../contract/ipfs-connector.ts'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import * as digest from 'multiformats/hashes/digest'
import { expect, it } from 'vitest'
import type { ContentAnswer, Want } from '../../src/exchange/content-frames.ts'

const aCid = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => CID.createV1(0x55, digest.create(0x12, bytes)))
const aWant = fc.constantFrom<Want>('block', 'have')
const anAnswer: fc.Arbitrary<ContentAnswer> = fc.oneof(fc.constant({ here: false } as const), fc.constant({ here: true } as const), fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ here: true, bytes } as const)))

/** The bytes, cut where the numbers say. */
function cut (bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = []
  let offset = 0
  for (let index = 0; offset < bytes.length; index++) {
    const size = Math.max(1, sizes[index % Math.max(1, sizes.length)] ?? 7)
    chunks.push(bytes.subarray(offset, offset + size))
    offset += size
  }
  return chunks
}

const join = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]))

it('reads the requests it writes, however the stream cuts them', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.record({ want: aWant, cids: fc.array(aCid, { maxLength: 10 }) }), { maxLength: 5 }), fc.array(fc.nat({ max: 50 })), async (requests, sizes) => {
    const bodies = await collect(framesOf(each(cut(join(requests.map(encodeRequest)), sizes)), maxRequestLength))
    expect(bodies.map(decodeRequest).map(({ want, cids }) => ({ want, cids: cids.map(String) }))).toEqual(requests.map(({ want, cids }) => ({ want, cids: cids.map(String) })))
  }), { numRuns: 100 })
})

it('reads the answers it writes, however the stream cuts them', async () => {
  await fc.assert(fc.asyncProperty(fc.array(anAnswer, { maxLength: 8 }), fc.array(fc.nat({ max: 50 })), async (answers, sizes) => {
    const bodies = await collect(framesOf(each(cut(join(answers.map(encodeAnswer)), sizes)), maxAnswerLength))
    expect(bodies.map(decodeAnswer)).toEqual(answers)
  }), { numRuns: 100 })
})

it('throws DecodeError, and nothing else, at any other bytes', async () => {
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
    for (const decode of [decodeRequest, decodeAnswer, (body: Uint8Array) => collect(framesOf(each([body]), 100))]) {
      try { await decode(bytes) } catch (error) { expect((error as Error).name).toBe('DecodeError') }
    }
  }), { numRuns: 500 })
})

it('refuses more CIDs, longer frames and cut frames', async () => {
  const { cid } = await rawBlock('x')
  const most = encodeRequest({ want: 'block', cids: Array.from({ length: maxCids }, () => cid) })
  expect(decodeRequest(most.subarray(4)).cids).toHaveLength(maxCids)
  const over = encodeRequest({ want: 'block', cids: Array.from({ length: maxCids + 1 }, () => cid) })
  expect(() => decodeRequest(over.subarray(4))).toThrow('wrong length')
  await expect(collect(framesOf(each([Uint8Array.of(0, 0, 1, 0)]), 255))).rejects.toThrow('frame of 256 bytes')
  await expect(collect(framesOf(each([Uint8Array.of(0, 0, 0, 9, 1)]), 255))).rejects.toThrow('ended inside a frame')
})
