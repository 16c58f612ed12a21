/** Several pins in one call to the IPFS: only where many wait, and seen from outside each is still a pin by itself. */
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { silentLogger } from '../../src/component.ts'
import { MemoryConnector } from '../../src/ipfs/memory.ts'
import { PinTimeoutError } from '../../src/ipfs/errors.ts'
import { KuboConnector } from '../../src/ipfs/kubo.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { parseStatusFilter } from '../../src/pin/status.ts'
import { statelessTracker } from '../../src/tracker/stateless.ts'
import { TestPinset } from '../contract/tracker.ts'
import { collect, ManualClock, testCid, testPeer } from '../contract/values.ts'
import type { AbortOptions } from '../../src/component.ts'
import type { KuboRequest } from '../../src/ipfs/kubo-http.ts'
import type { Pin } from '../../src/pin/pin.ts'
import type { CID } from 'multiformats/cid'

class JointConnector extends MemoryConnector {
  /** Content that is not here. */
  readonly missing = new Set<string>()
  /** Pins in each call for several. */
  readonly joint: number[] = []
  beforeJoint: ((cids: readonly CID[]) => Promise<void>) | undefined

  async pinLocal (cids: readonly CID[], { signal }: AbortOptions = {}): Promise<void> {
    this.joint.push(cids.length)
    const aborted = Promise.withResolvers<never>()
    signal?.addEventListener('abort', () => { aborted.reject(signal.reason as Error) }, { once: true })
    await Promise.race([this.beforeJoint?.(cids), aborted.promise])
    for (const cid of cids) {
      if (this.missing.has(cid.toString())) throw new Error('block was not found locally')
      await super.pin(pinWith(cid))
    }
  }
}

async function setup (count: number, change: (number: number) => Partial<Pin> = () => ({})) {
  const [pinset, connector, clock] = [new TestPinset(), new JointConnector(), new ManualClock()]
  const tracker = statelessTracker({ peerId: testPeer(1), pinset, connector, clock, identity: () => ({ peerName: 'one', ipfsAddresses: [] }) }, { concurrentPins: 2 })
  onTestFinished(() => tracker.stop())
  const pin = (number: number): Pin => ({ ...pinWith(testCid(number), { replicationFactorMin: -1, replicationFactorMax: -1 }), timestamp: clock.now(), ...change(number) })
  for (let number = 1; number <= count; number++) tracker.track(pinset.put(pin(number)))
  return {
    pinset, connector, tracker, pin,
    done: async (errors = 0): Promise<void> => { await vi.waitFor(() => { expect(tracker.counts()).toEqual({ pinQueued: 0, pinning: 0, pinError: errors }) }, 5000) },
    held: async (): Promise<number> => (await collect(connector.pins())).length,
    alone: (): number => connector.calls.filter((call) => call.startsWith('pin ')).length
  }
}

/** A tracker before a kubo that answers `pin/add` so; the pins in each call are told. */
async function beforeKubo (answer: (cids: readonly string[], request: KuboRequest) => Promise<string>) {
  const clock = new ManualClock()
  const calls: Array<readonly string[]> = []
  const connector = new KuboConnector(multiaddr('/ip4/127.0.0.1/tcp/5001'), { logger: silentLogger, clock }, {
    pinTimeout: 100,
    post: async (url, request) => {
      const cids = new URL(url).searchParams.getAll('arg')
      calls.push(cids)
      const text = await answer(cids, request)
      return { status: text.startsWith('{"Message') ? 500 : 200, body: (async function * () { yield new TextEncoder().encode(text) })() }
    }
  })
  const pinset = new TestPinset()
  const tracker = statelessTracker({ peerId: testPeer(1), pinset, connector, clock, identity: () => ({ peerName: 'one', ipfsAddresses: [] }) }, { concurrentPins: 1 })
  onTestFinished(() => tracker.stop())
  for (let number = 1; number <= 8; number++) tracker.track(pinset.put({ ...pinWith(testCid(number), { replicationFactorMin: -1, replicationFactorMax: -1 }), timestamp: clock.now() }))
  await tracker.start()
  return {
    tracker, calls,
    errors: async (): Promise<readonly string[]> => {
      await vi.waitFor(() => { expect(tracker.counts()).toEqual({ pinQueued: 0, pinning: 0, pinError: 8 }) }, 10_000)
      return (await collect(tracker.statusAll(parseStatusFilter('pin_error')))).map(({ cid, error, attemptCount }) => `${attemptCount} ${error.replaceAll(cid.toString(), 'CID')}`)
    }
  }
}
const hung = async ({ signal }: KuboRequest): Promise<never> => {
  const { promise, reject } = Promise.withResolvers<never>()
  signal.addEventListener('abort', () => { reject(signal.reason as Error) }, { once: true })
  return await promise
}

describe('pins that go together to a kubo', () => {
  it('that hangs on several: each is pinned by itself', async () => {
    const { tracker, calls } = await beforeKubo(async (cids, request) => cids.length > 1 ? await hung(request) : '{"Pins":["x"]}')
    await vi.waitFor(() => { expect([calls.length, tracker.counts()]).toEqual([9, { pinQueued: 0, pinning: 0, pinError: 0 }]) }, 10_000)
    expect(calls.map(({ length }) => length)).toEqual([2, 1, 1, 1, 1, 1, 1, 1, 1])
  })

  it('that hangs: each fails by itself, for want of progress', async () => {
    const { errors } = await beforeKubo(async (_, request) => await hung(request))
    expect(await errors()).toEqual(Array.from({ length: 8 }, () => `1 ${new PinTimeoutError(testCid(1), 100).message.replaceAll(testCid(1).toString(), 'CID')}`))
  })

  it('that is not there: each fails with what a call for it alone says', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    const { errors } = await beforeKubo(async () => { throw refused })
    expect(await errors()).toEqual(Array.from({ length: 8 }, () => '1 Post "http://127.0.0.1:5001/api/v0/pin/add?arg=CID&recursive=true&progress=true": dial tcp 127.0.0.1:5001: connect: connection refused'))
  })

  it('that lies, says nothing or speaks in tongues: no pin is taken for done', async () => {
    for (const [answer, error] of [['{}', 'IPFS ended the pin of CID without an answer'], ['', 'IPFS ended the pin of CID without an answer'], ['<html>', 'IPFS answered what is not JSON: <html>'], ['{"Message":"pin: disk full"}', 'IPFS error (pin/add?arg=CID&recursive=true&progress=true). Code: 500. Message: pin: disk full']] as const) {
      const { errors } = await beforeKubo(async () => answer)
      expect(await errors()).toEqual(Array.from({ length: 8 }, () => `1 ${error}`))
    }
  })
})

describe('pins that go together', () => {
  it('are more in a call the more of them are here, and alone where few wait', async () => {
    const { connector, tracker, done, held } = await setup(500)
    const told: string[] = []
    tracker.onChange(({ cid, status, attemptCount }) => { if (cid.equals(testCid(400))) told.push(`${status} ${attemptCount}`) })
    await tracker.start()
    await done()
    expect(await held()).toBe(500)
    expect(connector.joint[0]).toBe(2)
    expect(Math.max(...connector.joint)).toBe(32)
    expect(connector.joint.length).toBeLessThan(50)
    expect(told).toEqual(['pinning 1', 'pinned 0'])
    const few = await setup(2)
    await few.tracker.start()
    await few.done()
    expect(few.connector.joint).toEqual([])
  })

  it('go alone where one is not here, and only that one fails, after one attempt', async () => {
    const { connector, tracker, done, held } = await setup(300)
    connector.missing.add(testCid(100).toString())
    connector.before('pin', async (cid) => { if (cid?.equals(testCid(100)) === true) throw new Error('no provider has it') })
    await tracker.start()
    await done(1)
    expect(await held()).toBe(299)
    expect(await tracker.status(testCid(100))).toMatchObject({ status: 'pin_error', error: 'no provider has it', attemptCount: 1 })
  })

  it('are tried ever less where nothing is here', async () => {
    const { connector, tracker, done, held } = await setup(2000)
    for (let number = 1; number <= 2000; number++) connector.missing.add(testCid(number).toString())
    await tracker.start()
    await done()
    expect(await held()).toBe(2000)
    expect(connector.joint.length).toBeLessThan(20)
  })

  it('leave out what is no plain recursive pin', async () => {
    const { connector, tracker, done } = await setup(300, (number) => number % 7 === 0 ? { maxDepth: 0, mode: 'direct' } : number % 11 === 0 ? { pinUpdate: testCid(number - 1) } : {})
    const together: string[] = []
    connector.beforeJoint = async (cids) => { together.push(...cids.map(String)) }
    await tracker.start()
    await done()
    for (let number = 7; number <= 300; number += 7) expect(together).not.toContain(testCid(number).toString())
    for (let number = 11; number <= 300; number += 11) expect(together).not.toContain(testCid(number).toString())
    expect((await collect(connector.pins())).filter(({ status }) => status === 'direct')).toHaveLength(42)
  })

  it('wait again when one of them is cancelled, which is then unpinned', async () => {
    const { pinset, connector, tracker, done, held } = await setup(20)
    const first = Promise.withResolvers<readonly CID[]>()
    connector.beforeJoint = async (cids) => {
      connector.beforeJoint = undefined
      first.resolve(cids)
      await new Promise<never>(() => {})
    }
    await tracker.start()
    const [cancelled, other] = await first.promise
    if (cancelled === undefined || other === undefined) throw new Error('there were too few')
    expect((await tracker.status(cancelled)).status).toBe('pinning')
    pinset.delete(cancelled)
    tracker.untrack(cancelled)
    await done()
    await vi.waitFor(async () => { expect((await tracker.status(cancelled)).status).toBe('unpinned') })
    expect([await held(), (await tracker.status(other)).status]).toEqual([19, 'pinned'])
  })

  it('are pinned again when their options change meanwhile', async () => {
    const { pinset, connector, tracker, pin, done } = await setup(20)
    connector.beforeJoint = async ([cid]) => {
      connector.beforeJoint = undefined
      for (let number = 1; number <= 20; number++) if (cid?.equals(testCid(number)) === true) tracker.track(pinset.put({ ...pin(number), maxDepth: 0, mode: 'direct' }))
    }
    await tracker.start()
    await done()
    expect((await collect(connector.pins())).filter(({ status }) => status === 'direct')).toHaveLength(1)
  })

  it('end when the tracker stops', async () => {
    const { connector, tracker } = await setup(20)
    const begun = Promise.withResolvers<void>()
    connector.beforeJoint = async () => { begun.resolve(); await new Promise<never>(() => {}) }
    await tracker.start()
    await begun.promise
    await tracker.stop()
    expect(connector.joint.length).toBeGreaterThan(0)
  })
})
