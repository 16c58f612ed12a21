/** Members that ask for blocks in ways that no honest one does. */
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { identity } from 'multiformats/hashes/identity'
import { expect, it, onTestFinished, vi } from 'vitest'
import { concat } from '../../src/bytes.ts'
import { silentLogger, stopAll } from '../../src/component.ts'
import { frameMessage } from '../../src/exchange/bitswap-frames.ts'
import { bitswapProtocols, decodeMessage, emptyMessage, encodeMessage } from '../../src/exchange/bitswap-message.ts'
import { bitswapExchange } from '../../src/exchange/bitswap.ts'
import { contentProtocol, encodeRequest } from '../../src/exchange/content-frames.ts'
import { ContentExchange } from '../../src/exchange/content.ts'
import { createMemoryNetwork } from '../../src/transport/memory.ts'
import { newBlock } from '../contract/exchange.ts'
import { ManualClock } from '../contract/values.ts'
import type { LocalBlocks } from '../../src/exchange/exchange.ts'
import type { ByteStream } from '../../src/transport/transport.ts'

async function open (blocks: LocalBlocks, clock = new ManualClock()) {
  const network = createMemoryNetwork()
  const [self, evil, honest] = await Promise.all([1, 2, 3].map(async () => network.join(peerIdFromPrivateKey(await generateKeyPair('Ed25519')))))
  if (self === undefined || evil === undefined || honest === undefined) throw new Error('three members')
  const members = [self, evil, honest]
  for (const member of members) await member.start()
  await network.connectAll()
  onTestFinished(() => stopAll(members))
  const isConnected = (): boolean => self.connectedPeers().some((peer) => peer.equals(evil.peerId))
  const bitswap = bitswapExchange({ transport: self, blocks, logger: silentLogger })
  const content = new ContentExchange({ transport: self, blocks, logger: silentLogger, clock })
  for (const exchange of [bitswap, content]) {
    await exchange.start()
    onTestFinished(() => exchange.stop())
  }
  const say = async (protocol: string, bytes: Uint8Array): Promise<ByteStream> => {
    const stream = await evil.openStream(self.peerId, protocol)
    await stream.write(bytes)
    return stream
  }
  /** What an honest member gets, by both ways. */
  const honestFetch = async (cid: CID): Promise<readonly Uint8Array[]> => {
    const theirs = [bitswapExchange({ transport: honest, blocks: { get: async () => undefined }, logger: silentLogger }), new ContentExchange({ transport: honest, blocks: { get: async () => undefined }, logger: silentLogger })]
    for (const exchange of theirs) await exchange.start()
    try { return await Promise.all(theirs.map(async (exchange) => await exchange.fetch(cid, { signal: AbortSignal.timeout(10_000) }))) } finally { await stopAll(theirs) }
  }
  return { clock, self, evil, isConnected, say, honestFetch }
}

const repeated = (bytes: Uint8Array, count: number): Uint8Array => Uint8Array.from({ length: bytes.length * count }, (_, index) => bytes[index % bytes.length] ?? 0)
const varint = (value: number): readonly number[] => value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]
/** A wantlist of so many entries that say nothing. */
const emptyWants = (count: number): Uint8Array => concat([Uint8Array.of(0x0a, ...varint(2 * count)), repeated(Uint8Array.of(0x0a, 0), count)])

it.each([
  ['a million wants', emptyWants(1_000_000)],
  ['two wantlists', concat([emptyWants(1), emptyWants(1)])],
  ['a million blocks', repeated(Uint8Array.of(0x1a, 0), 1_000_000)],
  ['a million presences', repeated(Uint8Array.of(0x22, 0), 1_000_000)],
  ['a CID of a megabyte', encodeMessage({ ...emptyMessage, wants: [{ cid: CID.createV1(0x55, Digest.create(identity.code, new Uint8Array(1_000_000))), want: 'block' }] })]
])('bitswap refuses %s before it becomes objects, and disconnects who repeats it', async (_, message) => {
  expect(() => decodeMessage(message)).toThrow('bitswap message')
  const { cid, bytes } = await newBlock('a block')
  const { say, isConnected, honestFetch } = await open({ get: async (asked) => asked.equals(cid) ? bytes : undefined })
  for (let times = 0; times < 12 && isConnected(); times++) {
    const stream = await say(bitswapProtocols[0], frameMessage(message)).catch(() => undefined)
    if (stream !== undefined) await vi.waitFor(() => { expect(stream.closed.aborted).toBe(true) })
  }
  expect(isConnected()).toBe(false)
  expect(await honestFetch(cid)).toEqual([bytes, bytes])
}, 30_000)

it('unknown fields of a bitswap message are not kept', () => {
  expect(decodeMessage(repeated(Uint8Array.of(0x30, 0), 1_000_000))).toEqual(emptyMessage)
})

it('bitswap holds only so much of messages that never become complete', async () => {
  const { cid, bytes } = await newBlock('a block')
  const { say, isConnected, honestFetch } = await open({ get: async (asked) => asked.equals(cid) ? bytes : undefined })
  // Four megabytes are announced, and one less comes.
  const almost = concat([Uint8Array.of(...varint(4_194_304)), new Uint8Array(3_145_728)])
  const streams: ByteStream[] = []
  for (let number = 0; number < 40 && isConnected(); number++) await say(bitswapProtocols[0], almost).then((stream) => { streams.push(stream) }, () => {})
  await vi.waitFor(() => { expect(isConnected()).toBe(false) })
  expect(streams.length).toBeGreaterThanOrEqual(10)
  expect(await honestFetch(cid)).toEqual([bytes, bytes])
})

it('an asker of content that does not read has only so many blocks loaded, and only so long', async () => {
  const { cid, bytes } = await newBlock('large', 1_000_000)
  const small = await newBlock('small')
  let loaded = 0
  const { say, isConnected, honestFetch, clock } = await open({ get: async (asked) => {
    if (asked.equals(small.cid)) return small.bytes
    loaded++
    return bytes
  } })
  const streams = await Promise.all(Array.from({ length: 16 }, async () => await say(contentProtocol, encodeRequest({ want: 'block', cids: Array.from({ length: 128 }, () => cid) }))))
  await vi.waitFor(() => { expect(loaded).toBeGreaterThanOrEqual(16) })
  expect(await honestFetch(small.cid)).toEqual([small.bytes, small.bytes])
  expect(loaded).toBe(16)
  expect(streams.every(({ closed }) => !closed.aborted)).toBe(true)
  for (let minute = 0; minute < 10 && isConnected(); minute++) {
    await clock.advance(60_000)
    await new Promise((resolve) => { setTimeout(resolve, 1) })
  }
  await vi.waitFor(() => { expect(isConnected()).toBe(false) })
  expect(await honestFetch(small.cid)).toEqual([small.bytes, small.bytes])
})
