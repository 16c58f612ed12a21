/** The audit, with blocks removed behind the peer's back. */
import { silentLogger } from '../../src/component.ts'
import { contentAudit } from '../../src/ipfs/audit.ts'
import { MemoryBlockStorage } from '../../src/ipfs/block-storage.ts'
import { HeliaConnector } from '../../src/ipfs/helia.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { statelessTracker } from '../../src/tracker/stateless.ts'
import { TestPinset } from '../contract/tracker.ts'
import { collect, putAll, rawBlock, sampleDag } from '../contract/ipfs-connector.ts'
import { ManualClock, settle, testPeer } from '../contract/values.ts'
import { CID } from 'multiformats/cid'
import { identity } from 'multiformats/hashes/identity'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { ContentNetwork, MemberBlocks } from '../../src/ipfs/helia.ts'
import type { Block } from '../../src/ipfs/ipfs.ts'
import type { Pin } from '../../src/pin/pin.ts'

const never = async (_cid: CID, { signal }: { readonly signal?: AbortSignal | undefined }): Promise<never> => {
  const { promise, reject } = Promise.withResolvers<never>()
  signal?.addEventListener('abort', () => { reject(signal.reason as Error) }, { once: true })
  return await promise
}
const network: ContentNetwork = { id: async () => ({ addresses: [], error: '' }), fetch: never, connect: async () => {}, peers: () => [], stop: async () => {} }
const self = testPeer(1)

async function setup (members?: MemberBlocks) {
  const [storage, store, clock, pinset] = [new MemoryBlockStorage(), new MemoryStore(), new ManualClock(), new TestPinset()]
  const connector = new HeliaConnector({ storage, store, network, members, logger: silentLogger }, { pinTimeout: 200 })
  const tracker = statelessTracker({ peerId: self, pinset, connector, clock, identity: () => ({ peerName: '', ipfsAddresses: [] }) }, { light: { keepEverywhere: true } })
  onTestFinished(async () => { await tracker.stop(); await connector.stop() })
  const hold = async (blocks: readonly Block[], pin: Pin): Promise<void> => {
    pinset.put(pin)
    await putAll(connector, blocks)
    await connector.pin(pin)
  }
  const audit = (options = {}) => {
    const one = contentAudit({ storage, store, clock, logger: silentLogger, onLost: (cid) => tracker.recover(cid), isWanted: async (cid) => await pinset.get(cid) !== undefined }, { delay: 0, ...options })
    onTestFinished(() => one.stop())
    return one
  }
  const status = async (cid: CID): Promise<string> => (await tracker.status(cid)).status
  return { storage, store, clock, pinset, connector, tracker, hold, audit, status }
}

const everywhere = { replicationFactorMin: -1, replicationFactorMax: -1 }
const allocated = (cid: CID): Pin => ({ ...pinWith(cid, { replicationFactorMin: 1, replicationFactorMax: 1 }), allocations: [self] })
const runThrough = async (audit: ReturnType<typeof contentAudit>, clock: ManualClock): Promise<number> => {
  await audit.start()
  const done = audit.done()
  let ended = false
  void done.finally(() => { ended = true })
  await vi.waitFor(async () => { await clock.advance(1000); expect(ended).toBe(true) }, { interval: 1 })
  return await done
}

it('finds nothing wrong where nothing is', async () => {
  const { hold, audit, clock, status } = await setup()
  const [one, other] = [await sampleDag('one'), await sampleDag('other')]
  await hold(one.blocks, pinWith(one.root.cid, everywhere))
  await hold(other.blocks, allocated(other.root.cid))
  expect(await runThrough(audit(), clock)).toBe(0)
  expect([await status(one.root.cid), await status(other.root.cid)]).toEqual(['pinned', 'pinned'])
})

it('tells the truth about pins whose root is gone', async () => {
  const { hold, audit, clock, status, storage, tracker, connector } = await setup()
  const [one, other, kept] = [await sampleDag('one'), await sampleDag('other'), await sampleDag('kept')]
  await hold(one.blocks, pinWith(one.root.cid, everywhere))
  await hold(other.blocks, allocated(other.root.cid))
  await hold(kept.blocks, allocated(kept.root.cid))
  for (const { root } of [one, other]) await storage.delete(root.cid)
  expect([await status(one.root.cid), await status(other.root.cid)]).toEqual(['pinned', 'pinned']) // what only the records say
  expect(await runThrough(audit(), clock)).toBe(2)
  expect([await status(one.root.cid), await status(other.root.cid), await status(kept.root.cid)]).toEqual(['remote', 'pin_queued', 'pinned'])
  await tracker.start()
  await vi.waitFor(async () => { expect(await status(other.root.cid)).toBe('pin_error') })
  expect(await status(one.root.cid)).toBe('remote')
  expect((await collect(connector.pins())).map(({ cid }) => cid.toString())).toEqual([kept.root.cid.toString()])
})

it('finds a block that is missing far below, and has the pin fetched again', async () => {
  const dag = await sampleDag('deep')
  const all = async (cid: CID): Promise<Uint8Array | undefined> => dag.blocks.find((block) => block.cid.equals(cid))?.bytes
  const { hold, audit, clock, status, storage, tracker } = await setup({ fetchNow: all, fetch: async (cid) => await all(cid) ?? new Uint8Array() })
  await hold(dag.blocks, pinWith(dag.root.cid, everywhere))
  const leaf = dag.blocks.find(({ cid }) => !cid.equals(dag.root.cid)) ?? dag.root
  await storage.delete(leaf.cid)
  expect(await runThrough(audit(), clock)).toBe(1)
  await tracker.start()
  await vi.waitFor(async () => { expect(await status(dag.root.cid)).toBe('pinned') })
  expect(await storage.has(leaf.cid)).toBe(true)
})

it('respects the depth of a pin, and blocks that are in their CID', async () => {
  const { hold, audit, clock, storage } = await setup()
  const dag = await sampleDag('direct')
  await hold(dag.blocks, { ...pinWith(dag.root.cid, { ...everywhere, mode: 'direct' }) })
  for (const { cid } of dag.blocks) if (!cid.equals(dag.root.cid)) await storage.delete(cid)
  await hold([], pinWith(CID.createV1(0x55, identity.digest(new TextEncoder().encode('in itself'))), everywhere))
  expect(await runThrough(audit(), clock)).toBe(0)
})

it('gives up what is in no pinset any more', async () => {
  const { hold, audit, clock, pinset, connector } = await setup()
  const block = await rawBlock('orphan')
  await hold([block], pinWith(block.cid, everywhere))
  pinset.delete(block.cid)
  expect(await runThrough(audit(), clock)).toBe(0)
  expect(await collect(connector.pins())).toEqual([])
})

it('goes on where it was stopped, at the pace it is given', async () => {
  const { hold, audit, clock, storage } = await setup()
  const blocks = await Promise.all(Array.from({ length: 6 }, (_, number) => rawBlock(`${number} `.repeat(500))))
  for (const block of blocks) await hold([block], pinWith(block.cid, everywhere))
  const read: string[] = []
  const get = storage.get.bind(storage)
  storage.get = async (cid) => { read.push(cid.toString()); return await get(cid) }
  const first = audit({ rate: 1000 }) // a second for each
  await first.start()
  await vi.waitFor(async () => { await clock.advance(0); expect(read.length).toBe(1) })
  await settle(5)
  await clock.advance(999)
  await settle(5)
  expect(read.length).toBe(1)
  for (const count of [2, 3]) {
    await clock.advance(1)
    await vi.waitFor(() => { expect(read.length).toBe(count) })
    await settle(5)
    await clock.advance(999)
  }
  await first.stop()
  await runThrough(audit(), clock)
  expect(read).toEqual(blocks.map(({ cid }) => cid.toString()).sort())
  await runThrough(audit(), clock)
  expect(read.length).toBe(12) // from the beginning again
})

it('stops at once, also before it was started', async () => {
  const { hold, audit } = await setup()
  const block = await rawBlock('here')
  await hold([block], pinWith(block.cid, everywhere))
  await audit().stop()
  const waiting = audit({ delay: 1000 })
  await waiting.start()
  await waiting.stop()
  expect(await waiting.done()).toBe(0)
})
