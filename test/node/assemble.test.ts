/** What the configuration does to the components that are made of it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, it, onTestFinished } from 'vitest'
import { assemble } from '../../node/assemble.ts'
import { folderAt } from '../../node/folder.ts'
import { createIdentity } from '../../node/identity.ts'
import { silentLogger } from '../../src/component.ts'
import { defaultConfig } from '../../src/config/config.ts'
import { pubsubMonitor } from '../../src/monitor/pubsub-monitor.ts'
import { newMeasures } from '../../src/observations/measures.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { testPin } from '../contract/consensus.ts'

it.each([[true, {}], [false, { sync: false }], [false, { leveldbOptions: { no_sync: true } }]] as const)('pins are fsynced: %s, for %o', async (expected, leveldb) => {
  const path = await mkdtemp(join(tmpdir(), 'pinswarm-assemble-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  const defaults = defaultConfig({ peername: 'alpha', secret: '', ipfs: 'helia' })
  const config = { ...defaults, cluster: { ...defaults.cluster, listenMultiaddress: [multiaddr('/ip4/127.0.0.1/tcp/0')] }, datastore: { leveldb: { ...defaults.datastore.leveldb, ...leveldb } } }
  const store = new MemoryStore()
  const { components, transport } = await assemble({ config, identity: await createIdentity(), folder: folderAt(path), logger: silentLogger, store, measures: newMeasures(), knownAddresses: [], ipfsAddresses: () => [] })
  await transport.start()
  const consensus = components.consensus({ hooks: { pinned: () => {}, unpinned: () => {} }, monitor: pubsubMonitor({ transport, logger: silentLogger }) })
  try {
    await consensus.start()
    const synced: unknown[] = []
    const batch = store.batch.bind(store)
    store.batch = async (operations, options) => { synced.push(options?.sync); await batch(operations) }
    await consensus.log.put(testPin(1))
    expect(synced).toEqual([expected])
  } finally {
    await consensus.stop()
    await transport.stop()
    await components.connector.stop()
  }
})
