import * as fc from 'fast-check'
import { base16 } from 'multiformats/bases/base16'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { expect, it } from 'vitest'
import { frameMessage, readMessages } from '../../src/exchange/bitswap-frames.ts'
import { bitswapProtocols, decodeMessage, emptyMessage, encodeMessage, hashBlock, prefixOf } from '../../src/exchange/bitswap-message.ts'

const block = new TextEncoder().encode('a block of the DAG')
const multihash = await sha256.digest(block)
const [v0, v1] = [CID.createV0(multihash), CID.createV1(0x70, multihash)]

async function * inPieces (bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += size) yield bytes.subarray(start, start + size)
}

async function messages (source: AsyncIterable<Uint8Array>, limit = 1000): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  for await (const message of readMessages(source, limit)) all.push(message)
  return all
}

it('reads what Go sends, and answers as Go was seen to accept', async () => {
  const cid = base16.encode(v1.bytes).slice(1)
  const want = decodeMessage(base16.baseDecode(`0a300a2e0a24${cid}10ffffffff072001`))
  expect(want).toEqual({ ...emptyMessage, wants: [{ cid: v1, want: 'have', sendDontHave: false, priority: 0x7fffffff }] })
  const answer = encodeMessage({ ...emptyMessage, blocks: [{ prefix: prefixOf(v1), data: block }] })
  expect(base16.baseEncode(answer)).toBe(`0a001a1a0a0401701220${'12'}${block.byteLength.toString(16).padStart(2, '0')}${base16.baseEncode(block)}`)
})

it('gives back every part of a message', () => {
  const message = { full: true, wants: [{ cid: v1, want: 'block' as const, sendDontHave: true, priority: 1 }, { cid: v0, want: 'have' as const, sendDontHave: false, priority: 7 }, { cid: v1, want: 'cancel' as const, sendDontHave: false, priority: 0 }], blocks: [{ prefix: prefixOf(v0), data: block }], haves: [v0], dontHaves: [v1] }
  expect(decodeMessage(encodeMessage(message))).toEqual(message)
})

it('says less to peers of older versions', () => {
  const message = { ...emptyMessage, wants: [{ cid: v1, want: 'block' as const }], blocks: [{ prefix: prefixOf(v1), data: block }], haves: [v1], dontHaves: [v0] }
  for (const protocol of bitswapProtocols.slice(1)) {
    const read = decodeMessage(encodeMessage(message, protocol))
    expect(read).toMatchObject({ haves: [], dontHaves: [], wants: [{ cid: v1, want: 'block' }] })
    expect(read.blocks).toEqual([{ prefix: protocol.endsWith('1.1.0') ? prefixOf(v1) : prefixOf(v0), data: block }])
  }
})

it('hashes a block as its prefix says, and only as it says', async () => {
  expect(await hashBlock({ prefix: prefixOf(v0), data: block })).toEqual(multihash.bytes)
  expect(await hashBlock({ prefix: prefixOf(v1), data: block })).toEqual(multihash.bytes)
  for (const prefix of [[], [1], [1, 0x70, 0x12], [1, 0x70, 0x12, 0x10], [1, 0x70, 0x1e, 0x20], [1, 0x70, 0x12, 0xa0], [1, 0x70, 0x12, 0x20, 0x20], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]]) {
    expect(await hashBlock({ prefix: Uint8Array.from(prefix), data: block })).toBeUndefined()
  }
})

it('refuses broken bytes by DecodeError alone', () => {
  const valid = encodeMessage({ full: true, wants: [{ cid: v1, want: 'have', sendDontHave: true }], blocks: [{ prefix: prefixOf(v1), data: block }], haves: [v0], dontHaves: [v1] })
  const check = (bytes: Uint8Array): void => {
    try {
      decodeMessage(bytes)
    } catch (error) {
      expect(error).toMatchObject({ name: 'DecodeError' })
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), check), { numRuns: 2000 })
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(valid.byteLength - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }), fc.nat(valid.byteLength), (changes, end) => {
    const bytes = valid.slice(0, end)
    for (const [index, value] of changes) if (index < end) bytes[index] = value
    check(bytes)
  }), { numRuns: 2000 })
})

it('takes no more wants from a message than it keeps', () => {
  const wants = Array.from({ length: 3000 }, () => ({ cid: v1, want: 'block' as const }))
  expect(decodeMessage(encodeMessage({ ...emptyMessage, wants })).wants.length).toBe(1024)
})

it('cuts a stream into its messages however it arrives', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 6 }), fc.integer({ min: 1, max: 50 }), async (sent, size) => {
    const stream = new Uint8Array(sent.flatMap((message) => [...frameMessage(message)]))
    expect(await messages(inPieces(stream, size))).toEqual(sent)
  }))
})

it('refuses messages that are too long or cut off', async () => {
  await expect(messages(inPieces(frameMessage(new Uint8Array(1001)), 10))).rejects.toMatchObject({ name: 'DecodeError' })
  await expect(messages(inPieces(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0x01), 1), 2 ** 60)).rejects.toMatchObject({ name: 'DecodeError' })
  await expect(messages(inPieces(frameMessage(block).subarray(0, 5), 3))).rejects.toMatchObject({ name: 'DecodeError' })
  await expect(messages(inPieces(Uint8Array.of(0x85), 3))).rejects.toMatchObject({ name: 'DecodeError' })
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), fc.integer({ min: 1, max: 50 }), async (bytes, size) => {
    await messages(inPieces(bytes, size)).catch((error: unknown) => { expect(error).toMatchObject({ name: 'DecodeError' }) })
  }))
})
