import type { LocalBlocks } from '../../src/exchange/exchange.ts'
import type { BitswapMessage } from '../../src/exchange/bitswap-message.ts'
import type { ByteStream, Transport } from '../../src/transport/transport.ts'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect, it, onTestFinished, vi } from 'vitest'
import { silentLogger } from '../../src/component.ts'
import { frameMessage, readMessages } from '../../src/exchange/bitswap-frames.ts'
import { bitswapProtocols, decodeMessage, emptyMessage, encodeMessage, prefixOf } from '../../src/exchange/bitswap-message.ts'
import { bitswapExchange } from '../../src/exchange/bitswap.ts'
import { createMemoryNetwork, type MemoryNetworkOptions } from '../../src/transport/memory.ts'
import { exchangeContract, newBlock } from '../contract/exchange.ts'

async function connected (count: number, options: MemoryNetworkOptions = {}) {
  const network = createMemoryNetwork(options)
  const members: Transport[] = []
  for (let index = 0; index < count; index++) {
    const member = network.join(peerIdFromPrivateKey(await generateKeyPair('Ed25519')))
    await member.start()
    members.push(member)
  }
  await network.connectAll()
  return members
}

const open = (options: MemoryNetworkOptions) => async (count: number, blocks: (index: number) => LocalBlocks) =>
  (await connected(count, options)).map((transport, index) => ({ transport, exchange: bitswapExchange({ transport, blocks: blocks(index), logger: silentLogger }, { patience: 100, retryInterval: 300 }) }))

exchangeContract('bitswap', open({}))
exchangeContract('bitswap, slow and in pieces', open({ latency: [0, 2], chunkSize: [1, 5000] }))

/** One real member, and one whose messages the test writes and reads itself. */
async function withScript (options = {}) {
  const [self, other] = await connected(2) as [Transport, Transport]
  const store = new Map<string, Uint8Array>()
  const exchange = bitswapExchange({ transport: self, blocks: { get: async (cid) => store.get(cid.toString()) }, logger: silentLogger }, options)
  await exchange.start()
  onTestFinished(() => exchange.stop())
  const heard: BitswapMessage[] = []
  await other.handle(bitswapProtocols[0], (stream) => {
    void (async () => { for await (const bytes of readMessages(stream.source, 1e7)) heard.push(decodeMessage(bytes)) })().catch(() => {})
  })
  const say = async (message: Partial<BitswapMessage>): Promise<ByteStream> => {
    const stream = await other.openStream(self.peerId, bitswapProtocols[0])
    await stream.write(frameMessage(encodeMessage({ ...emptyMessage, ...message })))
    return stream
  }
  return { self, other, store, exchange, heard, say }
}

it('answers Go: a block for a small HAVE, HAVE for a large one, DONT_HAVE only when asked for, silence otherwise', async () => {
  const { store, heard, say } = await withScript()
  const [small, large, missing, silent] = [await newBlock('small'), await newBlock('large', 5000), await newBlock('missing'), await newBlock('silent')]
  for (const { cid, bytes } of [small, large]) store.set(cid.toString(), bytes)
  await say({ wants: [{ cid: small.cid, want: 'have' }, { cid: large.cid, want: 'have' }, { cid: missing.cid, want: 'have', sendDontHave: true }, { cid: silent.cid, want: 'have' }] })
  await vi.waitFor(() => { expect(heard.length).toBe(1) })
  expect(heard[0]).toMatchObject({ blocks: [{ prefix: prefixOf(small.cid), data: small.bytes }], haves: [large.cid], dontHaves: [missing.cid] })
  await say({ wants: [{ cid: large.cid, want: 'block' }] })
  await vi.waitFor(() => { expect(heard[1]?.blocks[0]?.data).toEqual(large.bytes) })
})

it('sends a wanted block once it is offered, unless it was cancelled', async () => {
  const { store, heard, say, exchange } = await withScript()
  const [late, cancelled, dropped] = [await newBlock('late'), await newBlock('cancelled'), await newBlock('dropped')]
  await say({ wants: [{ cid: dropped.cid, want: 'block' }] })
  await say({ full: true, wants: [late, cancelled].map(({ cid }) => ({ cid, want: 'block' as const, sendDontHave: true })) })
  await vi.waitFor(() => { expect(heard.at(-1)?.dontHaves.length).toBe(2) })
  await say({ wants: [{ cid: cancelled.cid, want: 'cancel' }, { cid: (await newBlock('marker')).cid, want: 'block', sendDontHave: true }] })
  await vi.waitFor(() => { expect(heard.at(-1)?.dontHaves.length).toBe(1) })
  heard.length = 0
  for (const { cid, bytes } of [dropped, cancelled, late]) {
    store.set(cid.toString(), bytes)
    exchange.offer(cid)
  }
  await vi.waitFor(() => { expect(heard.flatMap(({ blocks }) => blocks).map(({ data }) => data)).toEqual([late.bytes]) })
})

it('groups wants into few messages, asks at most so many of one peer, and cancels what is given up', async () => {
  const { exchange, heard, other } = await withScript({ inFlight: 10, patience: 60_000, retryInterval: 60_000 })
  const blocks = await Promise.all(Array.from({ length: 30 }, async (_, index) => await newBlock(`wanted ${index}`)))
  const abort = new AbortController()
  const fetching = Promise.allSettled(blocks.map(async ({ cid }) => await exchange.fetch(cid, { signal: abort.signal, from: [other.peerId] })))
  await vi.waitFor(() => { expect(heard.flatMap(({ wants }) => wants).length).toBe(10) })
  expect(heard.length).toBeLessThanOrEqual(2)
  abort.abort(new Error('given up'))
  await fetching
  const lastWords = (): Map<string, string> => new Map(heard.flatMap(({ wants }) => wants).map(({ cid, want }) => [cid.toString(), want]))
  await vi.waitFor(() => { expect([...new Set(lastWords().values())]).toEqual(['cancel']) })
  expect(lastWords().size).toBeGreaterThanOrEqual(10)
})

it('opens one stream for many messages, and another when the remote has ended that one', async () => {
  const { exchange, other } = await withScript({ patience: 60_000, retryInterval: 60_000 })
  const streams: ByteStream[] = []
  const heard: string[] = []
  await other.unhandle(bitswapProtocols[0])
  await other.handle(bitswapProtocols[0], (stream) => {
    streams.push(stream)
    void (async () => { for await (const bytes of readMessages(stream.source, 1e7)) heard.push(...decodeMessage(bytes).wants.map(({ cid, want }) => `${want} ${cid.toString()}`)) })().catch(() => {})
  })
  const ask = async (text: string): Promise<void> => {
    const { cid } = await newBlock(text)
    const abort = new AbortController()
    const fetching = exchange.fetch(cid, { from: [other.peerId], signal: abort.signal })
    await vi.waitFor(() => { expect(heard).toContain(`block ${cid.toString()}`) })
    abort.abort(new Error('given up'))
    await expect(fetching).rejects.toThrow('given up')
    await vi.waitFor(() => { expect(heard).toContain(`cancel ${cid.toString()}`) })
  }
  await ask('first')
  await ask('second')
  expect(streams.length).toBe(1)
  streams[0]?.abort(new Error('ended'))
  await ask('third')
  expect(streams.length).toBe(2)
})

it('takes no block that does not hash to what it asked for', async () => {
  const { exchange, heard, say } = await withScript({ patience: 60_000, retryInterval: 60_000 })
  const [wanted, forged] = [await newBlock('wanted'), await newBlock('forged')]
  const fetching = exchange.fetch(wanted.cid, { signal: AbortSignal.timeout(10_000) })
  await vi.waitFor(() => { expect(heard.length).toBeGreaterThan(0) })
  await say({ blocks: [{ prefix: prefixOf(wanted.cid), data: forged.bytes }, { prefix: Uint8Array.of(9), data: wanted.bytes }] })
  await say({ blocks: [{ prefix: prefixOf(wanted.cid), data: wanted.bytes }] })
  expect(await fetching).toEqual(wanted.bytes)
})

it('resets a stream that brings nonsense, floods or oversized messages, and serves on', async () => {
  const { self, other, store, heard, say } = await withScript()
  const flood = await say({ blocks: Array.from({ length: 300 }, (_, index) => ({ prefix: Uint8Array.of(1, 0x70, 0x12, 0x20), data: Uint8Array.of(index & 0xff, index >> 8) })) })
  await vi.waitFor(() => { expect(flood.closed.aborted).toBe(true) })
  for (const bytes of [Uint8Array.of(3, 0xff, 0xff, 0xff), Uint8Array.of(0xff, 0xff, 0xff, 0x7f)]) {
    const stream = await other.openStream(self.peerId, bitswapProtocols[0])
    await stream.write(bytes)
    await vi.waitFor(() => { expect(stream.closed.aborted).toBe(true) })
  }
  const { cid, bytes } = await newBlock('still there')
  store.set(cid.toString(), bytes)
  await say({ wants: [{ cid, want: 'block' }] })
  await vi.waitFor(() => { expect(heard.at(-1)?.blocks[0]?.data).toEqual(bytes) })
})

it('turns to another peer when one refuses, is silent or leaves', async () => {
  const [self, refusing, silent, leaving, helpful] = await connected(5) as [Transport, Transport, Transport, Transport, Transport]
  const { cid, bytes } = await newBlock('with the last one')
  const exchange = bitswapExchange({ transport: self, blocks: { get: async () => undefined }, logger: silentLogger }, { patience: 100, retryInterval: 60_000 })
  const others = [[refusing, undefined], [helpful, bytes]] as const
  const serving = others.map(([transport, block]) => bitswapExchange({ transport, blocks: { get: async () => block }, logger: silentLogger }))
  for (const part of [exchange, ...serving]) {
    await part.start()
    onTestFinished(() => part.stop())
  }
  await silent.handle(bitswapProtocols[0], () => {})
  await leaving.handle(bitswapProtocols[0], () => { void leaving.stop() })
  expect(await exchange.fetch(cid, { from: [refusing, silent, leaving].map(({ peerId }) => peerId), signal: AbortSignal.timeout(10_000) })).toEqual(bytes)
})

it('tells who asks for what is there now that nobody has it, once everybody has said so', async () => {
  const [self, one, other] = await connected(3) as [Transport, Transport, Transport]
  const { cid } = await newBlock('nowhere')
  const exchange = bitswapExchange({ transport: self, blocks: { get: async () => undefined }, logger: silentLogger }, { retryInterval: 60_000 })
  const serving = [one, other].map((transport) => bitswapExchange({ transport, blocks: { get: async () => undefined }, logger: silentLogger }))
  for (const part of [exchange, ...serving]) {
    await part.start()
    onTestFinished(() => part.stop())
  }
  await expect(exchange.fetch(cid, { onlyNow: true })).rejects.toMatchObject({ name: 'BlockNotFoundError' })
  const waiting = exchange.fetch(cid, { signal: AbortSignal.timeout(10_000) })
  await expect(exchange.fetch(cid, { onlyNow: true })).rejects.toMatchObject({ name: 'BlockNotFoundError' })
  serving[0]?.offer(cid)
  await exchange.stop()
  await expect(waiting).rejects.toThrow('exchange stopped')
})

it('leaves a peer alone for longer and longer that does not answer, although it announces everything', async () => {
  const [self, silent, helpful] = await connected(3) as [Transport, Transport, Transport]
  const blocks = await Promise.all(Array.from({ length: 40 }, async (_, index) => await newBlock(`block ${index}`)))
  const held = new Map(blocks.map(({ cid, bytes }) => [cid.toString(), bytes]))
  const exchange = bitswapExchange({ transport: self, blocks: { get: async () => undefined }, logger: silentLogger }, { patience: 50, retryInterval: 60_000 })
  const serving = bitswapExchange({ transport: helpful, blocks: { get: async (cid) => held.get(cid.toString()) }, logger: silentLogger })
  for (const part of [exchange, serving]) {
    await part.start()
    onTestFinished(() => part.stop())
  }
  const asked = new Set<string>()
  await silent.handle(bitswapProtocols[0], (stream) => {
    void (async () => { for await (const bytes of readMessages(stream.source, 1e7)) for (const { cid, want } of decodeMessage(bytes).wants) if (want === 'block') asked.add(cid.toString()) })().catch(() => {})
  })
  // One after the other, as a chain is walked, each time named by the silent one only.
  for (const { cid, bytes } of blocks) expect(await exchange.fetch(cid, { from: [silent.peerId] })).toEqual(bytes)
  expect(asked.size).toBeGreaterThan(0)
  expect(asked.size).toBeLessThanOrEqual(5)
})
