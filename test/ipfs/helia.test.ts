import { silentLogger } from '../../src/component.ts'
import { MemoryBlockStorage } from '../../src/ipfs/block-storage.ts'
import { BlockNotFoundError } from '../../src/ipfs/errors.ts'
import { HeliaConnector } from '../../src/ipfs/helia.ts'
import { newMeasures } from '../../src/observations/measures.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { collect, ipfsConnectorContract, nodeBlock, putAll, rawBlock, sampleDag } from '../contract/ipfs-connector.ts'
import { measuredConnectorContract } from '../contract/measured-connector.ts'
import { ManualClock, settle } from '../contract/values.ts'
import { peerIdFromString } from '@libp2p/peer-id'
import { expect, it, vi } from 'vitest'
import type { BlockStorage } from '../../src/ipfs/block-storage.ts'
import type { ContentNetwork, HeliaOptions, MemberBlocks } from '../../src/ipfs/helia.ts'
import type { Block } from '../../src/ipfs/ipfs.ts'
import type { CID } from 'multiformats/cid'

const id = peerIdFromString('12D3KooWFykm5gndKjXgNgAF2shsNfKvoDhEunPQF2XeWSkQrX4H')

/** Waits for ever, as a network does that nobody answers on. */
const untilAborted = async (signal: AbortSignal | undefined): Promise<never> => {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => { reject(signal?.reason) }
  if (signal?.aborted === true) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  return await promise
}

const silentNetwork: ContentNetwork = {
  id: async () => ({ id, addresses: [], error: '' }),
  fetch: async (_cid, { signal }) => await untilAborted(signal),
  connect: async () => {}, peers: () => [], stop: async () => {}
}

interface Setup { readonly storage?: BlockStorage, readonly network?: ContentNetwork, readonly members?: MemberBlocks, readonly options?: HeliaOptions }

const helia = ({ storage = new MemoryBlockStorage(), network = silentNetwork, members, options = {} }: Setup = {}): HeliaConnector =>
  new HeliaConnector({ storage, store: new MemoryStore(), network, members, logger: silentLogger }, { pinTimeout: 200, ...options })

const membersWith = (blocks: readonly Block[], asked: string[] = []): MemberBlocks => {
  const held = new Map(blocks.map(({ cid, bytes }) => [cid.toString(), bytes]))
  return {
    fetchNow: async (cid) => {
      asked.push(cid.toString())
      return held.get(cid.toString())
    },
    fetch: async (cid, options) => held.get(cid.toString()) ?? await untilAborted(options?.signal)
  }
}

ipfsConnectorContract('helia, blocks in memory', async () => {
  const connector = helia()
  return { connector, close: () => connector.stop() }
})

measuredConnectorContract('helia', async () => {
  const measures = newMeasures()
  const connector = new HeliaConnector({ storage: new MemoryBlockStorage(), store: new MemoryStore(), network: silentNetwork, measures, logger: silentLogger }, { pinTimeout: 200 })
  return { connector, measures, close: () => connector.stop() }
})

it('pins what members have, asking once for each block', async () => {
  const { root, blocks } = await sampleDag('with members')
  const asked: string[] = []
  const ipfs = helia({ members: membersWith(blocks, asked) })
  const progress: Array<[number, number | undefined]> = []
  await ipfs.pin(pinWith(root.cid), { onProgress: (count, bytes) => { progress.push([count, bytes]) } })
  expect(progress.map(([count]) => count)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  expect(progress.at(-1)?.[1]).toBe(blocks.reduce((sum, { bytes }) => sum + bytes.length, 0))
  expect(asked).toHaveLength(8)
  for (const { cid, bytes } of blocks) expect(await ipfs.blockGetLocal(cid)).toEqual(bytes)
})

it('asks the network when no member has a block', async () => {
  const { root, blocks } = await sampleDag('network')
  const rest = blocks.slice(0, 2)
  const network: ContentNetwork = { ...silentNetwork, fetch: async (cid, { signal }) => rest.find((block) => block.cid.equals(cid))?.bytes ?? await untilAborted(signal) }
  const ipfs = helia({ network, members: membersWith(blocks.slice(2)) })
  await ipfs.pin(pinWith(root.cid))
  expect(await ipfs.pinStatus(pinWith(root.cid))).toBe('recursive')
})

it('gives up a pin only when nothing comes any more', async () => {
  const { root, blocks } = await sampleDag('slowly')
  const slow: MemberBlocks = {
    fetchNow: async () => undefined,
    fetch: async (cid, options) => {
      await new Promise((resolve) => { setTimeout(resolve, 60) })
      return blocks.find((block) => block.cid.equals(cid))?.bytes ?? await untilAborted(options?.signal)
    }
  }
  const ipfs = helia({ members: slow, options: { pinTimeout: 400, concurrency: 1 } })
  await ipfs.pin(pinWith(root.cid))
  const without = helia({ members: membersWith(blocks.slice(1)), options: { pinTimeout: 50 } })
  await expect(without.pin(pinWith(root.cid))).rejects.toThrow(`context canceled: pinning ${root.cid} made no progress for 0.05 s`)
})

it('follows no more links than the depth allows', async () => {
  const { root, blocks } = await sampleDag('depth')
  const asked: string[] = []
  const ipfs = helia({ members: membersWith(blocks, asked) })
  await ipfs.pin({ ...pinWith(root.cid), maxDepth: 1 })
  expect(asked).toHaveLength(3)
  expect(await ipfs.pinStatus({ ...pinWith(root.cid), maxDepth: 1 })).toBe('recursive')
  expect(await collect(ipfs.repoGc())).toEqual([])
})

it('meets a node again when a shorter way leads to it', async () => {
  const leaf = await rawBlock('below')
  const shared = await nodeBlock([leaf])
  const long = await nodeBlock([await nodeBlock([shared, await rawBlock('other')]), shared])
  const middle = await nodeBlock([shared, await rawBlock('other')])
  const ipfs = helia({ members: membersWith([leaf, shared, long, middle, await rawBlock('other')]) })
  await ipfs.pin({ ...pinWith(long.cid), maxDepth: 2 })
  expect(await ipfs.blockGetLocal(leaf.cid)).toEqual(leaf.bytes)
})

it('stops at StorageMax, names it, and takes more after a collection', async () => {
  const first = await rawBlock('a'.repeat(600))
  const second = await rawBlock('b'.repeat(600))
  const ipfs = helia({ storage: new MemoryBlockStorage(1000n), members: membersWith([first, second]) })
  await ipfs.pin(pinWith(first.cid))
  await expect(ipfs.pin(pinWith(second.cid))).rejects.toThrow('the IPFS store is full: 600 of StorageMax 1000 bytes are used')
  expect(await ipfs.blockGet(second.cid)).toEqual(second.bytes)
  await ipfs.unpin(first.cid)
  await collect(ipfs.repoGc())
  await ipfs.pin(pinWith(second.cid))
  expect(await ipfs.repoStat()).toEqual({ repoSize: 600n, storageMax: 1000n })
})

it('says that the store is full where the network stores what it fetches', async () => {
  const block = await rawBlock('c'.repeat(600))
  const storage = new MemoryBlockStorage(500n)
  const network: ContentNetwork = { ...silentNetwork, fetch: async () => { await storage.put(block); return block.bytes } }
  await expect(helia({ storage, network, members: membersWith([]), options: { pinTimeout: 60_000 } }).pin(pinWith(block.cid))).rejects.toThrow('StorageMax 500 bytes')
})

it('stores no block that does not match its CID', async () => {
  const { cid } = await rawBlock('right')
  await expect(putAll(helia(), [{ cid, bytes: new TextEncoder().encode('wrong') }])).rejects.toThrow('do not match')
})

it('collects nothing of a pin in progress', async () => {
  const { root, blocks } = await sampleDag('in progress')
  const gate = Promise.withResolvers<void>()
  const last = blocks[0]
  const members: MemberBlocks = {
    fetchNow: async (cid) => {
      if (last?.cid.equals(cid) === true) await gate.promise
      return blocks.find((block) => block.cid.equals(cid))?.bytes
    },
    fetch: async (_cid, options) => await untilAborted(options?.signal)
  }
  const ipfs = helia({ members, options: { pinTimeout: 60_000 } })
  const seven = Promise.withResolvers<void>()
  const pinning = ipfs.pin(pinWith(root.cid), { onProgress: (count) => { if (count === 7) seven.resolve() } })
  await seven.promise
  expect(await collect(ipfs.repoGc())).toEqual([])
  gate.resolve()
  await pinning
  for (const { cid, bytes } of blocks) expect(await ipfs.blockGetLocal(cid)).toEqual(bytes)
})

it('says what is not there after the time for reading', async () => {
  const { cid } = await rawBlock('nowhere')
  const error = await helia({ options: { requestTimeout: 20 } }).blockGet(cid).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(BlockNotFoundError)
})

it('leaves pins readable after a restart on the same store', async () => {
  const store = new MemoryStore()
  store.close = async () => {}
  const storage = new MemoryBlockStorage()
  const { root, blocks } = await sampleDag('restart')
  const open = (): HeliaConnector => new HeliaConnector({ storage, store, network: silentNetwork, logger: silentLogger })
  const before = open()
  await putAll(before, blocks)
  await before.pin(pinWith(root.cid))
  await before.stop()
  const pins = await collect(open().pins())
  expect(pins.map(({ cid, status }: { readonly cid: CID, readonly status: string }) => [cid.toString(), status])).toEqual([[root.cid.toString(), 'recursive']])
})

it('leaves alone what was put a moment ago, where it is told to, and only for a moment', async () => {
  const clock = new ManualClock()
  const ipfs = new HeliaConnector({ storage: new MemoryBlockStorage(), store: new MemoryStore(), network: silentNetwork, logger: silentLogger, clock })
  const { blocks } = await sampleDag('just put')
  await putAll(ipfs, blocks)
  expect(await collect(ipfs.repoGc({ keepRecent: true }))).toEqual([])
  await clock.advance(60_000)
  await settle(2)
  expect((await collect(ipfs.repoGc({ keepRecent: true }))).length).toBe(blocks.length)
  await putAll(ipfs, blocks)
  expect((await collect(ipfs.repoGc())).length).toBe(blocks.length)
  await ipfs.stop()
})

it('removes what no pin reaches when it is full, where it is told to', async () => {
  const storage = new MemoryBlockStorage(1000n)
  const ipfs = helia({ storage, options: { collectWhenFull: true } })
  const [kept, tooBig, small] = [await rawBlock('k'.repeat(300)), await Promise.all([1, 2, 3].map((number) => rawBlock(String(number).repeat(300)))), await rawBlock('s'.repeat(500))]
  await putAll(ipfs, [kept])
  await ipfs.pin(pinWith(kept.cid))
  await expect(putAll(ipfs, tooBig)).rejects.toMatchObject({ name: 'StorageFullError' })
  await vi.waitFor(async () => { expect(await storage.size()).toBe(300n) })
  await putAll(ipfs, [small])
  expect(await storage.size()).toBe(800n)
})

it('knows without asking the store what it does not hold, also after a restart', async () => {
  const [{ root, blocks }, other] = [await sampleDag('held'), await rawBlock('elsewhere')]
  const store = new MemoryStore()
  const storage = new MemoryBlockStorage()
  const open = (): HeliaConnector => new HeliaConnector({ storage, store, network: silentNetwork, logger: silentLogger })
  const first = open()
  await putAll(first, blocks)
  // Not read yet: anything may be held.
  expect(first.mayHold(other.cid)).toBe(true)
  await first.start()
  await first.pin(pinWith(root.cid))
  expect([first.mayHold(root.cid), first.mayHold(other.cid)]).toEqual([true, false])
  const second = open()
  await second.start()
  expect([second.mayHold(root.cid), second.mayHold(other.cid)]).toEqual([true, false])
  await second.unpin(root.cid)
  expect(await second.pinStatus(pinWith(root.cid))).toBe('unpinned')
  const third = open()
  await third.start()
  expect(third.mayHold(root.cid)).toBe(false)
})
