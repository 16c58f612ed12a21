import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { encodeJson } from '../../src/api/json/json.ts'
import { globalPinInfoToJson } from '../../src/api/json/status.ts'
import { globalOf } from '../../src/cluster/pin-infos.ts'
import { MemoryConnector } from '../../src/ipfs/memory.ts'
import { cidKey } from '../../src/pin/keys.ts'
import { globalText } from '../../src/pin/status-text.ts'
import { parseStatusFilter } from '../../src/pin/status.ts'
import { encodePinLine, parseLines } from '../../src/pin/pin-json.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { collect, ManualClock, testCid, testPeer } from './values.ts'
import type { PinInfo } from '../../src/pin/pin-info.ts'
import type { PinJson } from '../../src/pin/pin-json.ts'
import type { Pin } from '../../src/pin/pin.ts'
import type { PinTracker } from '../../src/tracker/tracker.ts'
import type { CID } from 'multiformats/cid'

/** A pinset that tests write. */
export class TestPinset {
  readonly #pins = new Map<string, Pin>()
  put (pin: Pin): Pin { this.#pins.set(pin.cid.toString(), pin); return pin }
  delete (cid: CID): void { this.#pins.delete(cid.toString()) }
  async get (cid: CID): Promise<Pin | undefined> { return this.#pins.get(cid.toString()) }
  async * pins (): AsyncGenerator<Pin> { yield * this.#pins.values() }
  async * listed (): AsyncGenerator<readonly PinJson[]> { yield parseLines([...this.#pins.values()].map((pin) => encodePinLine(pin, { fromState: true }))) }
}

export interface TrackerSettings {
  readonly pinset: TestPinset
  readonly connector: MemoryConnector
  readonly clock: ManualClock
  readonly maxPinQueueSize?: number | undefined
  readonly concurrentPins?: number | undefined
}

const self = testPeer(1)
const other = testPeer(2)

/** Everything a tracker promises (behaviour.md §5). `open` gives one of peer 1, not started; day-old pins and those tried more than five times have no priority. `here`: what makes a pin one of this peer's. */
export function trackerContract (name: string, open: (settings: TrackerSettings) => PinTracker, here: Partial<Pin> = { replicationFactorMin: -1, replicationFactorMax: -1 }): void {
  async function setup (options: { readonly start?: boolean, readonly maxPinQueueSize?: number, readonly concurrentPins?: number } = {}) {
    const settings = { pinset: new TestPinset(), connector: new MemoryConnector(), clock: new ManualClock(), ...options }
    const tracker = open(settings)
    if (options.start !== false) await tracker.start()
    onTestFinished(() => tracker.stop())
    const { pinset, clock } = settings
    return {
      ...settings,
      tracker,
      pinHere: (number: number, change: Partial<Pin> = {}): Pin => pinset.put({ ...pinWith(testCid(number)), ...here, timestamp: clock.now(), ...change }),
      pinElsewhere: (number: number): Pin => pinset.put({ ...pinWith(testCid(number), { replicationFactorMin: 1, replicationFactorMax: 1 }), allocations: [other], timestamp: clock.now() }),
      has: async (number: number, status: string): Promise<void> => { await vi.waitFor(async () => { expect((await tracker.status(testCid(number))).status).toBe(status) }) }
    }
  }
  /** A listing as texts says what the one as values says. */
  const sameTexts = async (tracker: PinTracker, filter = 0): Promise<void> => {
    const texts = (await collect(tracker.statusTexts(filter))).flat()
    const values = await collect(tracker.statusAll(filter))
    expect(texts.map(({ key }) => key)).toEqual(values.map(({ cid }) => cidKey(cid)))
    expect(texts.map(({ summary, short }) => globalText(summary, [[self.toString(), short]]))).toEqual(values.map((info) => encodeJson(globalPinInfoToJson(globalOf(info)))))
  }
  const list = async (infos: AsyncIterable<PinInfo>): Promise<readonly string[]> => (await collect(infos)).map((info) => info.status).toSorted()
  const gate = () => Promise.withResolvers<void>()

  describe(`tracker: ${name}`, () => {
    it('pins what is allocated here and then forgets the operation', async () => {
      const { tracker, connector, pinHere, has } = await setup()
      const pin = pinHere(1, { name: 'one', metadata: { a: 'b' } })
      tracker.track(pin)
      await has(1, 'pinned')
      expect(await tracker.status(pin.cid)).toMatchObject({ peer: self, name: 'one', metadata: { a: 'b' }, created: pin.timestamp, timestamp: pin.timestamp, attemptCount: 0, priorityPin: false, error: '' })
      expect(connector.calls.filter((call) => call.startsWith('pin '))).toHaveLength(1)
      expect(tracker.counts()).toEqual({ pinQueued: 0, pinning: 0, pinError: 0 })
    })

    it('walks through pin_queued and pinning, with counts', async () => {
      const { tracker, connector, pinHere, has } = await setup({ concurrentPins: 1 })
      const held = gate()
      connector.before('pin', () => held.promise)
      tracker.track(pinHere(1))
      tracker.track(pinHere(2))
      await has(1, 'pinning')
      await has(2, 'pin_queued')
      expect(tracker.pinQueueSize()).toBe(1)
      expect(tracker.counts()).toEqual({ pinQueued: 1, pinning: 1, pinError: 0 })
      held.resolve()
      await has(2, 'pinned')
    })

    it('works on as many pins at once as it is allowed', async () => {
      const { tracker, connector, pinHere } = await setup({ concurrentPins: 3 })
      const held = gate()
      connector.before('pin', () => held.promise)
      for (let number = 1; number <= 8; number++) tracker.track(pinHere(number))
      await vi.waitFor(() => { expect(tracker.counts()).toEqual({ pinQueued: 5, pinning: 3, pinError: 0 }) })
      held.resolve()
      await vi.waitFor(() => { expect(tracker.counts()).toEqual({ pinQueued: 0, pinning: 0, pinError: 0 }) })
    })

    it('unpins what leaves the pinset', async () => {
      const { tracker, pinset, pinHere, has } = await setup()
      const pin = pinHere(1)
      tracker.track(pin)
      await has(1, 'pinned')
      pinset.delete(pin.cid)
      tracker.untrack(pin.cid)
      await has(1, 'unpinned')
    })

    it('does not unpin what is in the pinset after all', async () => {
      const { tracker, connector, pinHere, has } = await setup()
      const pin = pinHere(1)
      tracker.track(pin)
      await has(1, 'pinned')
      tracker.untrack(pin.cid)
      await has(1, 'pinned')
      expect(connector.calls.some((call) => call.startsWith('unpin '))).toBe(false)
    })

    it('unpins one at a time', async () => {
      const { tracker, connector } = await setup()
      const held = gate()
      connector.before('unpin', () => held.promise)
      for (const number of [1, 2, 3]) tracker.untrack(testCid(number))
      await vi.waitFor(async () => { expect(await list(tracker.statusAll(parseStatusFilter('unpinning,queued')))).toEqual(['unpin_queued', 'unpin_queued', 'unpinning']) })
      held.resolve()
      await vi.waitFor(async () => { expect(await list(tracker.statusAll(parseStatusFilter('unpinning,queued')))).toEqual([]) })
    })

    it('gives up what is allocated elsewhere', async () => {
      const { tracker, connector, pinHere, pinElsewhere, has } = await setup()
      tracker.track(pinHere(1))
      await has(1, 'pinned')
      tracker.track(pinElsewhere(1))
      await has(1, 'remote')
      await vi.waitFor(() => { expect(connector.calls).toContain(`unpin ${testCid(1)}`) })
      await vi.waitFor(async () => { expect(await collect(connector.pins())).toEqual([]) })
    })

    it('does nothing for a meta pin', async () => {
      const { tracker, connector, pinHere, has } = await setup()
      tracker.track(pinHere(1, { type: 'meta-pin' }))
      await has(1, 'sharded')
      expect(connector.calls.filter((call) => call !== 'pins')).toEqual([])
    })

    it('replaces only the options of an operation under way', async () => {
      const { tracker, connector, pinHere, has } = await setup()
      const held = gate()
      connector.before('pin', () => held.promise)
      tracker.track(pinHere(1, { name: 'old' }))
      await has(1, 'pinning')
      tracker.track(pinHere(1, { name: 'new' }))
      expect(await tracker.status(testCid(1))).toMatchObject({ status: 'pinning', name: 'new', attemptCount: 1 })
      held.resolve()
      await has(1, 'pinned')
      expect(connector.calls.filter((call) => call.startsWith('pin '))).toHaveLength(1)
    })

    it('pins again when the depth changed meanwhile', async () => {
      const { tracker, connector, pinHere, has } = await setup()
      const held = gate()
      connector.before('pin', () => held.promise)
      tracker.track(pinHere(1, { maxDepth: 0, mode: 'direct' }))
      await has(1, 'pinning')
      tracker.track(pinHere(1))
      held.resolve()
      await has(1, 'pinned')
    })

    it('cancels a pin that is no longer wanted, and unpins after it ended', async () => {
      const { tracker, pinset, connector, pinHere, has } = await setup()
      connector.before('pin', () => new Promise<void>(() => {}))
      tracker.track(pinHere(1))
      await has(1, 'pinning')
      pinset.delete(testCid(1))
      tracker.untrack(testCid(1))
      await has(1, 'unpinned')
      expect(connector.calls).toContain(`unpin ${testCid(1)}`)
      expect(tracker.counts()).toEqual({ pinQueued: 0, pinning: 0, pinError: 0 })
    })

    it('keeps a failure with its text and counts attempts over recoveries', async () => {
      const { tracker, connector, clock, pinHere, has } = await setup()
      connector.fail('pin', new Error('no such content'))
      tracker.track(pinHere(1))
      await has(1, 'pin_error')
      expect(await tracker.status(testCid(1))).toMatchObject({ error: 'no such content', attemptCount: 1, priorityPin: true })
      await clock.advance(1000)
      expect((await tracker.recover(testCid(1))).status).toMatch(/^(pin_queued|pinning)$/)
      await has(1, 'pin_error')
      expect(await tracker.status(testCid(1))).toMatchObject({ attemptCount: 2, timestamp: clock.now() })
      connector.fail('pin')
      await tracker.recover(testCid(1))
      await has(1, 'pinned')
    })

    it('takes priority from pins that failed often or are old', async () => {
      const { tracker, connector, clock, pinHere, has } = await setup()
      connector.fail('pin', new Error('no'))
      tracker.track(pinHere(1))
      tracker.track(pinHere(2, { timestamp: clock.now() - 86_400_000 }))
      await has(2, 'pin_error')
      expect((await tracker.status(testCid(2))).priorityPin).toBe(false)
      for (let attempt = 1; attempt <= 6; attempt++) {
        await vi.waitFor(async () => { expect(await tracker.status(testCid(1))).toMatchObject({ status: 'pin_error', attemptCount: attempt, priorityPin: true }) })
        await tracker.recover(testCid(1))
      }
      await vi.waitFor(async () => { expect(await tracker.status(testCid(1))).toMatchObject({ status: 'pin_error', attemptCount: 7, priorityPin: false }) })
    })

    it('works on priority pins first', async () => {
      const { tracker, connector, clock, pinHere, has } = await setup({ start: false, concurrentPins: 1 })
      tracker.track(pinHere(1, { timestamp: clock.now() - 90_000_000 }))
      tracker.track(pinHere(2))
      await tracker.start()
      await has(1, 'pinned')
      expect(connector.calls.filter((call) => call.startsWith('pin '))).toEqual([`pin ${testCid(2)}`, `pin ${testCid(1)}`])
    })

    it('says so when the queue is full', async () => {
      const { tracker, pinHere, has } = await setup({ start: false, maxPinQueueSize: 2 })
      for (const number of [1, 2, 3]) tracker.track(pinHere(number))
      await has(3, 'pin_error')
      expect((await tracker.status(testCid(3))).error).toBe('pin/unpin operation queue is full. Try increasing max_pin_queue_size')
      await has(2, 'pin_queued')
    })

    it('keeps a failed unpin until that CID is recovered', async () => {
      const { tracker, connector, has } = await setup()
      connector.fail('unpin', new Error('busy'))
      tracker.untrack(testCid(1))
      await has(1, 'unpin_error')
      expect(await list(tracker.recoverAll())).toEqual([])
      expect(await list(tracker.statusAll(parseStatusFilter('error')))).toEqual(['unpin_error'])
      connector.fail('unpin')
      await tracker.recover(testCid(1))
      await has(1, 'unpinned')
    })

    it('notices what the IPFS lost, and recovers it', async () => {
      const { tracker, connector, pinHere, has } = await setup()
      const pin = pinHere(1)
      tracker.track(pin)
      await has(1, 'pinned')
      connector.losePin(pin.cid)
      expect(await tracker.status(pin.cid)).toMatchObject({ status: 'unexpectedly_unpinned', error: 'the item should be pinned but it is not', timestamp: pin.timestamp })
      expect((await collect(tracker.recoverAll())).map((info) => info.cid.toString())).toEqual([pin.cid.toString()])
      await has(1, 'pinned')
      expect(await list(tracker.recoverAll())).toEqual([])
    })

    it('leaves alone what needs no recovery', async () => {
      const { tracker, pinElsewhere } = await setup()
      pinElsewhere(1)
      expect((await tracker.recover(testCid(1))).status).toBe('remote')
      expect((await tracker.recover(testCid(2))).status).toBe('unpinned')
    })

    it('reports an IPFS that does not answer as cluster_error, and fails a listing', async () => {
      const { tracker, connector, pinHere } = await setup()
      pinHere(1)
      connector.fail('pinStatus', new Error('connection refused'))
      connector.fail('pins', new Error('connection refused'))
      expect(await tracker.status(testCid(1))).toMatchObject({ status: 'cluster_error', error: 'connection refused' })
      await expect(collect(tracker.statusAll(0))).rejects.toThrow('connection refused')
      expect(await list(tracker.statusAll(parseStatusFilter('remote')))).toEqual([])
    })

    it('lists every status by filter, direct pins included', async () => {
      const { tracker, connector, pinHere, pinElsewhere, has } = await setup()
      tracker.track(pinHere(1))
      tracker.track(pinHere(2, { maxDepth: 0, mode: 'direct' }))
      await has(1, 'pinned')
      await has(2, 'pinned')
      connector.fail('pin', new Error('no'))
      tracker.track(pinHere(3))
      await has(3, 'pin_error')
      pinElsewhere(4)
      pinHere(5, { type: 'meta-pin' })
      pinHere(6)
      const filtered = async (filter: string): Promise<readonly string[]> => await list(tracker.statusAll(parseStatusFilter(filter)))
      for (const filter of ['', 'pinned', 'error', 'remote,sharded', 'unexpectedly_unpinned', 'pin_error,pinned']) await sameTexts(tracker, parseStatusFilter(filter))
      expect(await list(tracker.statusAll(0))).toEqual(['pin_error', 'pinned', 'pinned', 'remote', 'sharded', 'unexpectedly_unpinned'])
      expect(await filtered('pinned')).toEqual(['pinned', 'pinned'])
      expect(await filtered('remote,sharded')).toEqual(['remote', 'sharded'])
      expect(await filtered('pin_error')).toEqual(['pin_error'])
      expect(await filtered('error,unexpectedly_unpinned')).toEqual(['pin_error', 'unexpectedly_unpinned'])
      expect(await filtered('pinning')).toEqual([])
    })

    it('does not miss a pin that ends while a listing runs', async () => {
      const { tracker, connector, pinHere } = await setup()
      const held = gate()
      connector.before('pin', () => held.promise)
      tracker.track(pinHere(1))
      const listing = tracker.statusAll(0)[Symbol.asyncIterator]()
      pinHere(2)
      connector.before('pins', async () => { await vi.waitFor(() => { expect(tracker.counts().pinning).toBe(1) }) })
      pinHere(3)
      const first = await listing.next()
      expect(first.value).toMatchObject({ status: 'pinning' })
      tracker.track(pinHere(3))
      held.resolve()
      await vi.waitFor(() => { expect(tracker.counts()).toEqual({ pinQueued: 0, pinning: 0, pinError: 0 }) })
      expect((await listing.next()).value).toMatchObject({ status: 'unexpectedly_unpinned' })
      expect((await listing.next()).value).toMatchObject({ status: 'pinned' })
      expect((await listing.next()).done).toBe(true)
    })

    it('tells of changes and of progress', async () => {
      const { tracker, connector, clock, pinHere, has } = await setup()
      const seen: string[] = []
      const forget = tracker.onChange((info, progress) => { seen.push(progress === undefined ? info.status : `${info.status} ${progress.blocks} ${progress.bytes}`) })
      connector.before('pin', async (_cid, { onProgress }) => {
        onProgress?.(1, 10)
        onProgress?.(2, 20)
        await clock.advance(1000)
        onProgress?.(3, 30)
      })
      tracker.track(pinHere(1))
      await has(1, 'pinned')
      expect(seen).toEqual(['pin_queued', 'pinning', 'pinning 1 10', 'pinning 3 30', 'pinned'])
      forget()
      tracker.track(pinHere(2))
      await has(2, 'pinned')
      expect(seen).toHaveLength(5)
    })

    it('stops twice, mid-pin', async () => {
      const { tracker, connector, pinHere, has } = await setup()
      connector.before('pin', () => new Promise<void>(() => {}))
      tracker.track(pinHere(1))
      await has(1, 'pinning')
      await tracker.stop()
      await tracker.stop()
    })
  })
}
