/** What every Consensus does, whatever agrees. */
import type { Consensus, PinsFilter } from '../../src/consensus/consensus.ts'
import type { Metric } from '../../src/monitor/metric.ts'
import type { Pin, PinOptions } from '../../src/pin/pin.ts'
import type { PeerId } from '@libp2p/interface'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { stopAll } from '../../src/component.ts'
import { encodePinLine } from '../../src/pin/pin-json.ts'
import { pinTypeFlag, pinWith } from '../../src/pin/pin.ts'
import { collect, testCid, testMetric, testPeer } from './values.ts'

/** One member of a cluster under test; started and connected with the others. */
export interface ConsensusMember {
  readonly peerId: PeerId
  readonly consensus: Consensus
  /** What the hooks were told: `pinned <cid> <name>` and `unpinned <cid>`. */
  readonly told: string[]
  /** What its monitor knows. */
  readonly metrics: Metric[]
  /** Stops the consensus and starts a new one on the same store. */
  readonly restart: () => Promise<Consensus>
}

/** Members of one new cluster; `testPeer(1)` and so on. */
export type OpenConsensus = (count: number, options?: { readonly trustedPeers?: readonly PeerId[] }) => Promise<readonly ConsensusMember[]>

export const testPin = (number: number, options: Partial<PinOptions> = {}): Pin => ({ ...pinWith(testCid(number), { replicationFactorMin: -1, replicationFactorMax: -1, ...options }), timestamp: 1_700_000_000_000 })

export const linesOf = async (consensus: Consensus, filter?: PinsFilter): Promise<string[]> => (await collect(consensus.log.pinset.lines(filter))).flat().map((line) => new TextDecoder().decode(line))
export const namesOf = async (consensus: Consensus, filter?: PinsFilter): Promise<string[]> => (await collect(consensus.log.pinset.pins(filter))).map(({ name }) => name)

export function consensusContract (name: string, openCluster: OpenConsensus): void {
  const openMany: OpenConsensus = async (count, options) => {
    const members = await openCluster(count, options)
    onTestFinished(() => stopAll(members.map(({ consensus }) => consensus)))
    return members
  }
  async function openOne (): Promise<ConsensusMember> {
    const [member] = await openMany(1)
    if (member === undefined) throw new Error('one member was asked for')
    await member.consensus.ready()
    return member
  }
  const line = (pin: Pin): string => new TextDecoder().decode(encodePinLine(pin, { fromState: true }))

  describe(`consensus: ${name}`, () => {
    it('keeps what is put, and tells the peer', async () => {
      const { consensus, told } = await openOne()
      const pin = testPin(1, { name: 'first', metadata: { a: '1' }, expireAt: 2_000_000_000_500, userAllocations: [testPeer(9)] })
      await consensus.log.put(pin)
      const { pinset } = consensus.log
      expect(await pinset.get(pin.cid)).toMatchObject({ cid: pin.cid, name: 'first', mode: 'recursive', maxDepth: -1, metadata: { a: '1' }, expireAt: 2_000_000_000_000, timestamp: 1_700_000_000_000, userAllocations: [] })
      expect([await pinset.has(pin.cid), await pinset.has(testCid(2)), await pinset.get(testCid(2)), pinset.count()]).toEqual([true, false, undefined, 1])
      expect(await linesOf(consensus)).toEqual([line(pin)])
      expect(told).toEqual([`pinned ${pin.cid} first`])
    })

    it('replaces a pin, removes it, and does not mind an unknown CID', async () => {
      const { consensus, told } = await openOne()
      const { log } = consensus
      await log.delete(testCid(1))
      await log.put(testPin(1, { name: 'one' }))
      await log.put(testPin(1, { name: 'two', mode: 'direct' }))
      expect(await log.pinset.get(testCid(1))).toMatchObject({ name: 'two', mode: 'direct', maxDepth: 0 })
      expect([log.pinset.count(), await namesOf(consensus)]).toEqual([1, ['two']])
      await log.delete(testCid(1))
      await log.delete(testCid(1))
      expect([await log.pinset.get(testCid(1)), await log.pinset.has(testCid(1)), log.pinset.count(), await linesOf(consensus)]).toEqual([undefined, false, 0, []])
      await log.put(testPin(1, { name: 'back' }))
      expect(await namesOf(consensus)).toEqual(['back'])
      expect(told).toEqual([`pinned ${testCid(1)} one`, `pinned ${testCid(1)} two`, `unpinned ${testCid(1)}`, `pinned ${testCid(1)} back`])
    })

    it('answers every one of many concurrent changes', async () => {
      const { consensus, told } = await openOne()
      const numbers = Array.from({ length: 200 }, (_, index) => index)
      await Promise.all(numbers.map((number) => consensus.log.put(testPin(number, { name: `n${number}` }))))
      expect(consensus.log.pinset.count()).toBe(200)
      expect((await namesOf(consensus)).length).toBe(200)
      await Promise.all(numbers.map((number) => number % 2 === 0 ? consensus.log.delete(testCid(number)) : consensus.log.put(testPin(number, { name: 'again' }))))
      expect([consensus.log.pinset.count(), new Set(await namesOf(consensus))]).toEqual([100, new Set(['again'])])
      expect(told.length).toBe(400)
    })

    it('lists by type', async () => {
      const { consensus } = await openOne()
      const meta: Pin = { ...testPin(2, { name: 'meta' }), type: 'meta-pin', reference: testCid(3) }
      const dag: Pin = { ...testPin(3, { name: 'dag' }), type: 'clusterdag-pin', maxDepth: 0, reference: testCid(2) }
      const shard: Pin = { ...testPin(4, { name: 'shard' }), type: 'shard-pin', maxDepth: 1 }
      for (const pin of [testPin(1, { name: 'plain' }), meta, dag, shard]) await consensus.log.put(pin)
      expect((await namesOf(consensus)).sort()).toEqual(['dag', 'meta', 'plain', 'shard'])
      expect(await namesOf(consensus, { types: pinTypeFlag('pin') })).toEqual(['plain'])
      expect((await namesOf(consensus, { types: pinTypeFlag('meta-pin') | pinTypeFlag('shard-pin') })).sort()).toEqual(['meta', 'shard'])
      expect(await linesOf(consensus, { types: pinTypeFlag('clusterdag-pin') })).toEqual([line(dag)])
      expect((await namesOf(consensus, { types: pinTypeFlag('meta-pin') | pinTypeFlag('pin') })).sort()).toEqual(['meta', 'plain'])
      expect(await namesOf(consensus, { types: pinTypeFlag('bad-type') })).toEqual([])
      await consensus.log.delete(meta.cid)
      expect(await namesOf(consensus, { types: pinTypeFlag('meta-pin') })).toEqual([])
    })

    it('finds what has expired, as of the latest pin', async () => {
      const { consensus } = await openOne()
      const at = 1_800_000_000_000
      await consensus.log.put(testPin(1, { name: 'early', expireAt: at - 10_000 }))
      await consensus.log.put(testPin(2, { name: 'exact', expireAt: at }))
      await consensus.log.put(testPin(3, { name: 'never' }))
      await consensus.log.put(testPin(4, { name: 'prolonged', expireAt: at - 20_000 }))
      await consensus.log.put(testPin(4, { name: 'prolonged', expireAt: at + 20_000 }))
      await consensus.log.put(testPin(5, { name: 'gone', expireAt: at - 30_000 }))
      await consensus.log.delete(testCid(5))
      const expired = async (now: number): Promise<string[]> => (await collect(consensus.log.pinset.expired(now))).map((pin) => pin.name)
      expect(await expired(at - 20_000)).toEqual([])
      expect(await expired(at)).toEqual(['early'])
      expect(await expired(at + 1)).toEqual(['early', 'exact'])
      expect(await expired(at + 20_001)).toEqual(['early', 'exact', 'prolonged'])
    })

    it('hands out a large pinset in chunks, over a snapshot', async () => {
      const { consensus } = await openOne()
      await Promise.all(Array.from({ length: 2500 }, (_, index) => consensus.log.put(testPin(index))))
      let chunks = 0
      let total = 0
      for await (const chunk of consensus.log.pinset.lines()) {
        if (chunks++ === 0) await consensus.log.put(testPin(5000))
        total += chunk.length
        expect(chunk.length).toBeLessThanOrEqual(1000)
      }
      expect(total).toBe(2500)
      expect(chunks).toBeLessThan(100)
      expect(consensus.log.pinset.count()).toBe(2501)
    })

    it('keeps everything over a restart, and tells nothing twice', async () => {
      const member = await openOne()
      await member.consensus.log.put(testPin(1, { name: 'kept', expireAt: 1_800_000_000_000 }))
      await member.consensus.log.put(testPin(2, { name: 'gone' }))
      await member.consensus.log.delete(testCid(2))
      const told = [...member.told]
      const again = await member.restart()
      onTestFinished(() => again.stop())
      await again.ready()
      expect([await namesOf(again), again.log.pinset.count()]).toEqual([['kept'], 1])
      expect(await collect(again.log.pinset.expired(1_900_000_000_000))).toHaveLength(1)
      await again.log.put(testPin(3, { name: 'new' }))
      expect((await namesOf(again)).sort()).toEqual(['kept', 'new'])
      expect(member.told).toEqual([...told, `pinned ${testCid(3)} new`])
    })

    it('brings every change to every member', async () => {
      const members = await openMany(3)
      await Promise.all(members.map(({ consensus }) => consensus.ready()))
      for (const [index, { consensus }] of members.entries()) await consensus.log.put(testPin(index, { name: `from ${index}` }))
      await vi.waitFor(() => { expect(members.map(({ consensus }) => consensus.log.pinset.count())).toEqual([3, 3, 3]) })
      await members[0]?.consensus.log.delete(testCid(2))
      await vi.waitFor(() => { expect(members.map(({ consensus }) => consensus.log.pinset.count())).toEqual([2, 2, 2]) })
      const [first, ...others] = await Promise.all(members.map(({ consensus }) => linesOf(consensus)))
      for (const lines of others) expect(lines).toEqual(first)
      for (const { told } of members) expect(told).toContain(`unpinned ${testCid(2)}`)
    })

    it('ends waiting and writing with the signal', async () => {
      const { consensus } = await openOne()
      const reason = new Error('enough')
      await expect(consensus.ready({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      await expect(consensus.log.put(testPin(1), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      await expect(consensus.log.delete(testCid(1), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      expect(consensus.log.pinset.count()).toBe(0)
    })

    it('cleans its state while stopped, and only then', async () => {
      const member = await openOne()
      await member.consensus.log.put(testPin(1, { name: 'one', expireAt: 1_700_000_001_000 }))
      await expect(member.consensus.clean()).rejects.toThrow('stopped')
      await member.consensus.stop()
      await member.consensus.clean()
      const again = await member.restart()
      onTestFinished(() => again.stop())
      expect([again.log.pinset.count(), await linesOf(again), await collect(again.log.pinset.expired(1_800_000_000_000))]).toEqual([0, [], []])
    })

    it('stops twice without harm, and refuses writes then', async () => {
      const { consensus } = await openOne()
      await consensus.stop()
      await consensus.stop()
      await expect(consensus.log.put(testPin(1))).rejects.toThrow()
    })

    it('counts itself and the senders of metrics as the peerset, in order', async () => {
      const [member] = await openMany(2)
      if (member === undefined) throw new Error('no member')
      expect((await member.consensus.peerset.peers()).map(String)).toContain(member.peerId.toString())
      member.metrics.push(testMetric('ping', testPeer(2)), testMetric('ping', testPeer(1)), testMetric('freespace', testPeer(3)))
      expect((await member.consensus.peerset.peers()).map(String)).toEqual([testPeer(1), testPeer(2)].map(String))
      await member.consensus.peerset.add(testPeer(2))
    })

    it('trusts itself and whom it is told to trust', async () => {
      const [member] = await openMany(1, { trustedPeers: [testPeer(7)] })
      const trust = member?.consensus.trust
      expect([testPeer(1), testPeer(7), testPeer(8)].map((peer) => trust?.isTrusted(peer))).toEqual([true, true, false])
      trust?.trust(testPeer(8))
      trust?.distrust(testPeer(7))
      trust?.distrust(testPeer(1))
      expect([testPeer(1), testPeer(7), testPeer(8)].map((peer) => trust?.isTrusted(peer))).toEqual([true, false, true])
    })
  })
}
