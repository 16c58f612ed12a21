import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { describe, expect, it } from 'vitest'
import { IpfsPins } from '../../src/tracker/ipfs-pins.ts'
import { cidKey } from '../../src/pin/keys.ts'
import { OperationQueue } from '../../src/tracker/operation-queue.ts'
import { testCid } from '../contract/values.ts'

describe('operation queue', () => {
  const never = new AbortController().signal

  it('gives priority items first, each queue in order', async () => {
    const queue = new OperationQueue<string>(10)
    for (const [item, priority] of [['a', false], ['b', true], ['c', false], ['d', true]] as const) queue.push(item, priority)
    const taken = [await queue.take(never), await queue.take(never), await queue.take(never), await queue.take(never)]
    expect(taken).toEqual(['b', 'd', 'a', 'c'])
  })

  it('wakes who waits, bounds each queue and ends by signal', async () => {
    const queue = new OperationQueue<number>(1)
    const waiting = queue.take(never)
    expect(queue.push(1)).toBe(true)
    expect(await waiting).toBe(1)
    expect([queue.push(2), queue.push(3), queue.push(4, true), queue.push(5, true)]).toEqual([true, false, true, false])
    const abort = new AbortController()
    const empty = new OperationQueue<number>(1)
    const ending = empty.take(abort.signal)
    abort.abort()
    expect(await ending).toBeUndefined()
    expect(await empty.take(abort.signal)).toBeUndefined()
    expect(empty.push(6)).toBe(true)
    expect(await empty.take(never)).toBe(6)
  })

  it('is first in, first out over many items', async () => {
    const queue = new OperationQueue<number>(100_000)
    for (let item = 0; item < 5000; item++) queue.push(item)
    for (let item = 0; item < 5000; item++) {
      expect(await queue.take(never)).toBe(item)
      queue.push(5000 + item)
    }
    expect(await queue.take(never)).toBe(5000)
  })
})

describe('pins of an IPFS', () => {
  it('tells modes, versions, codecs and hashes apart', () => {
    const pins = new IpfsPins()
    const digest = Digest.create(0x12 as const, testCid(1).multihash.digest)
    const recursive = CID.createV1(0x70, digest)
    const direct = CID.createV0(digest)
    pins.add(cidKey(recursive), 'recursive')
    pins.add(cidKey(direct), 'direct')
    pins.add(cidKey(testCid(2)), 'indirect')
    expect([pins.has(cidKey(recursive), -1), pins.has(cidKey(recursive), 0), pins.has(cidKey(recursive), 2)]).toEqual([true, false, true])
    expect([pins.has(cidKey(direct), -1), pins.has(cidKey(direct), 0)]).toEqual([false, true])
    expect([pins.has(cidKey(testCid(1)), -1), pins.has(cidKey(testCid(2)), -1), pins.has(cidKey(CID.createV1(0x70, Digest.create(0x1b, digest.digest))), -1)]).toEqual([false, false, false])
  })

  it('agrees with a plain map', () => {
    const cid = fc.record({ code: fc.constantFrom(0x55, 0x70), hash: fc.constantFrom(0, 0x12, 0x13), digest: fc.uint8Array({ minLength: 0, maxLength: 40 }) })
      .map(({ code, hash, digest }) => CID.createV1(code, Digest.create(hash, digest)))
    fc.assert(fc.property(fc.array(fc.tuple(cid, fc.constantFrom('recursive', 'direct') ), { maxLength: 200 }), fc.array(cid), (added, others) => {
      const pins = new IpfsPins()
      const plain = new Set<string>()
      for (const [one, status] of added) {
        pins.add(cidKey(one), status)
        plain.add(`${one} ${status}`)
      }
      for (const one of [...added.map(([known]) => known), ...others]) {
        expect(pins.has(cidKey(one), -1)).toBe(plain.has(`${one} recursive`))
        expect(pins.has(cidKey(one), 0)).toBe(plain.has(`${one} direct`))
      }
    }))
  })

  it('grows', () => {
    const pins = new IpfsPins()
    for (let number = 0; number < 20_000; number++) pins.add(cidKey(testCid(number * 2)), 'recursive')
    const wrong = Array.from({ length: 20_000 }, (_, number) => number).filter((number) => pins.has(cidKey(testCid(number)), -1) !== (number % 2 === 0))
    expect(wrong).toEqual([])
  })
})
