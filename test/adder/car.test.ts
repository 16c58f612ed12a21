import { readCar } from '../../src/adder/car.ts'
import { createAdder } from '../../src/adder/unixfs.ts'
import { silentLogger } from '../../src/component.ts'
import { defaultPinOptions } from '../../src/pin/pin.ts'
import { collect, each, rawBlock, sampleDag } from '../contract/ipfs-connector.ts'
import { CarWriter } from '@ipld/car'
import { peerIdFromString } from '@libp2p/peer-id'
import * as dagPb from '@ipld/dag-pb'
import fc from 'fast-check'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import * as json from 'multiformats/codecs/json'
import { sha256 } from 'multiformats/hashes/sha2'
import { expect, it } from 'vitest'
import type { Added, AddOptions } from '../../src/adder/adder.ts'
import type { Block } from '../../src/ipfs/ipfs.ts'
import type { Pin } from '../../src/pin/pin.ts'

const self = peerIdFromString('12D3KooWFykm5gndKjXgNgAF2shsNfKvoDhEunPQF2XeWSkQrX4H')

/** A CAR as @ipld/car writes it. */
async function carOf (roots: CID[], blocks: readonly Block[]): Promise<Uint8Array> {
  const { writer, out } = CarWriter.create(roots)
  const written = collect(out)
  for (const block of blocks) await writer.put(block)
  await writer.close()
  return Uint8Array.from((await written).flatMap((part) => [...part]))
}

const cut = (bytes: Uint8Array, size: number): Uint8Array[] => Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size))

async function add (chunks: readonly Uint8Array[], options: Partial<AddOptions> = {}): Promise<{ readonly objects: readonly Added[], readonly blocks: readonly string[], readonly pins: readonly Pin[] }> {
  const blocks: string[] = []
  const pins: Pin[] = []
  const take = async function * (args: AsyncIterable<Block>): AsyncGenerator<never> {
    yield * []
    for await (const { cid } of args) blocks.push(cid.toString())
  }
  const adder = createAdder({ self, logger: silentLogger, allocate: () => [self], pin: async (pin) => { pins.push(pin) }, rpc: { stream: (_peer, _method, args) => take(args as AsyncIterable<Block>) as never } })
  const objects = await collect(adder.add(each([{ kind: 'file', path: 'x.car', content: each(chunks) }]), { pin: defaultPinOptions, format: 'car', ...options }))
  return { objects, blocks, pins }
}

it('adds the blocks of a CAR and pins its root', async () => {
  const { root, blocks } = await sampleDag('car')
  const { objects, blocks: sent, pins } = await add(cut(await carOf([root.cid], blocks), 13))
  expect(objects).toMatchObject([{ name: 'x.car', bytes: blocks.reduce((sum, { bytes }) => sum + bytes.length, 0), allocations: [self] }])
  expect(objects[0]?.size).toBeUndefined()
  expect(String(objects[0]?.cid)).toBe(String(root.cid))
  expect(sent).toEqual(blocks.map(({ cid }) => cid.toString()))
  expect(String(pins[0]?.cid)).toBe(String(root.cid))
})

it('tells the size of a file', async () => {
  const bytes = dagPb.encode({ Data: new UnixFS({ type: 'file', data: new TextEncoder().encode('hello') }).marshal(), Links: [] })
  const root = { cid: CID.createV0(await sha256.digest(bytes)), bytes }
  expect((await add([await carOf([root.cid], [root])])).objects[0]).toMatchObject({ size: 5, bytes: bytes.length })
})

it('refuses wrapping, several roots, none, other codecs and blocks that do not match', async () => {
  const one = await rawBlock('one')
  const two = await rawBlock('two')
  const bytes = json.encode({ a: 1 })
  const other = { cid: CID.createV1(json.code, await sha256.digest(bytes)), bytes }
  await expect(add([await carOf([one.cid], [one])], { wrapWithDirectory: true })).rejects.toThrow('cannot wrap a CAR file upload')
  await expect(add([await carOf([one.cid, two.cid], [one, two])])).rejects.toThrow('only CAR files with a single root are supported')
  await expect(add([await carOf([], [one])])).rejects.toThrow('only CAR files with a single root are supported')
  await expect(add([await carOf([other.cid], [other])])).rejects.toThrow('neither dag-pb nor raw nor dag-cbor')
  await expect(add([await carOf([one.cid], [{ cid: one.cid, bytes: two.bytes }])])).rejects.toThrow('do not match')
})

it('refuses a CAR that is cut anywhere inside, and pins nothing', async () => {
  const { root, blocks } = await sampleDag('cut')
  const whole = await carOf([root.cid], blocks)
  let accepted = 0
  for (let length = 0; length < whole.length; length += 7) {
    try { await collect((await readCar(each([whole.subarray(0, length)]))).blocks); accepted++ } catch (error) { expect((error as Error).name).toBe('DecodeError') }
  }
  // Only a cut between two sections cannot be seen.
  expect(accepted).toBeLessThanOrEqual(blocks.length)
})

it('throws DecodeError, and nothing else, at damaged CARs and at any other bytes', async () => {
  const { root, blocks } = await sampleDag('damaged')
  const whole = await carOf([root.cid], blocks)
  const read = async (bytes: Uint8Array): Promise<void> => {
    try { await collect((await readCar(each(cut(bytes, 50)))).blocks) } catch (error) { expect((error as Error).name).toBe('DecodeError') }
  }
  await fc.assert(fc.asyncProperty(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }), async (index, byte) => {
    await read(whole.with(index, byte))
  }), { numRuns: 300 })
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), read), { numRuns: 300 })
})

it('reads no section longer than a block may be', async () => {
  const { cid } = await rawBlock('x')
  const header = (await carOf([cid], []))
  const huge = Uint8Array.of(...header, 0xff, 0xff, 0xff, 0xff, 0x7f)
  await expect(collect((await readCar(each([huge]))).blocks)).rejects.toThrow('a section of')
  await expect(readCar(each([Uint8Array.of(0xff, 0xff, 0xff, 0x7f)]))).rejects.toThrow('no header')
})
