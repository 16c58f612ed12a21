import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { encodeMetric } from '../../src/monitor/metric-codec.ts'
import { MetricStore } from '../../src/monitor/metric-store.ts'
import { metricsTopic, pubsubMonitor } from '../../src/monitor/pubsub-monitor.ts'
import { createMemoryNetwork } from '../../src/transport/memory.ts'
import { monitorContract } from '../contract/monitor.ts'
import { ManualClock, testMetric, testPeer } from '../contract/values.ts'

monitorContract('pubsub', (components) => pubsubMonitor(components))

describe('pubsub monitor', () => {
  it('shrugs off whatever bytes come', async () => {
    const clock = new ManualClock()
    const network = createMemoryNetwork({ clock })
    const [sender, receiver, honest] = [network.join(testPeer(1)), network.join(testPeer(2)), network.join(testPeer(3))]
    await Promise.all([sender, receiver, honest].map((member) => member.start()))
    const monitor = pubsubMonitor({ transport: receiver, clock })
    await monitor.start()
    onTestFinished(() => monitor.stop())
    await network.connectAll()
    const good = encodeMetric(testMetric('ping', testPeer(1), { value: '{}' }))
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.nat(good.length - 1), fc.nat(255), async (noise, at, byte) => {
      await sender.pubsub.publish(metricsTopic, noise)
      await sender.pubsub.publish(metricsTopic, good.subarray(0, at))
      await sender.pubsub.publish(metricsTopic, good.with(at, byte))
    }))
    await network.settled()
    expect(receiver.connectedPeers().map(String)).toEqual([testPeer(3).toString()])
    await honest.pubsub.publish(metricsTopic, encodeMetric(testMetric('ping', testPeer(3), { value: '{}' })))
    await network.settled()
    expect(monitor.latestPing(testPeer(3))).toMatchObject({ peerName: '' })
  })
})

describe('metric store', () => {
  const now = Date.UTC(2026, 10, 22)

  it('refuses names, values and numbers of both beyond its limits', () => {
    const store = new MetricStore({ namesPerPeer: 2, nameLength: 4, valueLength: 4, peers: 2 })
    expect(store.add(testMetric('', testPeer(1)), now)).toBe(false)
    expect(store.add(testMetric('12345', testPeer(1)), now)).toBe(false)
    expect(store.add(testMetric('a', testPeer(1), { value: '12345' }), now)).toBe(false)
    expect(['a', 'b', 'c', 'a'].map((name) => store.add(testMetric(name, testPeer(1)), now))).toEqual([true, true, false, true])
    expect([2, 3].map((number) => store.add(testMetric('a', testPeer(number)), now))).toEqual([true, false])
  })

  it('forgets a peer that is gone to let a new one in', () => {
    const store = new MetricStore({ peers: 2 })
    store.add(testMetric('a', testPeer(1), { expire: 1n }), now)
    store.add(testMetric('a', testPeer(2)), now)
    expect(store.add(testMetric('a', testPeer(3)), now)).toBe(true)
    expect(store.latestValid('a', now).map(({ peer }) => peer.toString())).toEqual([testPeer(2), testPeer(3)].map(String))
  })

  it('never keeps more of a peer than its limit, and always the newest of what it keeps', () => {
    const additions = fc.array(fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), length: fc.nat(40) }), { maxLength: 200 })
    fc.assert(fc.property(additions, (list) => {
      const store = new MetricStore({ lengthPerPeer: 100, valueLength: 40, window: 3 })
      const expected = new Map<string, string>()
      for (const [index, { name, length }] of list.entries()) {
        const value = String(index).padEnd(length, '.').slice(0, 40)
        if (store.add(testMetric(name, testPeer(1), { value }), now)) expected.set(name, value)
        else if (store.latest(name, testPeer(1)) === undefined) expected.delete(name)
      }
      const kept = [...store.newest()]
      expect(kept.reduce((sum, metric) => sum + metric.name.length + metric.value.length, 0)).toBeLessThanOrEqual(100)
      for (const [name, value] of expected) expect(store.latest(name, testPeer(1))?.value).toBe(value)
    }))
  })
})
