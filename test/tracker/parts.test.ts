import fc from 'fast-check'
import { equals } from 'multiformats/bytes'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { describe, expect, it } from 'vitest'
import { IpfsPins } from '../../src/tracker/ipfs-pins.ts'
import { cidKey } from '../../src/pin/keys.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { Operations } from '../../src/tracker/operations.ts'
import { WaitingOperations } from '../../src/tracker/waiting.ts'
import { testCid } from '../contract/values.ts'
import type { OperationState, OperationType } from '../../src/tracker/operation.ts'

const queued = (change: Partial<OperationState> = {}): OperationState => ({ type: 'pin', phase: 'queued', priority: false, attempts: 0, timestamp: 1, error: '', ...change })

describe('operations that wait', () => {
  const id = (number: number): Uint8Array => testCid(number).bytes
  const drain = (operations: WaitingOperations, type: OperationType): string[] => {
    const taken: string[] = []
    for (let next = operations.shift(type); next !== undefined; next = operations.shift(type)) taken.push(CID.decode(next.id).toString())
    return taken
  }

  it('gives priority items first, each queue in order, and what is put first before them', () => {
    const operations = new WaitingOperations()
    for (const [number, priority] of [[1, false], [2, true], [3, false], [4, true]] as const) operations.set(id(number), queued({ priority }))
    operations.set(id(5), queued({ type: 'unpin' }))
    operations.set(id(6), queued({ priority: true }), true)
    operations.set(id(7), queued({ phase: 'failed', error: 'no' }))
    expect([operations.waiting('pin', true), operations.waiting('pin', false), operations.waiting('unpin', false), operations.size]).toEqual([3, 2, 1, 7])
    expect(drain(operations, 'pin')).toEqual([6, 2, 4, 1, 3].map((number) => testCid(number).toString()))
    expect(operations.get(id(7))).toEqual(queued({ phase: 'failed', error: 'no' }))
    expect(operations.has(id(5))).toBe(true)
  })

  it('agrees with a plain list, whatever comes', () => {
    const cid = fc.record({ code: fc.constantFrom(0x55, 0x70), size: fc.constantFrom(0, 1, 32, 64), byte: fc.integer({ min: 0, max: 40 }) })
      .map(({ code, size, byte }) => CID.createV1(code, Digest.create(0x12, new Uint8Array(size).fill(byte))).bytes)
    const state = fc.record({ type: fc.constantFrom('pin' as const, 'unpin' as const, 'remote' as const), phase: fc.constantFrom('queued' as const, 'failed' as const), priority: fc.boolean(), attempts: fc.nat(60_000), timestamp: fc.nat(), error: fc.constantFrom('', 'one', 'two') })
    const step = fc.oneof({ weight: 5, arbitrary: fc.record({ kind: fc.constant('set' as const), id: cid, state, first: fc.boolean() }) }, fc.record({ kind: fc.constant('delete' as const), id: cid }), fc.record({ kind: fc.constant('shift' as const), type: fc.constantFrom('pin' as const, 'unpin' as const, 'remote' as const) }))
    fc.assert(fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
      const operations = new WaitingOperations()
      let plain: Array<{ readonly id: Uint8Array, readonly state: OperationState }> = []
      const without = (id: Uint8Array) => plain.filter((item) => !equals(item.id, id))
      for (const step of steps) {
        if (step.kind === 'set') {
          plain = step.first ? [step, ...without(step.id)] : [...without(step.id), step]
          operations.set(step.id, step.state, step.first)
        } else if (step.kind === 'delete') {
          expect(operations.delete(step.id)).toBe(plain.length > without(step.id).length)
          plain = without(step.id)
        } else {
          const waiting = plain.filter(({ state }) => state.type === step.type && state.phase === 'queued')
          const next = waiting.find(({ state }) => state.priority) ?? waiting[0]
          expect(operations.shift(step.type)).toEqual(next && { id: next.id, state: next.state })
          if (next !== undefined) plain = without(next.id)
        }
        expect(operations.size).toBe(plain.length)
      }
      for (const { id, state } of plain) expect(operations.get(id)).toEqual(state)
      expect([...operations.entries()].map(([id]) => CID.decode(id).toString()).sort()).toEqual(plain.map(({ id }) => CID.decode(id).toString()).sort())
    }), { numRuns: 40 })
  })

  it('is first in, first out over many, and gives back what they took', () => {
    const operations = new WaitingOperations()
    for (let number = 0; number < 5000; number++) operations.set(id(number), queued())
    for (let number = 0; number < 5000; number++) {
      expect(operations.shift('pin')?.id).toEqual(id(number))
      operations.set(id(5000 + number), queued())
    }
    expect(drain(operations, 'pin')).toEqual(Array.from({ length: 5000 }, (_, index) => testCid(5000 + index).toString()))
    expect(operations.shift('pin')).toBeUndefined()
    operations.set(id(1), queued())
    expect(operations.get(id(1))).toEqual(queued())
  })
})

describe('operations', () => {
  const open = (limit = 10) => {
    const told: string[] = []
    const operations = new Operations({ limit, onChange: ({ cid }, { type, phase, error }) => { told.push(`${cid} ${type} ${phase}${error && `: ${error}`}`) } })
    return { operations, told, enqueue: (number: number, type: OperationType = 'pin', priority = false) => operations.enqueue(type, pinWith(testCid(number)), { now: 1, priority: () => priority }) }
  }
  const never = new AbortController().signal

  it('wakes who waits, bounds each queue and ends by signal', async () => {
    const { operations, enqueue } = open(1)
    const waiting = operations.take('pin', never)
    expect([enqueue(1)?.phase, (await waiting)?.key]).toEqual(['queued', testCid(1).toString()])
    expect([enqueue(2)?.phase, enqueue(3)?.phase, enqueue(4, 'pin', true)?.phase, enqueue(5, 'pin', true)?.phase, enqueue(6, 'unpin')?.phase]).toEqual(['queued', 'failed', 'queued', 'failed', 'queued'])
    expect([operations.count('pin_queued'), operations.count('pin_error'), operations.count('unpin_queued')]).toEqual([3, 2, 1])
    const abort = new AbortController()
    const ending = open().operations.take('pin', abort.signal)
    abort.abort()
    expect(await ending).toBeUndefined()
  })

  it('keeps what failed with its text, and what was replaced waits for its work', async () => {
    const { operations, told, enqueue } = open()
    enqueue(1)
    const operation = await operations.take('pin', never)
    if (operation === undefined) throw new Error('nothing was taken')
    expect(operations.begin(operation, pinWith(operation.cid), 2)?.aborted).toBe(false)
    operations.fail(operation, `cannot pin ${testCid(1)}, that is ${testCid(1)}`, 3)
    expect(operations.get(testCid(1))).toEqual(queued({ phase: 'failed', attempts: 1, timestamp: 3, error: `cannot pin ${testCid(1)}, that is ${testCid(1)}` }))
    expect(operations.byText(testCid(1).toString())).toEqual(operations.get(testCid(1)))
    enqueue(1)
    const again = await operations.take('pin', never)
    if (again === undefined) throw new Error('nothing was taken')
    const ended = Promise.withResolvers<void>()
    again.running = ended.promise
    const signal = operations.begin(again, pinWith(again.cid), 4)
    enqueue(1, 'unpin')
    expect([again.attempts, again.cancelled, signal?.aborted]).toEqual([2, true, true])
    expect((await operations.take('unpin', never))?.after).toBe(ended.promise)
    expect(told.map((text) => text.replaceAll(testCid(1).toString(), 'one'))).toEqual(['one pin queued', 'one pin running', 'one pin failed: cannot pin one, that is one', 'one pin queued', 'one pin running', 'one unpin queued'])
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
