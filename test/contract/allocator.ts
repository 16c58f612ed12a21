import { describe, expect, it } from 'vitest'
import type { Allocator, AllocationRequest } from '../../src/allocator/allocator.ts'
import { testMetric, testPeer, testPeers } from './values.ts'

/** What every allocator promises, whatever its order of preference (behaviour.md §3). `open` gives one that needs only `freespace`. */
export function allocatorContract (name: string, open: () => Allocator): void {
  const peers = testPeers(6)
  const freespace = (numbers: readonly number[]) => new Map([['freespace', numbers.map((number) => testMetric('freespace', testPeer(number), { weight: BigInt(number), value: String(number) }))]])
  const request = (change: Partial<AllocationRequest> = {}): AllocationRequest => ({
    replicationFactorMin: 2, replicationFactorMax: 3, current: [], priority: [], blacklist: [], metrics: freespace([1, 2, 3, 4, 5, 6]), eligible: () => true, ...change
  })
  const ids = (allocations: ReturnType<Allocator['allocate']>): string[] => allocations.map(String)

  describe(`allocator: ${name}`, () => {
    it('gives nothing to a pin that is everywhere', () => {
      expect(open().allocate(request({ replicationFactorMin: -1, replicationFactorMax: -1, metrics: new Map() }))).toEqual([])
    })

    it('allocates up to the maximum, each peer once', () => {
      const chosen = ids(open().allocate(request()))
      expect(chosen).toHaveLength(3)
      expect(new Set(chosen).size).toBe(3)
    })

    it('settles for fewer than the maximum when the minimum is met', () => {
      expect(ids(open().allocate(request({ replicationFactorMax: 5, metrics: freespace([1, 2]) }))).toSorted()).toEqual(ids(testPeers(2)).toSorted())
    })

    it('keeps what it has, unchanged, when the minimum is met', () => {
      const current = [testPeer(9), testPeer(4), testPeer(2)]
      expect(open().allocate(request({ current }))).toEqual(current)
    })

    it('replaces those that are gone and keeps the rest first', () => {
      const chosen = ids(open().allocate(request({ current: [testPeer(9), testPeer(4)] })))
      expect(chosen).toHaveLength(3)
      expect(chosen[0]).toBe(String(testPeer(4)))
      expect(chosen).not.toContain(String(testPeer(9)))
    })

    it('drops what is above the maximum', () => {
      const current = testPeers(5)
      expect(open().allocate(request({ current }))).toEqual(current.slice(0, 3))
    })

    it('takes preferred peers first and skips those that cannot', () => {
      const chosen = ids(open().allocate(request({ replicationFactorMin: 1, replicationFactorMax: 2, priority: [testPeer(9), testPeer(1)] })))
      expect(chosen[0]).toBe(String(testPeer(1)))
      expect(chosen).toHaveLength(2)
    })

    it('never chooses a blacklisted, ineligible or unmeasured peer', () => {
      const metrics = new Map([['freespace', [...freespace([1, 2, 3, 4, 5]).get('freespace') ?? [], testMetric('freespace', testPeer(6), { valid: false })]]])
      const chosen = ids(open().allocate(request({ metrics, blacklist: [testPeer(5)], eligible: (peer) => !peer.equals(testPeer(4)), replicationFactorMax: 6 })))
      expect(chosen.toSorted()).toEqual(ids([testPeer(1), testPeer(2), testPeer(3)]).toSorted())
    })

    it('does not count a blacklisted or unmeasured peer as holding the pin', () => {
      const chosen = ids(open().allocate(request({ current: [testPeer(1), testPeer(2)], blacklist: [testPeer(1)], metrics: freespace([1, 2, 3]) })))
      expect(chosen).toEqual(ids([testPeer(2), testPeer(3)]))
    })

    it('says what is missing when the minimum cannot be met', () => {
      expect(() => open().allocate(request({ current: [testPeer(1)], replicationFactorMin: 3, replicationFactorMax: 5, metrics: freespace([1, 2]) }))).toThrow(
        'not enough peers to allocate CID. Needed at least: 2. Wanted at most: 4. Available candidates: 1. See logs for more info.')
    })

    it('ignores peers that lack a metric it needs', () => {
      const allocator = open()
      expect(() => allocator.allocate(request({ metrics: new Map() }))).toThrow(/Available candidates: 0/)
      expect(peers).toHaveLength(6)
    })
  })
}
