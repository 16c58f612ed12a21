import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createMemoryNetwork } from '../../src/transport/memory.ts'
import { encodePingValue } from '../../src/monitor/ping-value.ts'
import { ManualClock, testMetric, testPeer } from './values.ts'
import type { Monitor } from '../../src/monitor/monitor.ts'
import type { Alert, Metric } from '../../src/monitor/metric.ts'
import type { Transport } from '../../src/transport/transport.ts'
import type { PeerId } from '@libp2p/interface'

export interface MonitorSettings { readonly transport: Transport, readonly clock: ManualClock }

const [one, two, three] = [testPeer(1), testPeer(2), testPeer(3)]

/** What every monitor promises (wire.md §4). `open` gives one that checks every 15 s, not started. */
export function monitorContract (name: string, open: (settings: MonitorSettings) => Monitor): void {
  async function setup (...peers: readonly PeerId[]) {
    const clock = new ManualClock()
    const network = createMemoryNetwork({ clock })
    const nodes = await Promise.all(peers.map(async (peer) => {
      const transport = network.join(peer)
      await transport.start()
      const monitor = open({ transport, clock })
      await monitor.start()
      onTestFinished(async () => { await monitor.stop(); await transport.stop() })
      return { transport, monitor }
    }))
    await network.connectAll()
    const metric = (metricName: string, peer: PeerId, change: Partial<Metric> & { readonly ttl?: number } = {}): Metric =>
      testMetric(metricName, peer, { expire: BigInt(clock.now() + (change.ttl ?? 30_000)) * 1_000_000n, ...change })
    const node = (index: number) => {
      const found = nodes[index]
      if (found === undefined) throw new Error(`no node ${index}`)
      return found
    }
    return { clock, network, node, metric }
  }
  const values = (metrics: readonly Metric[]): readonly string[] => metrics.map((metric) => metric.value)
  const names = (alerts: readonly Alert[]): readonly string[] => alerts.map((alert) => `${alert.name} ${alert.peer.toString()}`)

  describe(`monitor: ${name}`, () => {
    it('shares a metric with everybody, itself included', async () => {
      const { node, metric, clock } = await setup(one, two)
      await node(0).monitor.publish(metric('freespace', one, { value: '12', weight: 12n, partitionable: true }))
      for (const index of [0, 1]) {
        await vi.waitFor(() => {
          expect(node(index).monitor.latestValid('freespace')).toMatchObject([{ name: 'freespace', value: '12', weight: 12n, partitionable: true, valid: true, receivedAt: BigInt(clock.now()) * 1_000_000n }])
        })
        expect(node(index).monitor.metricNames()).toEqual(['freespace'])
      }
    })

    it('keeps what is logged to itself', async () => {
      const { node, metric, network } = await setup(one, two)
      node(0).monitor.log(metric('ping', three))
      await network.settled()
      expect(node(0).monitor.latestValid('ping')).toHaveLength(1)
      expect(node(1).monitor.latestValid('ping')).toEqual([])
    })

    it('gives the latest of each peer, by ID, while it is valid', async () => {
      const { node, metric, clock } = await setup(one)
      const { monitor } = node(0)
      for (const [peer, value] of [[three, 'c'], [one, 'x'], [two, 'b'], [one, 'a']] as const) monitor.log(metric('m', peer, { value }))
      expect(values(monitor.latestValid('m'))).toEqual(['a', 'b', 'c'])
      monitor.log(metric('m', two, { valid: false }))
      expect(values(monitor.latestValid('m'))).toEqual(['a', 'c'])
      await clock.advance(20_000)
      monitor.log(metric('m', three, { value: 'd' }))
      await clock.advance(10_001)
      expect(values(monitor.latestValid('m'))).toEqual(['d'])
      expect(monitor.latestValid('unknown')).toEqual([])
    })

    it('publishes nothing that is not valid', async () => {
      const { node, metric, network } = await setup(one, two)
      await node(0).monitor.publish(metric('freespace', one, { valid: false }))
      await network.settled()
      for (const index of [0, 1]) expect(node(index).monitor.metricNames()).toEqual([])
    })

    it('drops what others say in a peer\'s name', async () => {
      const { node, metric, network } = await setup(one, two)
      await node(0).monitor.publish(metric('ping', three))
      await network.settled()
      expect(node(1).monitor.latestValid('ping')).toEqual([])
    })

    it('reads the ping of a peer, expired or not', async () => {
      const { node, metric, clock } = await setup(one)
      const { monitor } = node(0)
      expect(monitor.latestPing(two)).toBeUndefined()
      monitor.log(metric('ping', two, { value: encodePingValue({ peerName: 'zwei', ipfsId: three, ipfsAddresses: [] }) }))
      await clock.advance(100_000)
      expect(monitor.latestPing(two)).toMatchObject({ peerName: 'zwei' })
      expect(monitor.latestPing(two)?.ipfsId?.equals(three)).toBe(true)
      monitor.log(metric('ping', two, { value: 'not JSON' }))
      expect(monitor.latestPing(two)).toBeUndefined()
    })

    it('alerts once when a metric expires, and again after a new one expired', async () => {
      const { node, metric, clock } = await setup(one)
      const { monitor } = node(0)
      const heard: Alert[] = []
      monitor.onAlert((alert) => { heard.push(alert) })
      monitor.log(metric('ping', two))
      monitor.log(metric('freespace', two, { ttl: 60_000 }))
      await clock.advance(46_000)
      expect(names(monitor.alerts())).toEqual([`ping ${two}`])
      await clock.advance(45_000)
      expect(names(monitor.alerts())).toEqual([`freespace ${two}`, `ping ${two}`])
      await clock.advance(120_000)
      expect(heard).toHaveLength(2)
      monitor.log(metric('ping', two))
      await clock.advance(46_000)
      expect(names(monitor.alerts())).toEqual([`ping ${two}`, `freespace ${two}`, `ping ${two}`])
      expect(heard.at(-1)?.triggeredAt).toBeGreaterThan(heard[0]?.triggeredAt ?? 0)
    })

    it('alerts again about a peer that stays away for 300 checks', async () => {
      const { node, metric, clock } = await setup(one)
      const { monitor } = node(0)
      monitor.log(metric('ping', two, { ttl: 1 }))
      await clock.advance(15_000 * 300)
      expect(monitor.alerts()).toHaveLength(1)
      await clock.advance(15_000)
      expect(monitor.alerts()).toHaveLength(2)
    })

    it('keeps a thousand alerts', async () => {
      const { node, metric, clock } = await setup(one)
      const { monitor } = node(0)
      for (let number = 0; number < 1100; number++) monitor.log(metric('ping', testPeer(number), { ttl: 1 }))
      await clock.advance(15_000)
      expect(monitor.alerts()).toHaveLength(1000)
    })

    it('survives a listener that throws, and stops listening on request', async () => {
      const { node, metric, clock } = await setup(one)
      const { monitor } = node(0)
      let heard = 0
      monitor.onAlert(() => { throw new Error('listener') })
      const forget = monitor.onAlert(() => { heard++ })
      monitor.log(metric('ping', two, { ttl: 1 }))
      await clock.advance(15_000)
      forget()
      monitor.log(metric('ping', three, { ttl: 1 }))
      await clock.advance(15_000)
      expect([heard, monitor.alerts().length]).toEqual([1, 2])
    })

    it('hears nothing after it stopped, and stops twice', async () => {
      const { node, metric, network } = await setup(one, two)
      await node(1).monitor.stop()
      await node(1).monitor.stop()
      await node(0).monitor.publish(metric('m', one))
      await network.settled()
      expect(node(1).monitor.latestValid('m')).toEqual([])
    })
  })
}
