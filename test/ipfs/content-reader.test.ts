import { createAdder } from '../../src/adder/unixfs.ts'
import { silentLogger } from '../../src/component.ts'
import { readContent } from '../../src/ipfs/content-reader.ts'
import { MemoryConnector } from '../../src/ipfs/memory.ts'
import { resolvePath } from '../../src/ipfs/resolve.ts'
import { unixFsNode } from '../../src/ipfs/unixfs-node.ts'
import { linksOf } from '../../src/ipfs/block.ts'
import { defaultPinOptions } from '../../src/pin/pin.ts'
import { collect, each, rawBlock } from '../contract/ipfs-connector.ts'
import { peerIdFromString } from '@libp2p/peer-id'
import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import fc from 'fast-check'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { expect, it } from 'vitest'
import type { AddEntry, AddOptions } from '../../src/adder/adder.ts'
import type { Block } from '../../src/ipfs/ipfs.ts'
import type { NodeWithMeta } from '../../src/rpc/methods.ts'

const self = peerIdFromString('12D3KooWFykm5gndKjXgNgAF2shsNfKvoDhEunPQF2XeWSkQrX4H')

/** Adds to one IPFS in memory; its root, and a way to read blocks that counts them. */
async function added (entries: readonly AddEntry[], options: Partial<AddOptions> = {}): Promise<{ readonly root: CID, readonly ipfs: MemoryConnector, readonly get: (cid: CID) => Promise<Uint8Array>, readonly reads: () => number }> {
  const ipfs = new MemoryConnector()
  const take = async function * (args: AsyncIterable<NodeWithMeta>): AsyncGenerator<never> {
    yield * []
    await collect(ipfs.blockPutStream(args))
  }
  const adder = createAdder({ self, logger: silentLogger, allocate: () => [self], pin: async () => {}, rpc: { stream: (_peer, _method, args) => take(args as AsyncIterable<NodeWithMeta>) as never } })
  const objects = await collect(adder.add(each(entries), { pin: defaultPinOptions, ...options }))
  const root = objects.at(-1)?.cid
  if (root === undefined) throw new Error('nothing was added')
  let count = 0
  return { root, ipfs, reads: () => count, get: async (cid) => { count++; return await ipfs.blockGet(cid) } }
}

const file = (path: string, bytes: Uint8Array): AddEntry => ({ kind: 'file', path, content: each([bytes]) })
const text = (path: string, content: string): AddEntry => file(path, new TextEncoder().encode(content))
const join = (parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) { whole.set(part, offset); offset += part.length }
  return whole
}
const numbered = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 0xff)

const block = async (node: dagPb.PBNode): Promise<Block> => {
  const bytes = dagPb.encode(dagPb.prepare(node))
  return { cid: CID.createV1(dagPb.code, await sha256.digest(bytes)), bytes }
}

it.each<Partial<AddOptions>>([{}, { rawLeaves: true }, { cidVersion: 1 }, { layout: 'trickle' }])('reads any range of a file added with %j', async (options) => {
  const bytes = numbered(200_000)
  const { root, get } = await added([file('f', bytes)], { ...options, chunker: 'size-300' })
  const node = await readContent(`/ipfs/${root}`, get)
  if (node.kind !== 'file') throw new Error('not a file')
  expect(node.size).toBe(200_000n)
  expect(join(await collect(node.content()))).toEqual(bytes)
  await fc.assert(fc.asyncProperty(fc.nat({ max: 200_000 }), fc.nat({ max: 3000 }), async (offset, length) => {
    const read = join(await collect(node.content({ offset: BigInt(offset), length: BigInt(length) })))
    expect(read).toEqual(bytes.subarray(offset, offset + length))
  }), { numRuns: 50 })
})

it('reads a few blocks ahead, and no more, of a reader that stops', async () => {
  const { root, get, reads } = await added([file('f', numbered(1_000_000))], { chunker: 'size-1000' })
  const node = await readContent(`/ipfs/${root}`, get)
  if (node.kind !== 'file') throw new Error('not a file')
  for await (const chunk of node.content()) if (chunk.length > 0) break
  expect(reads()).toBeLessThan(30)
})

it('lists folders with kinds, and follows paths', async () => {
  const { root, get } = await added([text('d/a.txt', 'aaa'), text('d/sub/b.txt', 'bbb'), { kind: 'symlink', path: 'd/link', target: 'a.txt' }, { kind: 'directory', path: 'd/empty' }], { rawLeaves: true })
  const node = await readContent(`/ipfs/${root}`, get)
  if (node.kind !== 'directory') throw new Error('not a folder')
  expect((await collect(node.entries())).map(({ name, kind }) => [name, kind])).toEqual([['a.txt', 'raw'], ['empty', 'directory'], ['link', 'symlink'], ['sub', 'directory']])
  const below = await readContent(`/ipfs/${root}/sub/b.txt`, get)
  expect(below).toMatchObject({ kind: 'file', name: 'b.txt', size: 3n })
  expect(await readContent(`/ipfs/${root}/link`, get)).toMatchObject({ kind: 'symlink', target: 'a.txt' })
  for (const path of ['none', 'a.txt/x', 'sub/none', 'a.txt/x/y']) {
    await expect(readContent(`/ipfs/${root}/${path}`, get)).rejects.toMatchObject({ name: 'NotFoundError' })
  }
})

it('lists a sharded folder, and finds names in it', async () => {
  const name = (index: number): string => `${'long name '.repeat(10)}${index}`
  const { root, get } = await added(Array.from({ length: 2500 }, (_, index) => text(`d/${name(index)}`, `${index}`)))
  const node = await readContent(`/ipfs/${root}`, get)
  if (node.kind !== 'directory') throw new Error('not a folder')
  expect(unixFsNode(root, await get(root)).kind).toBe('shard')
  const entries = await collect(node.entries())
  expect(new Set(entries.map((entry) => entry.name))).toEqual(new Set(Array.from({ length: 2500 }, (_, index) => name(index))))
  const found = await readContent(`/ipfs/${root}/${encodeURI(name(77)).replaceAll('%20', ' ')}`, get)
  expect(found).toMatchObject({ kind: 'file', size: 2n })
})

it('gives a dag-cbor block as it is, and follows links in it', async () => {
  const { root, ipfs, get } = await added([text('hello.txt', 'hello')])
  const bytes = dagCbor.encode({ nested: { file: root }, number: 1 })
  const object = { cid: CID.createV1(dagCbor.code, await sha256.digest(bytes)), bytes }
  ipfs.addBlock(object)
  const node = await readContent(`/ipfs/${object.cid}`, get)
  if (node.kind !== 'file') throw new Error('not a file')
  expect(join(await collect(node.content()))).toEqual(bytes)
  expect(String(await resolvePath(`/ipld/${object.cid}/nested/file`, get))).toBe(String(root))
  await expect(resolvePath(`/ipfs/${object.cid}/number`, get)).rejects.toMatchObject({ name: 'NotFoundError' })
})

it('refuses files that lie about their sizes', async () => {
  const leaf = await rawBlock('ten bytes!')
  const unixfs = new UnixFS({ type: 'file', blockSizes: [11n] })
  const lying = await block({ Data: unixfs.marshal(), Links: [{ Name: '', Tsize: 10, Hash: leaf.cid }] })
  const uneven = await block({ Data: unixfs.marshal(), Links: [] })
  const ipfs = new MemoryConnector()
  for (const stored of [leaf, lying, uneven]) ipfs.addBlock(stored)
  const node = await readContent(`/ipfs/${lying.cid}`, (cid) => ipfs.blockGet(cid))
  if (node.kind !== 'file') throw new Error('not a file')
  await expect(collect(node.content())).rejects.toMatchObject({ name: 'DecodeError' })
  await expect(readContent(`/ipfs/${uneven.cid}`, (cid) => ipfs.blockGet(cid))).rejects.toMatchObject({ name: 'DecodeError' })
})

it('throws DecodeError, and nothing else, at any bytes that claim to be a block', async () => {
  const { cid } = await rawBlock('any')
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(dagPb.code, dagCbor.code, 0x0129, 0x55, 0x99), (bytes, code) => {
    const claimed = CID.createV1(code, cid.multihash)
    for (const decode of [unixFsNode, linksOf]) {
      try { decode(claimed, bytes) } catch (error) { expect((error as Error).name).toBe('DecodeError') }
    }
  }), { numRuns: 1000 })
})

it.each(['/ipns/example.org', 'not a path', '/ipfs/', '/ipfs/nothing'])('refuses the path %j', async (path) => {
  await expect(resolvePath(path, async () => new Uint8Array())).rejects.toMatchObject({ name: 'InvalidValueError' })
})
