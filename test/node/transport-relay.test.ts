/** Members that nobody can dial, as tabs are: they meet at a relay, and go on without it. */
import type { Libp2pTransport } from '../../src/transport/libp2p.ts'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, it, onTestFinished, vi } from 'vitest'
import { stopAll } from '../../src/component.ts'
import { newHiddenMember, newMember } from './network.ts'

async function start (...members: Libp2pTransport[]): Promise<void> {
  onTestFinished(() => stopAll(members))
  for (const member of members) await member.start()
}

const address = (member: Libp2pTransport) => member.addresses()[0] ?? multiaddr('/ip4/127.0.0.1/tcp/1')

/** Both hidden members have a place at the relay. */
async function meet (relay: Libp2pTransport, ...hidden: Libp2pTransport[]): Promise<void> {
  for (const member of hidden) await member.connect(address(relay))
  for (const member of hidden) await vi.waitFor(() => { expect(member.addresses().map(String).some((text) => text.includes('/p2p-circuit/webrtc/'))).toBe(true) }, { timeout: 15_000 })
}

const echo = async (to: Libp2pTransport, from: Libp2pTransport): Promise<readonly number[]> => {
  const stream = await from.openStream(to.peerId, '/test/1.0.0', { signal: AbortSignal.timeout(25_000) })
  await stream.write(Uint8Array.of(1, 2, 3))
  await stream.closeWrite()
  const parts: number[] = []
  for await (const part of stream.source) parts.push(...part)
  return parts
}

const serveEcho = async (member: Libp2pTransport): Promise<void> => {
  await member.handle('/test/1.0.0', (stream) => {
    void (async () => {
      for await (const part of stream.source) await stream.write(part)
      await stream.closeWrite()
    })().catch(() => {})
  })
}

it('hidden members find each other through the relay, connect directly, and lose no message when it dies', async () => {
  const relay = await newMember({ listen: [multiaddr('/ip4/127.0.0.1/tcp/0/ws')] })
  const [one, other] = [await newHiddenMember({ seek: 4 }), await newHiddenMember({ seek: 4 })]
  await start(relay, one, other)
  for (const member of [relay, one, other]) member.pubsub.subscribe('topic', () => {})
  await meet(relay, one, other)
  await serveEcho(other)
  // Nobody tells them of each other: what they publish does.
  await vi.waitFor(async () => {
    await one.pubsub.publish('topic', Uint8Array.of(0))
    await other.pubsub.publish('topic', Uint8Array.of(0))
    expect([one, other].map((member) => member.connectedPeers().length)).toEqual([2, 2])
  }, { timeout: 40_000, interval: 300 })
  const direct = one.node.getConnections(other.peerId).filter(({ limits }) => limits === undefined)
  expect(direct.map(({ remoteAddr }) => remoteAddr.toString()).every((text) => text.includes('/webrtc'))).toBe(true)
  expect(await echo(other, one)).toEqual([1, 2, 3])

  const heard: number[] = []
  other.pubsub.subscribe('after', ({ data }) => heard.push(data[0] ?? -1))
  one.pubsub.subscribe('after', () => {})
  await vi.waitFor(async () => {
    await one.pubsub.publish('after', Uint8Array.of(0))
    expect(heard.length).toBeGreaterThan(0)
  }, { timeout: 20_000, interval: 200 })
  const sent = Array.from({ length: 100 }, (_, index) => index + 1)
  for (const number of sent) {
    if (number === 50) await relay.stop()
    await one.pubsub.publish('after', Uint8Array.of(number))
  }
  await vi.waitFor(() => { expect(heard.filter((number) => number > 0).toSorted((a, b) => a - b)).toEqual(sent) }, { timeout: 20_000 })
  expect(await echo(other, one)).toEqual([1, 2, 3])
  expect(one.connectedPeers().map(String)).toEqual([other.peerId.toString()])
})

it('where no direct way is found, streams go through the relay and the peer counts as connected', async () => {
  const relay = await newMember()
  const [one, other] = [await newHiddenMember(), await newHiddenMember({}, [multiaddr('/p2p-circuit')])]
  await start(relay, one, other)
  await meet(relay, one)
  await other.connect(address(relay))
  await vi.waitFor(() => { expect(other.addresses().map(String).some((text) => text.includes('/p2p-circuit/'))).toBe(true) }, { timeout: 15_000 })
  // Without WebRTC on one side there is no other way.
  await other.node.unhandle('/webrtc-signaling/0.0.1')
  await serveEcho(other)
  expect(await echo(other, one)).toEqual([1, 2, 3])
  expect(one.connectedPeers().map(String)).toContain(other.peerId.toString())
  expect(one.node.getConnections(other.peerId).every(({ limits }) => limits !== undefined)).toBe(true)
})
