/** A member with the secret that means harm, over real connections; the two honest ones beside it go on pinning (docs/hostile-members.md). */
import { format } from 'node:util'
import { RPC } from '@libp2p/gossipsub/message'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { expect, it, onTestFinished, vi } from 'vitest'
import { createAdder } from '../../src/adder/unixfs.ts'
import { concat } from '../../src/bytes.ts'
import { createPeer } from '../../src/cluster/peer.ts'
import { rpcProtocol } from '../../src/cluster/types.ts'
import { systemClock, type ComponentLogger } from '../../src/component.ts'
import { createCrdtConsensus, type CrdtConsensus } from '../../src/consensus/crdt/crdt-consensus.ts'
import { encodeBroadcast } from '../../src/crdt/broadcast.ts'
import { topicOf } from '../../src/crdt/topic.ts'
import { bitswapExchange } from '../../src/exchange/bitswap.ts'
import { frameMessage } from '../../src/exchange/bitswap-frames.ts'
import { informers } from '../../src/informer/index.ts'
import { MemoryConnector } from '../../src/ipfs/memory.ts'
import { encodeMetric } from '../../src/monitor/metric-codec.ts'
import { metricsTopic } from '../../src/monitor/pubsub-monitor.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { unreadBytes } from '../../src/transport/libp2p-stream.ts'
import { testMetric } from '../contract/values.ts'
import { newMember } from './network.ts'
import type { Peer } from '../../src/cluster/peer.ts'
import type { Libp2pTransport, Libp2pTransportOptions } from '../../src/transport/libp2p.ts'
import type { Connection, PeerId } from '@libp2p/interface'

const crdtTopic = topicOf('ipfs-cluster')
const settings = { timeout: 20_000, interval: 50 }
let pins = 0
const newCid = async (): Promise<CID> => CID.createV1(0x55, await sha256.digest(new TextEncoder().encode(`pin ${pins++} of ${process.pid}`)))

interface Honest { readonly transport: Libp2pTransport, readonly peer: Peer, readonly lines: string[] }

async function honest (name: string, options: Partial<Libp2pTransportOptions>): Promise<Honest> {
  const lines: string[] = []
  const warn = (...values: unknown[]): void => { lines.push(format(...values)) }
  const logger: ComponentLogger = { forComponent: () => ({ debug: () => {}, info: () => {}, warn, error: warn }) }
  const transport = await newMember(options, logger)
  let consensus: CrdtConsensus | undefined
  const exchange = bitswapExchange({ transport, logger, blocks: { get: async (cid) => await consensus?.blocks.get(cid) } })
  const peer = createPeer({
    transport,
    services: [exchange],
    connector: new MemoryConnector({ id: transport.peerId, fetch: async () => new Uint8Array(1) }),
    informers: [informers.disk()],
    adder: createAdder,
    logger,
    consensus: ({ hooks, monitor }) => {
      consensus = createCrdtConsensus({ store: new MemoryStore(), exchange, pubsub: transport.pubsub, monitor, peerId: transport.peerId, hooks, clock: systemClock, logger, onConnect: (listener) => transport.onConnect(listener), streams: transport })
      return consensus
    }
  }, { peername: name, connectSwarmsDelay: 0 })
  onTestFinished(() => peer.stop())
  await peer.start()
  return { transport, peer, lines }
}

async function open (options: Partial<Libp2pTransportOptions> = {}) {
  const [one, other] = [await honest('one', options), await honest('other', options)]
  const evil = await newMember()
  onTestFinished(() => evil.stop())
  await evil.start()
  const addressOf = ({ addresses }: Libp2pTransport) => addresses
  for (const [from, to] of [[one.transport, other.transport], [evil, one.transport], [evil, other.transport]] as const) {
    const [address] = addressOf(to).call(to)
    if (address === undefined) throw new Error('no address')
    await from.connect(address)
  }
  const knows = (transport: Libp2pTransport, peer: PeerId): boolean => transport.connectedPeers().some((near) => near.equals(peer))
  const isConnected = (): boolean => knows(one.transport, evil.peerId)
  for (const topic of [crdtTopic, metricsTopic]) evil.pubsub.subscribe(topic, () => {})
  const connection = (): Connection => {
    const [found] = evil.node.getConnections(one.transport.peerId)
    if (found === undefined) throw new Error('not connected')
    return found
  }
  /** What one pins, the other one has; and both still know each other. */
  const pinsGoOn = async (): Promise<void> => {
    for (const [from, to] of [[one, other], [other, one]] as const) {
      const cid = await newCid()
      await from.peer.pin(cid)
      await vi.waitFor(async () => { expect((await to.peer.status(cid, { local: true })).peerMap.get(to.peer.peerId.toString())?.status).toBe('pinned') }, settings)
    }
    expect(knows(one.transport, other.transport.peerId)).toBe(true)
  }
  const refused = async (): Promise<void> => {
    await vi.waitFor(() => { expect(isConnected()).toBe(false) }, settings)
    const told = one.lines.filter((line) => line.includes('misbehaves'))
    expect(told).toHaveLength(1)
    expect(told[0]).toContain(evil.peerId.toString())
    // It does not come back in.
    await evil.connect(one.transport.peerId).catch(() => {})
    await vi.waitFor(() => { expect(isConnected()).toBe(false) }, settings)
    await pinsGoOn()
  }
  await pinsGoOn()
  return { one, other, evil, connection, isConnected, pinsGoOn, refused }
}

const held = ({ node }: Libp2pTransport, peer: PeerId): number =>
  node.getConnections(peer).flatMap(({ streams }) => streams).reduce((sum, stream) => sum + stream.readBufferLength + stream.writeBufferLength + unreadBytes(stream), 0)

it('thousands of streams: so many are open, and pins go on', async () => {
  const { one, evil, connection, isConnected, pinsGoOn } = await open()
  let opened = 0
  for (let round = 0; round < 30 && isConnected(); round++) {
    await Promise.all(Array.from({ length: 100 }, async () => {
      try {
        await connection().newStream(rpcProtocol, { maxOutboundStreams: 100_000, signal: AbortSignal.timeout(5000) })
        opened++
      } catch { /* that one was refused */ }
    }))
    const inbound = one.transport.node.getConnections(evil.peerId).flatMap(({ streams }) => streams).filter(({ direction }) => direction === 'inbound')
    expect(inbound.length).toBeLessThanOrEqual(2048)
  }
  expect(opened).toBeGreaterThan(500)
  await pinsGoOn()
}, 60_000)

it('bytes on streams that are not read: who sends too many is disconnected and refused', async () => {
  const { one, evil, connection, isConnected, refused } = await open({ streamLimits: { bytesPerPeer: 8_388_608 } })
  let most = 0
  for (let round = 0; round < 20 && isConnected(); round++) {
    await Promise.all(Array.from({ length: 50 }, async () => {
      try {
        const stream = await connection().newStream(rpcProtocol, { maxOutboundStreams: 100_000, signal: AbortSignal.timeout(5000) })
        // The first ones are read as headers that never end, the others wait.
        stream.send(round < 6 ? concat([Uint8Array.of(0x81, 0xd9, 0xff), new Uint8Array(200)]) : new Uint8Array(200_000))
      } catch { /* that one was refused */ }
    }))
    most = Math.max(most, held(one.transport, evil.peerId))
  }
  await refused()
  expect(most).toBeLessThan(268_435_456)
}, 60_000)

it('broadcasts that are none, and metrics of others: their author is disconnected and refused', async () => {
  const { one, other, evil, isConnected, refused } = await open()
  await vi.waitFor(() => { expect(one.peer.metrics('ping').map(({ peer }) => peer.toString())).toContain(other.peer.peerId.toString()) }, settings)
  for (let number = 0; number < 500 && isConnected(); number++) {
    await evil.pubsub.publish(crdtTopic, Uint8Array.of(1, 2, 3, number))
    await evil.pubsub.publish(metricsTopic, encodeMetric(testMetric('ping', other.peer.peerId, { valid: false, expire: 1n })))
    await new Promise((resolve) => { setTimeout(resolve, 5) })
  }
  await refused()
  expect(one.peer.metrics('ping').map(({ peer }) => peer.toString())).toContain(other.peer.peerId.toString())
}, 60_000)

/** Frames as gossipsub's, on a stream of its own. */
async function gossip (connection: () => Connection, isConnected: () => boolean, frames: number, message: (number: number) => RPC.Message): Promise<void> {
  const stream = await connection().newStream('/meshsub/1.2.0', { maxOutboundStreams: 100 })
  for (let number = 0; number < frames && isConnected(); number++) {
    const going = stream.send(frameMessage(RPC.encode({ subscriptions: [], messages: [message(number)] })))
    if (!going) await stream.onDrain({ signal: AbortSignal.timeout(10_000) })
    await new Promise((resolve) => { setTimeout(resolve, 0) })
  }
}

it('messages that are not signed well: who brings them is disconnected and refused', async () => {
  const { evil, connection, isConnected, refused } = await open()
  await gossip(connection, isConnected, 2000, (number) => ({ from: evil.peerId.toMultihash().bytes, data: Uint8Array.of(1), seqno: new Uint8Array(8).fill(number), topic: crdtTopic, signature: new Uint8Array(64) })).catch(() => {})
  await refused()
}, 60_000)

it('a megabyte for a topic nobody is on, again and again: nothing is kept of it, and who brings it is disconnected and refused', async () => {
  const { one, evil, connection, isConnected, refused } = await open()
  const data = new Uint8Array(1_000_000)
  await gossip(connection, isConnected, 1000, (number) => ({ from: evil.peerId.toMultihash().bytes, data, seqno: new Uint8Array(8).fill(number), topic: 'another topic', signature: new Uint8Array(64) })).catch(() => {})
  const { mcache } = one.transport.node.services['pubsub'] as unknown as { readonly mcache: { readonly msgs: ReadonlyMap<string, { readonly message: RPC.Message }> } }
  expect([...mcache.msgs.values()].filter(({ message }) => message.topic === 'another topic')).toEqual([])
  await refused()
}, 60_000)

it('heads that nobody can fetch, by the thousand: pins go on', async () => {
  const { evil, isConnected, pinsGoOn, one } = await open()
  for (let round = 0; round < 50 && isConnected(); round++) {
    const heads = await Promise.all(Array.from({ length: 200 }, async (_, index) => CID.createV1(0x70, await sha256.digest(Uint8Array.of(round, index, 7)))))
    await evil.pubsub.publish(crdtTopic, encodeBroadcast(heads))
  }
  await pinsGoOn()
  expect(one.peer.sync().known - one.peer.sync().synced).toBeLessThanOrEqual(2048 + 64)
}, 60_000)

it('more connections than anybody needs: the newest are closed, and pins go on', async () => {
  const { one, evil, pinsGoOn } = await open()
  const [address] = one.transport.addresses()
  if (address === undefined) throw new Error('no address')
  for (let number = 0; number < 20; number++) await evil.node.dial(address, { force: true }).catch(() => {})
  await vi.waitFor(() => { expect(one.transport.node.getConnections(evil.peerId).length).toBeLessThanOrEqual(8) }, settings)
  await pinsGoOn()
}, 60_000)
