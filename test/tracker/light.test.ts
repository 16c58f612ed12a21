/** The rules of a light peer: what is pinned everywhere it keeps as it can, and answers `remote` for the rest. */
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { StorageFullError } from '../../src/ipfs/errors.ts'
import { MemoryConnector } from '../../src/ipfs/memory.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { parseStatusFilter } from '../../src/pin/status.ts'
import { statelessTracker } from '../../src/tracker/stateless.ts'
import { FreshPins } from '../../src/tracker/fresh-pins.ts'
import { RetryLater } from '../../src/tracker/retry-later.ts'
import { TestPinset } from '../contract/tracker.ts'
import { rawBlock } from '../contract/ipfs-connector.ts'
import { collect, ManualClock, settle, testCid, testPeer } from '../contract/values.ts'
import type { Pin } from '../../src/pin/pin.ts'
import type { PinTracker } from '../../src/tracker/tracker.ts'
import type { LightOptions } from '../../src/tracker/light-keeper.ts'

const self = testPeer(1)
const everywhere = (number: number, change: Partial<Pin> = {}): Pin => ({ ...pinWith(testCid(number), { replicationFactorMin: -1, replicationFactorMax: -1 }), timestamp: 1, ...change })
const allocated = (number: number, peer = self): Pin => everywhere(number, { replicationFactorMin: 1, replicationFactorMax: 1, allocations: [peer] })
const full = new StorageFullError(900n, 1000n)

async function setup (light: Partial<LightOptions> = {}, prepare?: (parts: { readonly pinset: TestPinset, readonly connector: MemoryConnector }) => void | Promise<void>) {
  const [pinset, connector, clock] = [new TestPinset(), new MemoryConnector(), new ManualClock()]
  await prepare?.({ pinset, connector })
  const tracker = statelessTracker({ peerId: self, pinset, connector, clock, identity: () => ({ peerName: 'tab', ipfsAddresses: [] }) }, { light: { keepEverywhere: true, ...light } })
  await tracker.start()
  onTestFinished(() => tracker.stop())
  return {
    pinset, connector, clock, tracker,
    track: (pin: Pin): Pin => { pinset.put(pin); tracker.track(pin); return pin },
    untrack: (pin: Pin): void => { pinset.delete(pin.cid); tracker.untrack(pin.cid) },
    has: async (number: number, status: string): Promise<void> => { await vi.waitFor(async () => { expect((await tracker.status(testCid(number))).status).toBe(status) }) },
    pinCalls: (): number => connector.calls.filter((call) => call.startsWith('pin ')).length
  }
}

const statuses = async (tracker: PinTracker, filter = ''): Promise<readonly string[]> => (await collect(tracker.statusAll(parseStatusFilter(filter)))).map(({ status }) => status)

describe('what is pinned everywhere', () => {
  it('is remote until it is held, and then pinned', async () => {
    const { tracker, connector, track, has, pinCalls } = await setup()
    const held = Promise.withResolvers<void>()
    connector.before('pin', () => held.promise)
    const told: string[] = []
    tracker.onChange(({ status }) => { told.push(status) })
    track(everywhere(1))
    await vi.waitFor(() => { expect(pinCalls()).toBe(1) })
    expect((await tracker.status(testCid(1))).status).toBe('remote')
    expect([await statuses(tracker), await statuses(tracker, 'remote'), await statuses(tracker, 'pinned'), await statuses(tracker, 'pinning,queued')]).toEqual([['remote'], ['remote'], [], []])
    expect(tracker.counts()).toEqual({ pinQueued: 0, pinning: 0, pinError: 0 })
    held.resolve()
    await has(1, 'pinned')
    expect([await statuses(tracker), await statuses(tracker, 'remote'), await statuses(tracker, 'pinned')]).toEqual([['pinned'], [], ['pinned']])
    expect(told).toEqual(['pinned'])
  })

  it('is remote, and no error, where it cannot be had; time or a recovery tries again', async () => {
    const { tracker, connector, clock, track, has, pinCalls } = await setup()
    connector.fail('pin', new Error('block was not found'))
    track(everywhere(1))
    await vi.waitFor(() => { expect(pinCalls()).toBe(1) })
    await settle(5)
    expect(await statuses(tracker)).toEqual(['remote'])
    expect(await statuses(tracker, 'error,unexpectedly_unpinned')).toEqual([])
    expect(await collect(tracker.recoverAll())).toEqual([])
    expect((await tracker.recover(testCid(1))).status).toBe('remote')
    await vi.waitFor(() => { expect(pinCalls()).toBe(2) })
    await settle(5)
    await clock.advance(3_600_000)
    await vi.waitFor(() => { expect(pinCalls()).toBe(3) })
    connector.fail('pin')
    await settle(5)
    await clock.advance(3_600_000)
    await has(1, 'pinned')
  })

  it('makes way for others when it gets no block', async () => {
    const { connector, track, has } = await setup({ concurrency: 1, patience: 20 })
    connector.before('pin', async (cid) => { if (cid?.equals(testCid(1)) === true) await new Promise<void>(() => {}) })
    track(everywhere(1))
    track(everywhere(2))
    await has(2, 'pinned')
    await has(1, 'remote')
  })

  it('waits for nobody where its content is here already', async () => {
    const { connector, track, has } = await setup({ concurrency: 1 })
    const block = await rawBlock('added in this tab')
    connector.addBlock(block)
    connector.before('pin', async (cid) => { if (cid?.equals(block.cid) !== true) await new Promise<void>(() => {}) })
    for (let number = 1; number <= 30; number++) track(everywhere(number))
    track({ ...everywhere(0), cid: block.cid })
    for (let number = 31; number <= 35; number++) track(everywhere(number))
    await vi.waitFor(async () => { expect((await collect(connector.pins())).map(({ cid }) => cid.toString())).toEqual([block.cid.toString()]) })
    await has(1, 'remote')
  })

  it('is remote where the store does not even answer', async () => {
    const { tracker, connector, track } = await setup()
    connector.fail('pin', new Error('no store'))
    connector.fail('pinStatus', new Error('no store'))
    track(everywhere(1))
    expect((await tracker.status(testCid(1))).status).toBe('remote')
  })

  it('stays away while there is no room, and comes when there is', async () => {
    const { connector, clock, track, untrack, has, pinCalls } = await setup({ concurrency: 1 })
    const kept = track(everywhere(1))
    await has(1, 'pinned')
    await settle(5)
    const before = pinCalls()
    connector.fail('pin', full)
    track(everywhere(2))
    await vi.waitFor(() => { expect(connector.calls).toContain('repoGc') })
    await settle(5)
    track(everywhere(3))
    await settle(5)
    expect(pinCalls()).toBe(before + 1)
    await has(3, 'remote')
    connector.fail('pin')
    untrack(kept)
    await has(1, 'unpinned')
    await has(3, 'pinned')
    await clock.advance(3_600_000)
    await has(2, 'pinned')
  })

  it('removes what a failed attempt left, once, and then waits longer and longer', async () => {
    const { connector, clock, track } = await setup({ concurrency: 1, fullPause: 1000 })
    connector.fail('pin', full)
    for (let number = 1; number <= 50; number++) track(everywhere(number))
    const collections = (): number => connector.calls.filter((call) => call === 'repoGc').length
    await vi.waitFor(() => { expect(collections()).toBe(1) })
    for (const [pause, total] of [[1000, 2], [2000, 3], [4000, 4], [8000, 5], [16_000, 6], [16_000, 7]] as const) {
      await settle(5)
      await clock.advance(pause - 1)
      await settle(5)
      expect(collections()).toBe(total - 1)
      await clock.advance(1)
      await vi.waitFor(() => { expect(collections()).toBe(total) })
    }
  })

  it('goes when it leaves the pinset, also in the middle of an attempt', async () => {
    const { connector, track, untrack, has, pinCalls } = await setup()
    const late = Promise.withResolvers<void>()
    connector.before('pin', () => late.promise)
    const pin = track(everywhere(1))
    await vi.waitFor(() => { expect(pinCalls()).toBe(1) })
    untrack(pin)
    late.resolve()
    await has(1, 'unpinned')
    await vi.waitFor(() => { expect(connector.calls).toContain(`unpin ${pin.cid}`) })
    await settle(5)
    expect(await collect(connector.pins())).toEqual([])
  })

  it('changes hands with what is allocated', async () => {
    const { connector, track, has } = await setup()
    track(allocated(1))
    await has(1, 'pinned')
    track(everywhere(1))
    await has(1, 'pinned')
    track(allocated(1, testPeer(2)))
    await has(1, 'remote')
    await vi.waitFor(async () => { expect(await collect(connector.pins())).toEqual([]) })
    track(everywhere(1))
    await has(1, 'pinned')
    track(everywhere(1, { type: 'meta-pin' }))
    await has(1, 'sharded')
  })

  it('is fetched at the start where it is missing, a few at a time, however many there are', async () => {
    const { tracker, connector, pinset, pinCalls } = await setup({ concurrency: 3 }, async ({ pinset: before, connector: ipfs }) => {
      for (let number = 1; number <= 5000; number++) before.put(everywhere(number))
      await ipfs.pin(everywhere(7))
      ipfs.calls.length = 0
    })
    const held = Promise.withResolvers<void>()
    connector.before('pin', () => held.promise)
    await vi.waitFor(() => { expect(pinCalls()).toBe(3) })
    for (let number = 5001; number <= 12_000; number++) tracker.track(pinset.put(everywhere(number)))
    await settle(5)
    expect([pinCalls(), tracker.pinQueueSize()]).toEqual([3, 0])
    expect((await statuses(tracker, 'remote')).length).toBe(11_999)
    held.resolve()
    await vi.waitFor(async () => { expect((await statuses(tracker, 'pinned')).length).toBe(12_000) }, { timeout: 20_000, interval: 200 })
    // One that came while everything was compared may have been found twice; it is kept once.
    expect(pinCalls()).toBeLessThan(12_100)
  }, 30_000)
})

describe('without the wish to keep what is pinned everywhere', () => {
  it('keeps none of it, and gives up what it kept before', async () => {
    const { tracker, connector, track, has, pinCalls } = await setup({ keepEverywhere: false }, async ({ pinset, connector: ipfs }) => {
      for (const pin of [everywhere(1), allocated(2)]) {
        pinset.put(pin)
        await ipfs.pin(pin)
      }
      ipfs.calls.length = 0
    })
    await has(1, 'remote')
    await has(2, 'pinned')
    track(everywhere(3))
    track(allocated(4))
    await has(4, 'pinned')
    expect((await tracker.recover(testCid(3))).status).toBe('remote')
    await settle(5)
    expect([pinCalls(), await statuses(tracker)]).toEqual([1, ['remote', 'pinned', 'remote', 'pinned']])
    expect((await collect(connector.pins())).length).toBe(2)
  })
})

describe('what is allocated to a light peer', () => {
  it('is an error where there is no room, with the reason', async () => {
    const { tracker, connector, track, has } = await setup()
    connector.fail('pin', full)
    track(allocated(1))
    await has(1, 'pin_error')
    expect(await tracker.status(testCid(1))).toMatchObject({ error: 'the IPFS store is full: 900 of StorageMax 1000 bytes are used' })
    await vi.waitFor(() => { expect(connector.calls).toContain('repoGc') })
    connector.fail('pin')
    expect((await collect(tracker.recoverAll())).length).toBe(1)
    await has(1, 'pinned')
  })

  it('is unexpectedly unpinned where it was lost', async () => {
    const { connector, track, has } = await setup()
    track(allocated(1))
    await has(1, 'pinned')
    connector.losePin(testCid(1))
    await has(1, 'unexpectedly_unpinned')
  })
})

describe('fresh pins', () => {
  it('give the newest first, each once, and give up the oldest', () => {
    const fresh = new FreshPins(3)
    expect([1, 2, 1, 3].map((number) => fresh.add(testCid(number)))).toEqual([true, true, true, true])
    expect(fresh.add(testCid(4))).toBe(false)
    fresh.delete(testCid(3).toString())
    expect([fresh.size, fresh.take(), fresh.size]).toEqual([2, [testCid(4), testCid(1)], 0])
  })
})

describe('retries', () => {
  it('come later after every failure, and are bounded', () => {
    const clock = new ManualClock(0)
    const later = new RetryLater(clock, 3)
    expect(later.wait()).toBeUndefined()
    const waits = Array.from({ length: 9 }, () => { later.add(everywhere(1)); return later.wait() })
    expect(waits).toEqual([60_000, 120_000, 240_000, 480_000, 960_000, 1_920_000, 3_600_000, 3_600_000, 3_600_000])
    for (const number of [2, 3]) later.add(everywhere(number))
    expect(later.overflowed).toBe(false)
    later.add(everywhere(4))
    expect([later.overflowed, later.has(testCid(4).toString()), later.has(testCid(3).toString())]).toEqual([true, false, true])
  })

  it('are due once, until they fail again', async () => {
    const clock = new ManualClock(0)
    const later = new RetryLater(clock)
    later.add(everywhere(1))
    await clock.advance(59_999)
    expect(later.due()).toEqual([])
    await clock.advance(1)
    expect(later.due().map(({ cid }) => cid)).toEqual([testCid(1)])
    expect(later.due()).toEqual([])
    later.add(everywhere(1))
    expect(later.wait()).toBe(120_000)
    later.delete(testCid(1).toString())
    expect(later.wait()).toBeUndefined()
  })
})

it('whatever happens, no pin that is everywhere is ever in error, and in the end it holds what it can', async () => {
  const step = fc.record({ kind: fc.constantFrom('everywhere', 'allocated', 'elsewhere', 'unpin', 'lose', 'break', 'mend', 'full', 'recover', 'wait'), number: fc.integer({ min: 1, max: 4 }) })
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
    const [pinset, connector, clock] = [new TestPinset(), new MemoryConnector(), new ManualClock()]
    const tracker = statelessTracker({ peerId: self, pinset, connector, clock, identity: () => ({ peerName: '', ipfsAddresses: [] }) }, { concurrentPins: 2, light: { keepEverywhere: true } })
    const wanted = new Set<string>()
    const track = (pin: Pin): void => {
      pinset.put(pin)
      tracker.track(pin)
      if (pin.allocations[0]?.equals(testPeer(2)) === true) wanted.delete(pin.cid.toString())
      else wanted.add(pin.cid.toString())
    }
    await tracker.start()
    for (const { kind, number } of steps) {
      const cid = testCid(number)
      switch (kind) {
        case 'everywhere': track(everywhere(number)); break
        case 'allocated': track(allocated(number)); break
        case 'elsewhere': track(allocated(number, testPeer(2))); break
        case 'unpin': wanted.delete(cid.toString()); pinset.delete(cid); tracker.untrack(cid); break
        case 'lose': connector.losePin(cid); break
        case 'break': connector.fail('pin', new Error('broken')); break
        case 'full': connector.fail('pin', full); break
        case 'mend': connector.fail('pin'); break
        case 'recover': await tracker.recover(cid); break
        default: await settle(2)
      }
      for (const info of await collect(tracker.statusAll(0))) {
        const pin = await pinset.get(info.cid)
        if (pin?.replicationFactorMin === -1) expect(['pinned', 'remote', 'unpinning', 'unpin_queued']).toContain(info.status)
      }
    }
    connector.fail('pin')
    await vi.waitFor(async () => {
      await collect(tracker.recoverAll())
      for (const key of wanted) for (const { cid, status } of await collect(tracker.statusAll(parseStatusFilter('remote')))) if (cid.toString() === key && status === 'remote') await tracker.recover(cid)
      await clock.advance(600_000)
      expect((await collect(connector.pins())).map(({ cid }) => cid.toString()).sort()).toEqual([...wanted].sort())
    }, { interval: 1 })
    await tracker.stop()
  }), { numRuns: 100 })
}, 30_000)
