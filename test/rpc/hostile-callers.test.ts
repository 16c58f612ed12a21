/** A caller that knows the secret and means harm, beside one that does not. */
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect, it, onTestFinished, vi } from 'vitest'
import { concat } from '../../src/bytes.ts'
import { rpcProtocol } from '../../src/cluster/types.ts'
import { silentLogger, stopAll } from '../../src/component.ts'
import { createRpcClient } from '../../src/rpc/client.ts'
import { callHeader } from '../../src/rpc/method-schemas.ts'
import { serveRpc, type RpcServerOptions } from '../../src/rpc/server.ts'
import { createMemoryNetwork } from '../../src/transport/memory.ts'
import { ManualClock } from '../contract/values.ts'
import type { RpcMethodName } from '../../src/rpc/methods.ts'
import type { CallContext, RpcHandlers } from '../../src/rpc/rpc.ts'
import type { ByteStream } from '../../src/transport/transport.ts'

const peerOf = async (seed: number) => peerIdFromPrivateKey(await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(seed)))
const untilGone = async ({ signal }: CallContext): Promise<never> => {
  if (!signal.aborted) await new Promise((resolve) => { signal.addEventListener('abort', resolve, { once: true }) })
  throw signal.reason
}

async function open (handlers: RpcHandlers, { limits, maxInboundStreams }: RpcServerOptions = {}) {
  const clock = new ManualClock()
  const network = createMemoryNetwork({ clock })
  const [self, evil, honest] = [network.join(await peerOf(1)), network.join(await peerOf(2)), network.join(await peerOf(3))]
  const members = [self, evil, honest]
  for (const member of members) await member.start()
  await network.connectAll()
  const stop = await serveRpc({ transport: self, handlers: { 'Cluster.Version': async () => '1', ...handlers }, trust: { isTrusted: () => true }, logger: silentLogger, clock }, { limits, maxInboundStreams })
  onTestFinished(async () => {
    await stop()
    await stopAll(members)
  })
  const call = async (method: RpcMethodName, argument: Uint8Array = Uint8Array.of(0x80)): Promise<ByteStream> => {
    const stream = await evil.openStream(self.peerId, rpcProtocol)
    await stream.write(concat([callHeader(method), argument]))
    return stream
  }
  const honestCall = async (): Promise<string> => await createRpcClient({ transport: honest, local: {} }).call(self.peerId, 'Cluster.Version', {})
  const isConnected = (): boolean => self.connectedPeers().some((peer) => peer.equals(evil.peerId))
  return { clock, self, evil, call, honestCall, isConnected }
}

it('runs so many calls of one caller, lets so many wait, and ends the connection of who goes on', async () => {
  let [running, most] = [0, 0]
  const { call, honestCall, isConnected } = await open({ 'Cluster.ID': async (_, context) => {
    most = Math.max(most, ++running)
    return await untilGone(context).finally(() => { running-- })
  } }, { limits: { running: 10, waiting: 20 }, maxInboundStreams: 100_000 })
  for (let number = 0; number < 30; number++) await call('Cluster.ID')
  await vi.waitFor(() => { expect(running).toBe(10) })
  expect(await honestCall()).toBe('1')
  expect(isConnected()).toBe(true)
  for (let number = 0; number < 25 && isConnected(); number++) await call('Cluster.ID').catch(() => {})
  await vi.waitFor(() => { expect(isConnected()).toBe(false) })
  await vi.waitFor(() => { expect(running).toBe(0) })
  expect(most).toBe(10)
  expect(await honestCall()).toBe('1')
})

it('what waits gets its turn, in order, and one that left is not waited for', async () => {
  const turns: string[] = []
  const gate = Promise.withResolvers<void>()
  const { call, evil, self } = await open({ 'Cluster.Version': async () => {
    await gate.promise
    turns.push('turn')
    return '1'
  } }, { limits: { running: 1 } })
  const client = createRpcClient({ transport: evil, local: {} })
  const first = client.call(self.peerId, 'Cluster.Version', {})
  const leaving = await call('Cluster.Version')
  const last = client.call(self.peerId, 'Cluster.Version', {})
  leaving.abort(new Error('changed my mind'))
  gate.resolve()
  expect(await Promise.all([first, last])).toEqual(['1', '1'])
  expect(turns).toHaveLength(2)
})

it('lists everything a few times at once for one caller, however often it asks', async () => {
  let listing = 0
  const { call, honestCall, isConnected } = await open({ 'PinTracker.StatusAll': async function * (_, context) {
    listing++
    await untilGone(context)
    yield * []
  } }, { limits: { heavy: 2 } })
  for (let number = 0; number < 50; number++) await call('PinTracker.StatusAll', Uint8Array.of(0))
  await vi.waitFor(() => { expect(listing).toBe(2) })
  expect(await honestCall()).toBe('1')
  expect(listing).toBe(2)
  expect(isConnected()).toBe(true)
})

it('holds only so much of arguments that never become complete', async () => {
  const { call, honestCall, isConnected } = await open({ 'IPFSConnector.BlockStream': async function * (blocks) {
    for await (const block of blocks) expect(block).toBeDefined()
    yield * []
  } }, { limits: { bytes: 1_000_000 } })
  // One byte less than it says.
  const almost = concat([Uint8Array.of(0x81, 0xa1, 0x64, 0xdb, 0, 1, 0, 0), new Uint8Array(65_535)])
  const streams: ByteStream[] = []
  for (let number = 0; number < 200 && isConnected(); number++) await call('IPFSConnector.BlockStream', almost).then((stream) => { streams.push(stream) }, () => {})
  await vi.waitFor(() => { expect(isConnected()).toBe(false) })
  // So many fit.
  expect(streams.length).toBeGreaterThanOrEqual(15)
  expect(await honestCall()).toBe('1')
})

it.each([
  ['a header', async (evil: Awaited<ReturnType<typeof open>>['evil'], self: Awaited<ReturnType<typeof open>>['self']) => {
    const stream = await evil.openStream(self.peerId, rpcProtocol)
    await stream.write(callHeader('Cluster.Version').subarray(0, 5))
    return stream
  }],
  ['an argument', async (evil: Awaited<ReturnType<typeof open>>['evil'], self: Awaited<ReturnType<typeof open>>['self']) => {
    const stream = await evil.openStream(self.peerId, rpcProtocol)
    await stream.write(concat([callHeader('IPFSConnector.BlockStream'), Uint8Array.of(0x81, 0xa1)]))
    return stream
  }]
])('waits a minute for the rest of %s', async (_, begin) => {
  const { clock, evil, self, honestCall } = await open({ 'IPFSConnector.BlockStream': async function * (blocks) {
    for await (const block of blocks) expect(block).toBeDefined()
    yield * []
  } })
  const stream = await begin(evil, self)
  await vi.waitFor(() => { expect(clock.waiting).toBeGreaterThan(0) })
  expect(stream.closed.aborted).toBe(false)
  await clock.advance(60_000)
  await vi.waitFor(() => { expect(stream.closed.aborted).toBe(true) })
  expect(await honestCall()).toBe('1')
})

it('disconnects who sends what does not decode, again and again', async () => {
  const { call, honestCall, isConnected } = await open({ 'Cluster.PeerAdd': async () => { throw new Error('called') } })
  let calls = 0
  while (calls < 100 && isConnected()) {
    calls++
    await call('Cluster.PeerAdd', Uint8Array.of(0xc1)).then(async (stream) => { for await (const part of stream.source) expect(part).toBeDefined() }, () => {}).catch(() => {})
  }
  expect(calls).toBe(20)
  expect(isConnected()).toBe(false)
  expect(await honestCall()).toBe('1')
})

it('arguments have small bounds where what they carry is small', async () => {
  const { call } = await open({ 'Cluster.PeerAdd': async () => { throw new Error('called') } })
  const stream = await call('Cluster.PeerAdd', concat([Uint8Array.of(0xda, 0x20, 0), new Uint8Array(100)]))
  let answer = ''
  for await (const part of stream.source) answer += new TextDecoder().decode(part)
  expect(answer).toContain('value of more than 4096 bytes')
})

it('calls that others refuse for lack of rights are nobody\'s fault', async () => {
  const { call, isConnected } = await open({})
  for (let number = 0; number < 200; number++) await call('Cluster.RepoGCLocal')
  expect(isConnected()).toBe(true)
})

it('a peer that is asked and says nothing for five minutes is not waited for', async () => {
  const { clock, self, evil } = await open({})
  await evil.handle(rpcProtocol, () => {})
  const client = createRpcClient({ transport: self, local: {}, clock })
  const listing = (async () => { for await (const info of client.stream(evil.peerId, 'PinTracker.StatusAll', [0])) expect(info).toBeUndefined() })()
  const outcome = expect(listing).rejects.toThrow('no progress')
  await vi.waitFor(() => { expect(clock.waiting).toBeGreaterThan(0) })
  await clock.advance(300_000)
  await outcome
})
