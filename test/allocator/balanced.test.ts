import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { balancedAllocator } from '../../src/allocator/balanced.ts'
import { allocatorContract } from '../contract/allocator.ts'
import { testMetric, testPeer } from '../contract/values.ts'
import type { Metric } from '../../src/monitor/metric.ts'
import type { AllocationRequest } from '../../src/allocator/allocator.ts'

allocatorContract('balanced', () => balancedAllocator({ allocateBy: ['freespace'] }))

interface Host { readonly number: number, readonly region: string, readonly free: bigint }
const tag = ({ number, region }: Host): Metric => testMetric('tag:region', testPeer(number), { value: region, partitionable: true })
const space = ({ number, free }: Host): Metric => testMetric('freespace', testPeer(number), { value: String(free), weight: free })
const requestOf = (hosts: readonly Host[], change: Partial<AllocationRequest> = {}): AllocationRequest => ({
  replicationFactorMin: 1, replicationFactorMax: hosts.length, current: [], priority: [], blacklist: [], eligible: () => true,
  metrics: new Map([['tag:region', hosts.map(tag)], ['freespace', hosts.map(space)]]), ...change
})
const byRegion = balancedAllocator({ allocateBy: ['tag:region', 'freespace'] })
const order = (request: AllocationRequest): string[] => byRegion.allocate(request).map(String)
const names = (...numbers: number[]): string[] => numbers.map((number) => String(testPeer(number)))

describe('balanced allocator', () => {
  it('goes round the groups, heaviest first, and inside each by free space', () => {
    const hosts = [
      { number: 1, region: 'eu', free: 10n }, { number: 2, region: 'eu', free: 30n },
      { number: 3, region: 'us', free: 100n }, { number: 4, region: 'as', free: 5n }, { number: 5, region: 'us', free: 1n }
    ]
    expect(order(requestOf(hosts))).toEqual(names(3, 2, 4, 5, 1))
  })

  it('orders groups of the same weight by value', () => {
    expect(order(requestOf([{ number: 1, region: 'b', free: 7n }, { number: 2, region: 'a', free: 7n }]))).toEqual(names(2, 1))
  })

  it('does not add up the free space of peers that have the same', () => {
    const hosts = [{ number: 1, region: 'eu', free: 100n }, { number: 2, region: 'eu', free: 100n }, { number: 3, region: 'eu', free: 150n }]
    expect(order(requestOf(hosts))[0]).toBe(String(testPeer(3)))
  })

  it('orders preferred peers among themselves before the others', () => {
    const hosts = [1, 2, 3, 4].map((number) => ({ number, region: 'eu', free: BigInt(number) }))
    expect(order(requestOf(hosts, { priority: [testPeer(1), testPeer(2)] }))).toEqual(names(2, 1, 4, 3))
  })

  it('lets peers that are equal in everything take turns', () => {
    const hosts = [1, 2, 3, 4].map((number) => ({ number, region: 'eu', free: 5n }))
    const random = (() => { let step = 0; return () => (step++ * 0.37) % 1 })()
    const allocator = balancedAllocator({ allocateBy: ['tag:region', 'freespace'], random })
    const first = new Set(Array.from({ length: 40 }, () => String(allocator.allocate(requestOf(hosts, { replicationFactorMax: 1 }))[0])))
    expect(first.size).toBe(4)
  })

  const host = fc.record({ region: fc.constantFrom('a', 'b', 'c'), free: fc.bigInt({ min: 1n, max: 5n }) })
  const hosts = fc.array(host, { minLength: 1, maxLength: 12 }).map((list) => list.map((one, index): Host => ({ ...one, number: index + 1 })))

  it('never takes two of a group while another group has peers left', () => {
    fc.assert(fc.property(hosts, (list) => {
      const regionOf = new Map(list.map((one) => [String(testPeer(one.number)), one.region]))
      const left = Map.groupBy(list, ({ region }) => region)
      const remaining = new Map([...left].map(([region, members]) => [region, members.length]))
      let round = new Set<string>()
      for (const peer of order(requestOf(list))) {
        const region = regionOf.get(peer) ?? ''
        if (round.has(region)) {
          const others = [...remaining].filter(([name, count]) => count > 0 && !round.has(name))
          expect(others).toEqual([])
          round = new Set()
        }
        round.add(region)
        remaining.set(region, (remaining.get(region) ?? 0) - 1)
      }
    }))
  })

  it('gives an answer between the factors, without repeats, that keeps the valid current peers', () => {
    const some = fc.uniqueArray(fc.integer({ min: 1, max: 14 }), { maxLength: 6 })
    fc.assert(fc.property(hosts, some, some, some, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 4 }), (list, current, priority, blacklist, min, extra) => {
      const request = requestOf(list, { replicationFactorMin: min, replicationFactorMax: min + extra, current: current.map(testPeer), priority: priority.map(testPeer), blacklist: blacklist.map(testPeer) })
      const able = (number: number): boolean => number <= list.length && !blacklist.includes(number)
      const holding = current.filter(able)
      const available = list.filter(({ number }) => able(number) && !current.includes(number)).length
      if (holding.length < min && available < min - holding.length) {
        expect(() => byRegion.allocate(request)).toThrow(/not enough peers/)
        return
      }
      const chosen = order(request)
      expect(new Set(chosen).size).toBe(chosen.length)
      if (holding.length > min + extra) expect(chosen).toEqual(names(...holding.slice(0, min + extra)))
      else if (holding.length >= min) expect(chosen).toEqual(names(...current))
      else {
        expect(chosen.length).toBe(Math.min(min + extra, holding.length + available))
        expect(chosen.slice(0, holding.length)).toEqual(names(...holding))
      }
    }))
  })
})
