/** What every IPFS connector must do; run by each implementation with a fresh, empty IPFS. */
import { pinWith } from '../../src/pin/pin.ts'
import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Block, IpfsConnector } from '../../src/ipfs/ipfs.ts'

export interface ConnectorUnderTest {
  readonly connector: IpfsConnector
  readonly close: () => Promise<void>
}

export const rawBlock = async (text: string): Promise<Block> => {
  const bytes = new TextEncoder().encode(text)
  return { cid: CID.createV1(raw.code, await sha256.digest(bytes)), bytes }
}

export const nodeBlock = async (children: readonly Block[], version: 0 | 1 = 1): Promise<Block> => {
  const bytes = dagPb.encode(dagPb.prepare({ Links: children.map(({ cid, bytes: child }) => ({ Name: '', Tsize: child.length, Hash: cid })) }))
  const digest = await sha256.digest(bytes)
  return { cid: version === 0 ? CID.createV0(digest) : CID.createV1(dagPb.code, digest), bytes }
}

/** A root over two nodes over three leaves each, one leaf shared. */
export async function sampleDag (seed: string): Promise<{ readonly root: Block, readonly blocks: readonly Block[] }> {
  const leaves = await Promise.all([0, 1, 2, 3, 4].map((index) => rawBlock(`${seed} leaf ${index}`)))
  const left = await nodeBlock(leaves.slice(0, 3))
  const right = await nodeBlock(leaves.slice(2, 5), 0)
  const root = await nodeBlock([left, right], 0)
  return { root, blocks: [...leaves, left, right, root] }
}

export async function * each<T> (items: Iterable<T>): AsyncGenerator<T> { yield * items }

export async function collect<T> (source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

export const putAll = async (connector: IpfsConnector, blocks: readonly Block[]): Promise<CID[]> => await collect(connector.blockPutStream(each(blocks)))

export function ipfsConnectorContract (name: string, open: () => Promise<ConnectorUnderTest>): void {
  describe(`IPFS connector: ${name}`, () => {
    let opened: ConnectorUnderTest
    let ipfs: IpfsConnector
    beforeAll(async () => {
      opened = await open()
      ipfs = opened.connector
    })
    afterAll(async () => { await opened.close() })
    const pinsNow = async (): Promise<Array<[string, string]>> => (await collect(ipfs.pins())).map(({ cid, status }) => [cid.toString(), status])

    it('has an identity', async () => {
      const { id, error } = await ipfs.id()
      expect(id?.toString()).toMatch(/^(12D3KooW|Qm|16Uiu2)/)
      expect(error).toBe('')
    })

    it('stores blocks under their own CIDs and gives them back', async () => {
      const { blocks } = await sampleDag('store')
      const cids = await putAll(ipfs, blocks)
      expect(new Set(cids.map(String))).toEqual(new Set(blocks.map(({ cid }) => cid.toString())))
      for (const { cid, bytes } of blocks) {
        expect(await ipfs.blockGetLocal(cid)).toEqual(bytes)
        expect(await ipfs.blockGet(cid)).toEqual(bytes)
      }
    })

    it('stores blocks of several codecs in one stream', async () => {
      const leaf = await rawBlock('mixed')
      const bytes = dagCbor.encode({ leaf: leaf.cid, list: [1, 'two'] })
      const object = { cid: CID.createV1(dagCbor.code, await sha256.digest(bytes)), bytes }
      expect(await putAll(ipfs, [leaf, object])).toHaveLength(2)
      await ipfs.pin(pinWith(object.cid))
      expect(await ipfs.blockGetLocal(object.cid)).toEqual(bytes)
      await ipfs.unpin(object.cid)
    })

    it('finds a block under CIDv0 and CIDv1', async () => {
      const { root } = await sampleDag('versions')
      await putAll(ipfs, [root])
      expect(await ipfs.blockGetLocal(root.cid.toV1())).toEqual(root.bytes)
    })

    it('knows no block that it does not have, without waiting', async () => {
      const { cid } = await rawBlock('nobody has this')
      expect(await ipfs.blockGetLocal(cid)).toBeUndefined()
    })

    it('ends a stream of no blocks with no CIDs', async () => {
      expect(await putAll(ipfs, [])).toEqual([])
    })

    it('passes on the error of the stream of blocks', async () => {
      const block = await rawBlock('before the error')
      const failing = async function * (): AsyncGenerator<Block> {
        yield block
        throw new Error('the source broke')
      }
      await expect(collect(ipfs.blockPutStream(failing()))).rejects.toThrow('the source broke')
    })

    it('pins recursively, says so, lists it, and unpins', async () => {
      const { root, blocks } = await sampleDag('recursive')
      await putAll(ipfs, blocks)
      const pin = pinWith(root.cid)
      expect(await ipfs.pinStatus(pin)).toBe('unpinned')
      await ipfs.pin(pin)
      await ipfs.pin(pin)
      expect(await ipfs.pinStatus(pin)).toBe('recursive')
      expect(await pinsNow()).toContainEqual([root.cid.toString(), 'recursive'])
      await ipfs.unpin(root.cid)
      expect(await ipfs.pinStatus(pin)).toBe('unpinned')
      expect((await pinsNow()).map(([cid]) => cid)).not.toContain(root.cid.toString())
      await ipfs.unpin(root.cid)
    })

    it('pins directly: only the one block is needed', async () => {
      const { root } = await sampleDag('direct')
      await putAll(ipfs, [root])
      const pin = pinWith(root.cid, { mode: 'direct' })
      await ipfs.pin(pin)
      expect(await ipfs.pinStatus(pin)).toBe('direct')
      expect(await pinsNow()).toContainEqual([root.cid.toString(), 'direct'])
      expect(await ipfs.pinStatus(pinWith(root.cid))).toBe('unpinned')
      await ipfs.unpin(root.cid)
    })

    it('makes a direct pin recursive', async () => {
      const { root, blocks } = await sampleDag('upgrade')
      await putAll(ipfs, blocks)
      await ipfs.pin(pinWith(root.cid, { mode: 'direct' }))
      await ipfs.pin(pinWith(root.cid))
      expect(await ipfs.pinStatus(pinWith(root.cid))).toBe('recursive')
      expect((await pinsNow()).filter(([cid]) => cid === root.cid.toString())).toHaveLength(1)
      await ipfs.unpin(root.cid)
    })

    it('updates a pin from the one it replaces', async () => {
      const before = await sampleDag('update before')
      const after = await sampleDag('update after')
      await putAll(ipfs, [...before.blocks, ...after.blocks])
      await ipfs.pin(pinWith(before.root.cid))
      await ipfs.pin(pinWith(after.root.cid, { pinUpdate: before.root.cid }))
      expect(await ipfs.pinStatus(pinWith(after.root.cid))).toBe('recursive')
      expect(await ipfs.pinStatus(pinWith(before.root.cid))).toBe('recursive')
      await ipfs.unpin(before.root.cid)
      await ipfs.unpin(after.root.cid)
    })

    it('gives up a pin whose signal fires', async () => {
      const { root } = await sampleDag('abort')
      await putAll(ipfs, [root])
      const controller = new AbortController()
      const pinning = ipfs.pin(pinWith(root.cid), { signal: controller.signal })
      pinning.catch(() => {})
      controller.abort(new Error('enough'))
      await expect(pinning).rejects.toThrow()
      expect(await ipfs.pinStatus(pinWith(root.cid))).toBe('unpinned')
    })

    it('rejects a pin of content that nobody has after no progress, and keeps nothing pinned', async () => {
      const { root, blocks } = await sampleDag('missing')
      await putAll(ipfs, blocks.slice(1))
      await expect(ipfs.pin(pinWith(root.cid))).rejects.toThrow(/context canceled|not found/)
      expect(await ipfs.pinStatus(pinWith(root.cid))).toBe('unpinned')
    })

    it('reports progress', async () => {
      const { root, blocks } = await sampleDag('progress')
      await putAll(ipfs, blocks)
      const seen: number[] = []
      await ipfs.pin(pinWith(root.cid), { onProgress: (count) => { seen.push(count) } })
      expect(seen.every((count, index) => count > (seen[index - 1] ?? 0))).toBe(true)
      await ipfs.unpin(root.cid)
    })

    it('collects what is not pinned, and keeps what is', async () => {
      const kept = await sampleDag('kept')
      const direct = await sampleDag('kept directly')
      const dropped = await sampleDag('dropped')
      await putAll(ipfs, [...kept.blocks, ...direct.blocks, ...dropped.blocks])
      await ipfs.pin(pinWith(kept.root.cid))
      await ipfs.pin(pinWith(direct.root.cid, { mode: 'direct' }))
      const removed = (await collect(ipfs.repoGc())).map(({ key }) => String(key?.toV1()))
      expect(removed.length).toBeGreaterThanOrEqual(dropped.blocks.length)
      for (const { cid, bytes } of kept.blocks) expect(await ipfs.blockGetLocal(cid)).toEqual(bytes)
      expect(await ipfs.blockGetLocal(direct.root.cid)).toEqual(direct.root.bytes)
      for (const { cid } of dropped.blocks) expect(await ipfs.blockGetLocal(cid)).toBeUndefined()
      await ipfs.unpin(kept.root.cid)
      await ipfs.unpin(direct.root.cid)
    })

    it('knows its size', async () => {
      await putAll(ipfs, [await rawBlock('size '.repeat(10_000))])
      const { repoSize, storageMax } = await ipfs.repoStat()
      expect(repoSize).toBeGreaterThan(50_000n)
      expect(storageMax).toBeGreaterThan(repoSize)
    })

    it('resolves a path below a CID', async () => {
      const leaf = await rawBlock('a file')
      const bytes = dagPb.encode(dagPb.prepare({ Data: new Uint8Array([8, 1]), Links: [{ Name: 'file.txt', Tsize: 6, Hash: leaf.cid }] }))
      const directory = { cid: CID.createV0(await sha256.digest(bytes)), bytes }
      await putAll(ipfs, [leaf, directory])
      expect(String(await ipfs.resolve(`/ipfs/${directory.cid}/file.txt`))).toBe(String(leaf.cid))
      expect(String(await ipfs.resolve(`/ipfs/${directory.cid}`))).toBe(String(directory.cid))
      await expect(ipfs.resolve(`/ipfs/${directory.cid}/nothing.txt`)).rejects.toThrow()
    })

    it('has no swarm peers when alone', async () => {
      expect(await ipfs.swarmPeers()).toEqual([])
    })

    it('takes a signal that has already fired', async () => {
      const { cid } = await rawBlock('aborted before')
      await expect(ipfs.blockGet(cid, { signal: AbortSignal.abort(new Error('already')) })).rejects.toThrow()
    })
  })
}
