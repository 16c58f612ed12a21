/** A tab whose blocks were evicted while its pins were not: what it says afterwards, and what it does. */
import { silentLogger } from '../../src/component.ts'
import { contentAudit } from '../../src/ipfs/audit.ts'
import { HeliaConnector } from '../../src/ipfs/helia.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { statelessTracker } from '../../src/tracker/stateless.ts'
import { deleteDatabase } from '../../web/store/database.ts'
import { openIdbBlocks } from '../../web/store/idb-blocks.ts'
import { openIdbStore } from '../../web/store/idb-store.ts'
import { kuboNetwork } from '../../web/ipfs/kubo-network.ts'
import { TestPinset } from '../contract/tracker.ts'
import { putAll, sampleDag } from '../contract/ipfs-connector.ts'
import { testPeer } from '../contract/values.ts'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { CID } from 'multiformats/cid'

it('tells the truth, and fetches again what it wants', async () => {
  const [blocks, pins] = [`lost-blocks-${Date.now()}`, `lost-pins-${Date.now()}`]
  const members = new Map<string, Uint8Array>()
  const get = async (cid: CID): Promise<Uint8Array | undefined> => members.get(cid.toString())
  const open = async () => {
    const [storage, store] = [await openIdbBlocks(blocks), await openIdbStore(pins)]
    const connector = new HeliaConnector({
      storage, store, logger: silentLogger, network: await kuboNetwork({ sources: () => [], logger: silentLogger }),
      members: { fetchNow: get, fetch: async (cid) => await get(cid) ?? await Promise.reject(new Error('nobody has it')) }
    }, { pinTimeout: 1000 })
    onTestFinished(() => connector.stop())
    return { connector, storage, store }
  }
  const [everywhere, allocated] = [await sampleDag('everywhere'), await sampleDag('allocated')]
  const pinset = new TestPinset()
  pinset.put(pinWith(everywhere.root.cid, { replicationFactorMin: -1, replicationFactorMax: -1 }))
  pinset.put({ ...pinWith(allocated.root.cid, { replicationFactorMin: 1, replicationFactorMax: 1 }), allocations: [testPeer(1)] })
  const before = await open()
  for (const dag of [everywhere, allocated]) {
    await putAll(before.connector, dag.blocks)
    await before.connector.pin(pinWith(dag.root.cid))
  }
  await before.connector.stop()
  await deleteDatabase(blocks)

  const { connector, storage, store } = await open()
  const tracker = statelessTracker({ peerId: testPeer(1), pinset, connector, identity: () => ({ peerName: '', ipfsAddresses: [] }) }, { light: { keepEverywhere: true } })
  await tracker.start()
  onTestFinished(() => tracker.stop())
  const audit = contentAudit({ storage, store, logger: silentLogger, onLost: (cid) => tracker.recover(cid) }, { delay: 0 })
  await audit.start()
  expect(await audit.done()).toBe(2)
  const status = async ({ root }: typeof everywhere): Promise<string> => (await tracker.status(root.cid)).status
  await vi.waitFor(async () => { expect(await status(allocated)).toBe('pin_error') }, { timeout: 10_000 })
  expect(await status(everywhere)).toBe('remote')

  for (const dag of [everywhere, allocated]) for (const { cid, bytes } of dag.blocks) members.set(cid.toString(), bytes)
  for (const dag of [everywhere, allocated]) await tracker.recover(dag.root.cid)
  await vi.waitFor(async () => { expect([await status(everywhere), await status(allocated)]).toEqual(['pinned', 'pinned']) }, { timeout: 10_000 })
  expect(await storage.get(everywhere.root.cid)).toEqual(everywhere.root.bytes)
}, 30_000)
