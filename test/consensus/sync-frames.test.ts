import type { RangeSummary, SyncAnswer } from '../../src/consensus/crdt/sync-frames.ts'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeSyncAnswer, decodeSyncRequest, encodeSyncAnswer, encodeSyncRequest, maxRanges, maxSyncAnswer, maxSyncRequest } from '../../src/consensus/crdt/sync-frames.ts'
import { maxBlockBytes } from '../../src/crdt/limits.ts'

const ranges: fc.Arbitrary<RangeSummary[]> = fc.uniqueArray(fc.record({
  upTo: fc.maxSafeNat(), blocks: fc.nat({ max: 0xffff_ffff }), hash: fc.uint8Array({ minLength: 32, maxLength: 32 })
}), { selector: ({ upTo }) => upTo, maxLength: 20 }).map((list) => list.toSorted((one, other) => one.upTo - other.upTo))
const blocks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 100 }), { minLength: 1, maxLength: 10 })
const answers: fc.Arbitrary<SyncAnswer> = fc.oneof(
  fc.record({ kind: fc.constant('plan' as const), blocks: fc.nat({ max: 0xffff_ffff }) }),
  fc.record({ kind: fc.constantFrom('heads' as const, 'blocks' as const), blocks }),
  fc.record({ kind: fc.constantFrom('end' as const, 'refusal' as const) })
)
const bodyOf = (frame: Uint8Array): Uint8Array => frame.subarray(4)

it('reads the requests and answers that it writes', () => {
  fc.assert(fc.property(ranges, (list) => { expect(decodeSyncRequest(bodyOf(encodeSyncRequest(list)))).toEqual(list) }))
  fc.assert(fc.property(answers, (answer) => { expect(decodeSyncAnswer(bodyOf(encodeSyncAnswer(answer)))).toEqual(answer) }))
})

it('throws DecodeError, and nothing else, at any other bytes', () => {
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), answers.chain((answer) => fc.tuple(fc.constant(bodyOf(encodeSyncAnswer(answer))), fc.nat(), fc.nat({ max: 255 })).map(([body, at, byte]) => {
    const changed = body.slice()
    changed[at % changed.length] = byte
    return changed
  })))
  fc.assert(fc.property(bytes, (body) => {
    for (const decode of [decodeSyncRequest, decodeSyncAnswer]) {
      try { decode(body) } catch (error) { expect((error as Error).name).toBe('DecodeError') }
    }
  }), { numRuns: 2000 })
})

it('has room for every honest frame, and bounds on the others', () => {
  const most = Array.from({ length: maxRanges }, (_, upTo) => ({ upTo, blocks: 1, hash: new Uint8Array(32) }))
  expect(bodyOf(encodeSyncRequest(most))).toHaveLength(maxSyncRequest)
  expect(() => decodeSyncRequest(bodyOf(encodeSyncRequest([...most, { upTo: maxRanges, blocks: 1, hash: new Uint8Array(32) }])))).toThrow('wrong length')
  expect(() => decodeSyncRequest(bodyOf(encodeSyncRequest(most.toReversed())))).toThrow('out of order')
  const largest = bodyOf(encodeSyncAnswer({ kind: 'blocks', blocks: [new Uint8Array(maxBlockBytes)] }))
  expect(largest.length).toBeLessThanOrEqual(maxSyncAnswer)
  expect(decodeSyncAnswer(largest)).toMatchObject({ kind: 'blocks' })
  expect(() => decodeSyncAnswer(bodyOf(encodeSyncAnswer({ kind: 'blocks', blocks: [new Uint8Array(maxBlockBytes + 1)] })))).toThrow('wrong length')
  expect(() => decodeSyncAnswer(bodyOf(encodeSyncAnswer({ kind: 'blocks', blocks: [] })))).toThrow('no blocks')
})
