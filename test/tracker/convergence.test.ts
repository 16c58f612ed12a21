import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { MemoryConnector } from '../../src/ipfs/memory.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { parseStatusFilter } from '../../src/pin/status.ts'
import { statelessTracker } from '../../src/tracker/stateless.ts'
import { TestPinset } from '../contract/tracker.ts'
import { collect, ManualClock, settle, testCid, testPeer } from '../contract/values.ts'
import type { AbortOptions } from '../../src/component.ts'
import type { CID } from 'multiformats/cid'

type Step = { readonly kind: 'pin' | 'direct' | 'elsewhere' | 'unpin' | 'lose', readonly number: number } | { readonly kind: 'break' | 'mend' | 'wait' }

const numbered = fc.record({ kind: fc.constantFrom('pin' as const, 'direct' as const, 'elsewhere' as const, 'unpin' as const, 'lose' as const), number: fc.integer({ min: 1, max: 6 }) })
const plain = fc.record({ kind: fc.constantFrom('break' as const, 'mend' as const, 'wait' as const) })

/** Pins several in one call, unless the third pin is the second of them: then it stops in the middle. */
class JointConnector extends MemoryConnector {
  async pinLocal (cids: readonly CID[], options?: AbortOptions): Promise<void> {
    for (const [index, cid] of cids.entries()) {
      if (index === 1 && cid.bytes.at(-1) === 3) throw new Error('not here')
      await this.pin(pinWith(cid), options)
    }
  }
}

it.each([['one by one', MemoryConnector], ['several in one call', JointConnector]])('whatever happens, in the end the IPFS holds what the pinset wants: %s', async (_, Connector) => {
  await fc.assert(fc.asyncProperty(fc.array(fc.oneof({ weight: 3, arbitrary: numbered }, { weight: 2, arbitrary: plain }), { maxLength: 40 }), async (steps: readonly Step[]) => {
    const [pinset, connector, clock] = [new TestPinset(), new Connector(), new ManualClock()]
    const tracker = statelessTracker({ peerId: testPeer(1), pinset, connector, clock, identity: () => ({ peerName: '', ipfsAddresses: [] }) }, { concurrentPins: 2 })
    const none = async (filter: string): Promise<void> => {
      await vi.waitFor(async () => { expect(await collect(tracker.statusAll(parseStatusFilter(filter)))).toEqual([]) }, { interval: 1 })
    }
    const wanted = new Map<string, string>()
    await tracker.start()
    for (const step of steps) {
      switch (step.kind) {
        case 'break': for (const operation of ['pin', 'unpin'] as const) connector.fail(operation, new Error('broken')); break
        case 'mend': for (const operation of ['pin', 'unpin'] as const) connector.fail(operation); break
        case 'wait': await settle(2); break
        case 'lose': connector.losePin(testCid(step.number)); break
        case 'unpin':
          pinset.delete(testCid(step.number))
          wanted.delete(testCid(step.number).toString())
          tracker.untrack(testCid(step.number))
          break
        default: {
          const cid = testCid(step.number)
          const factor = step.kind === 'elsewhere' ? 1 : -1
          const pin = { ...pinWith(cid, { mode: step.kind === 'direct' ? 'direct' : 'recursive', replicationFactorMin: factor, replicationFactorMax: factor }), timestamp: clock.now(), allocations: step.kind === 'elsewhere' ? [testPeer(2)] : [] }
          if (step.kind === 'elsewhere') wanted.delete(cid.toString())
          else wanted.set(cid.toString(), step.kind === 'direct' ? 'direct' : 'recursive')
          pinset.put(pin)
          tracker.track(pin)
        }
      }
    }
    for (const operation of ['pin', 'unpin'] as const) connector.fail(operation)
    await none('queued,pinning,unpinning')
    await collect(tracker.recoverAll())
    for (const { cid } of await collect(tracker.statusAll(parseStatusFilter('unpin_error')))) await tracker.recover(cid)
    await none('queued,pinning,unpinning,error')
    await vi.waitFor(async () => { expect(new Map((await collect(connector.pins())).map(({ cid, status }) => [cid.toString(), status]))).toEqual(wanted) }, { interval: 1 })
    expect(tracker.counts()).toEqual({ pinQueued: 0, pinning: 0, pinError: 0 })
    await tracker.stop()
  }), { numRuns: 200 })
}, 30_000)
