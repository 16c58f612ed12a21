import type { Libp2pTransport } from '../../src/transport/libp2p.ts'
import type { ComponentLogger } from '../../src/component.ts'
import type { PeerDiscoveryEvents } from '@libp2p/interface'
import { createServer } from 'node:net'
import { format } from 'node:util'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { TypedEventEmitter } from '@libp2p/interface'
import { preSharedKey } from '@libp2p/pnet'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { expect, it, onTestFinished, vi } from 'vitest'
import { nodeTransports } from '../../node/transport/node-transports.ts'
import { silentLogger, stopAll } from '../../src/component.ts'
import { createLibp2pTransport } from '../../src/transport/libp2p.ts'
import { needsRelay } from '../../src/transport/relay-client.ts'
import { newMember, secret, webSocketListen } from './network.ts'

const otherSecret = 'fedcba9876543210'.repeat(4)

async function start (...members: Libp2pTransport[]): Promise<void> {
  onTestFinished(() => stopAll(members))
  for (const member of members) await member.start()
}

const address = (member: Libp2pTransport) => member.addresses()[0] ?? multiaddr('/ip4/127.0.0.1/tcp/1')

function collectingLogger (): { logger: ComponentLogger, lines: string[] } {
  const lines: string[] = []
  const note = (...values: unknown[]): void => { lines.push(format(...values)) }
  return { lines, logger: { forComponent: () => ({ debug: () => {}, info: note, warn: note, error: note }) } }
}

it('speaks with a node that guards its swarm by @libp2p/pnet', async () => {
  const library = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] }, transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()],
    connectionProtector: preSharedKey({ psk: new TextEncoder().encode(`/key/swarm/psk/1.0.0/\n/base16/\n${secret}\n`) })
  })
  onTestFinished(() => library.stop())
  const ours = await newMember()
  await start(ours)
  const got = Promise.withResolvers<string>()
  await library.handle('/test/1.0.0', (stream) => { stream.addEventListener('message', ({ data }) => { got.resolve(new TextDecoder().decode(data.subarray())) }) })
  const [there] = library.getMultiaddrs()
  if (there === undefined) throw new Error('no address')
  const stream = await ours.openStream(await ours.connect(there), '/test/1.0.0')
  await stream.write(new TextEncoder().encode('through the same keystream'))
  expect(await got.promise).toBe('through the same keystream')
  const inbound = await newMember()
  await start(inbound)
  await library.dial(address(inbound))
  await vi.waitFor(() => { expect(inbound.connectedPeers().map(String)).toEqual([library.peerId.toString()]) })
})

it.each([['TCP', {}], ['WebSocket', { listen: webSocketListen }]])('refuses another secret over %s at once, logs it once on each side, and dials no more for a while', async (_, options) => {
  const [here, there] = [collectingLogger(), collectingLogger()]
  const one = await newMember({ ...options, secret: otherSecret }, here.logger)
  const other = await newMember(options, there.logger)
  await start(one, other)
  for (let attempt = 0; attempt < 3; attempt++) {
    const before = Date.now()
    await expect(one.connect(address(other))).rejects.toMatchObject({ name: 'DifferentSecretError' })
    expect(Date.now() - before).toBeLessThan(2000)
  }
  await one.remember(other.addresses())
  await expect(one.connect(other.peerId)).rejects.toMatchObject({ name: 'DialError' })
  expect([one.connectedPeers(), other.connectedPeers()]).toEqual([[], []])
  expect(here.lines).toEqual([`connection to ${address(other).decapsulate('/p2p').toString()} refused: different cluster secret?`])
  await vi.waitFor(() => { expect(there.lines.length).toBeLessThanOrEqual(1) })
  for (const line of [...here.lines, ...there.lines]) expect(line).toMatch(/different cluster secret\?$/)
})

it('refuses a peer without a secret, and one with a secret in an open swarm', async () => {
  const [closed, open] = [await newMember({ dialTimeout: 1500 }), await newMember({ secret: '', dialTimeout: 1500 })]
  await start(closed, open)
  await expect(closed.connect(address(open))).rejects.toThrow()
  await expect(open.connect(address(closed))).rejects.toThrow()
  expect([closed.connectedPeers(), open.connectedPeers()]).toEqual([[], []])
})

it('names the key of a malformed secret, and never the secret', async () => {
  const failure = await newMember({ secret: `${secret}00` }).catch((error: unknown) => error)
  expect(failure).toMatchObject({ name: 'InvalidConfigError', key: 'cluster.secret' })
  expect(String(failure)).not.toContain(secret)
})

it('names address and key when the port is taken', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  onTestFinished(() => new Promise<void>((resolve) => { server.close(() => { resolve() }) }))
  const taken = server.address()
  if (taken === null || typeof taken === 'string') throw new Error('no port')
  const where = `/ip4/127.0.0.1/tcp/${taken.port}`
  const member = await newMember({ listen: [multiaddr(where)] })
  const failure = await member.start().catch((error: unknown) => error)
  expect(failure).toMatchObject({ name: 'InvalidConfigError', key: 'cluster.listen_multiaddress' })
  expect(String(failure)).toContain(where)
  expect(String(failure)).toContain('another program uses the port')
})

it('skips QUIC addresses, announces what it is told to, and hides what it is told to', async () => {
  const member = await newMember({ listen: ['/ip4/127.0.0.1/udp/0/quic', '/ip4/127.0.0.1/udp/0/quic-v1', '/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'].map((text) => multiaddr(text)) })
  const announcing = await newMember({ announce: ['/dns4/cluster.example/tcp/443/wss', '/ip4/10.1.2.3/tcp/9096', '/ip4/9.9.9.9/tcp/1'].map((text) => multiaddr(text)), noAnnounce: [multiaddr('/ip4/10.0.0.0/ipcidr/8'), multiaddr('/ip4/9.9.9.9/tcp/1')] })
  await start(member, announcing)
  expect(member.addresses().length).toBe(2)
  expect(announcing.addresses().map(String)).toEqual([`/dns4/cluster.example/tcp/443/wss/p2p/${announcing.peerId.toString()}`])
})

it('finds a member through another one, by the DHT of the members', async () => {
  const [hub, one, other] = [await newMember(), await newMember(), await newMember()]
  await start(hub, one, other)
  await one.connect(address(hub))
  await other.connect(address(hub))
  await vi.waitFor(async () => {
    expect((await one.connect(other.peerId, { signal: AbortSignal.timeout(3000) })).equals(other.peerId)).toBe(true)
  }, { timeout: 20_000, interval: 200 })
})

it('says who it is, and protects connections by tags', async () => {
  const [one, other] = [await newMember({ agentVersion: 'pinswarm/9.9.9' }), await newMember()]
  await start(one, other)
  other.protect(one.peerId)
  await one.connect(address(other))
  await vi.waitFor(async () => {
    const peer = await other.node.peerStore.get(one.peerId)
    expect(new TextDecoder().decode(peer.metadata.get('AgentVersion'))).toBe('pinswarm/9.9.9')
    expect([...peer.tags.keys()]).toEqual(expect.arrayContaining(['keep-alive-pinswarm', 'pinswarm-protected']))
    expect((await other.known()).map(({ peer }) => peer.toString())).toEqual([one.peerId.toString()])
  }, { timeout: 10_000 })
})

it('comes back to a protected member by itself', async () => {
  const [one, other] = [await newMember(), await newMember()]
  await start(one, other)
  one.protect(other.peerId)
  await one.connect(address(other))
  await vi.waitFor(async () => { expect((await one.node.peerStore.get(other.peerId)).tags.has('keep-alive-pinswarm')).toBe(true) })
  await other.node.hangUp(one.peerId)
  const connects: string[] = []
  one.onConnect((peer) => connects.push(peer.toString()))
  await vi.waitFor(() => { expect(one.connectedPeers().length).toBe(1) }, { timeout: 20_000 })
})

it('trims old connections above the high water, but no protected ones', async () => {
  const hub = await newMember({ highWater: 4, lowWater: 2, gracePeriod: 0 })
  const others = await Promise.all(Array.from({ length: 5 }, async () => await newMember()))
  await start(hub, ...others)
  const [first] = others
  if (first === undefined) throw new Error('no member')
  hub.protect(first.peerId)
  for (const other of others) await other.connect(address(hub))
  await vi.waitFor(() => { expect(hub.connectedPeers().length).toBe(2) })
  expect(hub.connectedPeers().map(String)).toContain(first.peerId.toString())
})

it('dials whom a discovery finds', async () => {
  const found = new TypedEventEmitter<PeerDiscoveryEvents>()
  const listen = [multiaddr('/ip4/127.0.0.1/tcp/0')]
  const one = await createLibp2pTransport({ ...nodeTransports({ listen, secret }), peerDiscovery: [() => found], privateKey: await generateKeyPair('Ed25519'), logger: silentLogger }, { listen, secret })
  const other = await newMember()
  await start(one, other)
  found.dispatchEvent(new CustomEvent('peer', { detail: { id: other.peerId, multiaddrs: other.node.getMultiaddrs().map((there) => there.decapsulate('/p2p')) } }))
  await vi.waitFor(() => { expect(one.connectedPeers().map(String)).toEqual([other.peerId.toString()]) })
})

it('reaches a member through a relay, and counts it once there is a direct connection beside that', async () => {
  const [relay, caller] = [await newMember(), await newMember()]
  await start(relay, caller)
  const hidden = await newMember({ listen: [address(relay).encapsulate('/p2p-circuit')] })
  await start(hidden)
  await hidden.handle('/test/1.0.0', () => {})
  const through = await vi.waitFor(() => {
    const [there] = hidden.addresses()
    if (there === undefined) throw new Error('no place at the relay yet')
    return there
  })
  expect(through.toString()).toContain('/p2p-circuit/')
  expect((await caller.connect(through, { signal: AbortSignal.timeout(10_000) })).equals(hidden.peerId)).toBe(true)
  const stream = await caller.openStream(hidden.peerId, '/test/1.0.0', { signal: AbortSignal.timeout(10_000) })
  stream.abort(new Error('seen'))
  expect(caller.connectedPeers().map(String)).toContain(hidden.peerId.toString())
  // The relay limits what goes over it; what the two have found instead is not limited: WebRTC, or the hidden one has dialled the other by TCP.
  await vi.waitFor(() => { expect(caller.node.getConnections(hidden.peerId).some(({ limits }) => limits === undefined)).toBe(true) }, { timeout: 30_000 })
})

it('wants a relay when it has members in the world and no address there', () => {
  const state = (addresses: string[], connections: string[]) => ({
    addressManager: { getAddresses: () => addresses.map((text) => multiaddr(text)) },
    connectionManager: { getConnections: () => connections.map((text) => ({ remoteAddr: multiaddr(text) })) }
  })
  expect(needsRelay(state(['/ip4/192.168.1.2/tcp/1'], ['/ip4/9.9.9.9/tcp/1']))).toBe(true)
  expect(needsRelay(state(['/ip4/192.168.1.2/tcp/1', '/ip4/8.8.8.8/tcp/1'], ['/ip4/9.9.9.9/tcp/1']))).toBe(false)
  expect(needsRelay(state(['/dns4/cluster.example/tcp/1'], ['/ip4/9.9.9.9/tcp/1']))).toBe(false)
  expect(needsRelay(state(['/ip4/127.0.0.1/tcp/1'], ['/ip4/127.0.0.1/tcp/2', '/ip4/10.0.0.1/tcp/3']))).toBe(false)
})
