/** What members can do to each other by metrics, and what not. */
import { expect, it, onTestFinished } from 'vitest'
import { encodeMetric } from '../../src/monitor/metric-codec.ts'
import { MetricStore } from '../../src/monitor/metric-store.ts'
import { metricsTopic, pubsubMonitor } from '../../src/monitor/pubsub-monitor.ts'
import { createMemoryNetwork } from '../../src/transport/memory.ts'
import { ManualClock, testMetric, testPeer } from '../contract/values.ts'
import type { Metric } from '../../src/monitor/metric.ts'
import type { PeerId } from '@libp2p/interface'

const second = 1_000_000_000n
const hour = 3_600_000

async function open () {
  const clock = new ManualClock()
  const network = createMemoryNetwork({ clock })
  const [self, evil, honest] = [network.join(testPeer(1)), network.join(testPeer(2)), network.join(testPeer(3))]
  for (const member of [self, evil, honest]) await member.start()
  const [warnings, infos]: [unknown[][], unknown[][]] = [[], []]
  const log = { debug: () => {}, info: (...values: unknown[]) => { infos.push(values) }, error: () => {}, warn: (...values: unknown[]) => { warnings.push(values) } }
  const monitor = pubsubMonitor({ transport: self, clock, logger: { forComponent: () => log } })
  await monitor.start()
  onTestFinished(() => monitor.stop())
  await network.connectAll()
  const nowNs = (): bigint => BigInt(clock.now()) * 1_000_000n
  const say = async (by: 'evil' | 'honest', metric: Metric): Promise<void> => {
    await (by === 'evil' ? evil : honest).pubsub.publish(metricsTopic, encodeMetric(metric))
    await network.settled()
  }
  const alive = (name = 'ping'): readonly PeerId[] => monitor.latestValid(name).map(({ peer }) => peer)
  const isConnected = (): boolean => self.connectedPeers().some((peer) => peer.equals(evil.peerId))
  return { clock, network, self, evil, honest, monitor, warnings, infos, nowNs, say, alive, isConnected }
}

it('a metric in the name of somebody else is refused, and costs its author its place', async () => {
  const { say, nowNs, alive, isConnected, self } = await open()
  await say('honest', testMetric('ping', testPeer(3), { expire: nowNs() + 30n * second, value: '{"peer_name":"honest"}' }))
  for (let times = 0; times < 10; times++) await say('evil', testMetric('ping', testPeer(3), { expire: nowNs() + 60n * second, valid: false, value: '{}' }))
  expect(alive()).toHaveLength(1)
  expect(isConnected()).toBe(false)
  expect(self.connectedPeers()).toHaveLength(1)
})

it('an old metric that is played again neither revives a peer nor makes one that lives look dead', async () => {
  const { clock, say, nowNs, alive, monitor, warnings } = await open()
  const old = testMetric('ping', testPeer(3), { expire: nowNs() + 30n * second })
  await say('honest', old)
  await clock.advance(2 * hour)
  expect(alive()).toEqual([])
  // The network carries it as the author's: the message is the author's own, signed long ago.
  await say('honest', old)
  expect(alive()).toEqual([])
  await say('honest', testMetric('ping', testPeer(3), { expire: nowNs() + 30n * second }))
  const before = monitor.alerts().length
  await say('honest', old)
  await clock.advance(16_000)
  expect(alive()).toHaveLength(1)
  expect(monitor.alerts()).toHaveLength(before)
  expect(warnings.filter(([message]) => String(message).includes('clock'))).toHaveLength(1)
})

it('a peer that says it lives until the year 9999 is gone an hour after its last ping; other metrics last a day', async () => {
  const { clock, say, alive } = await open()
  const expire = 2n ** 63n - 1n
  await say('evil', testMetric('ping', testPeer(2), { expire }))
  await say('evil', testMetric('freespace', testPeer(2), { expire }))
  await clock.advance(hour - 1)
  expect(alive()).toHaveLength(1)
  await clock.advance(2)
  expect([alive().length, alive('freespace').length]).toEqual([0, 1])
  await clock.advance(24 * hour)
  expect(alive('freespace')).toHaveLength(0)
})

it('what it may make us remember has an end, in names, in bytes and in peers', async () => {
  const { say, nowNs, monitor, alive } = await open()
  await say('honest', testMetric('ping', testPeer(3), { expire: nowNs() + 30n * second }))
  for (let number = 0; number < 1000; number++) await say('evil', testMetric(`name ${number}`, testPeer(2), { expire: nowNs() + 30n * second, value: 'x'.repeat(1000) }))
  expect(monitor.metricNames().length).toBeLessThanOrEqual(129)
  await say('evil', testMetric('large', testPeer(2), { expire: nowNs() + 30n * second, value: 'x'.repeat(100_000) }))
  expect(monitor.metricNames()).not.toContain('large')
  expect(alive()).toHaveLength(1)
})

it('made-up peers fill the store up to its bounds, and leave a place for who is connected', () => {
  const now = Date.UTC(2026, 10, 25)
  const [neighbour, newcomer] = [testPeer(100_001), testPeer(100_002)]
  const store = new MetricStore({ peers: 100, length: 20_000, lengthPerPeer: 1000 }, () => [neighbour, newcomer])
  expect(store.add(testMetric('ping', neighbour), now)).toBe(true)
  for (let number = 0; number < 1000; number++) {
    for (const name of ['ping', 'a', 'b']) store.add(testMetric(name, testPeer(number), { value: 'x'.repeat(300) }), now)
  }
  // Those that have a place cannot grow beyond it together.
  for (let number = 0; number < 1000; number++) for (let times = 0; times < 5; times++) store.add(testMetric('ping', testPeer(number), { value: String(times).padEnd(300) }), now)
  expect(store.length).toBeLessThanOrEqual(20_000)
  expect(store.length).toBe([...Array.from({ length: 1000 }, (_, number) => testPeer(number)), neighbour].reduce((sum, peer) => sum + store.lengthOf(peer), 0))
  expect(store.latestValid('ping', now).length).toBeLessThanOrEqual(100)
  expect(store.add(testMetric('ping', newcomer), now)).toBe(true)
  const alive = store.latestValid('ping', now).map(({ peer }) => peer.toString())
  expect(alive).toContain(neighbour.toString())
  expect(alive).toContain(newcomer.toString())
})

it('a thousand made-up peers that vanish write a few lines and keep a thousand alerts', async () => {
  const { clock, monitor, infos, nowNs } = await open()
  for (let number = 1000; number < 3000; number++) monitor.log(testMetric('ping', testPeer(number), { expire: nowNs() + second }))
  await clock.advance(15_000)
  expect(monitor.alerts()).toHaveLength(1000)
  expect(infos.length).toBeLessThanOrEqual(20)
  await clock.advance(15_000)
  monitor.log(testMetric('ping', testPeer(1), { expire: nowNs() + second }))
  await clock.advance(15_000)
  expect(infos.at(-1)?.at(-1)).toBe('(1980 lines of this kind were left out)')
})

it('names of many peers together have an end, at which every peer may still have those that matter', () => {
  const now = Date.UTC(2026, 10, 25)
  const store = new MetricStore({ names: 100 })
  for (let number = 0; number < 50; number++) for (let name = 0; name < 20; name++) store.add(testMetric(`name ${name}`, testPeer(number)), now)
  expect([...store.newest()].length).toBe(5 * 20 + 45 * 8)
})
