/** The stored pinset while the daemon is stopped: what the `state` commands work on. */
import { openOfflineCrdtState } from '../../../src/consensus/crdt/offline.ts'
import type { OfflineCrdtState } from '../../../src/consensus/crdt/offline.ts'
import { loadFolder } from '../../folder.ts'
import { lockFolder } from '../../lock.ts'
import { openLevelStore } from '../../store/level-store.ts'
import { doing } from './context.ts'
import type { ServiceContext } from './context.ts'

/** Runs `use` on the pinset of this folder, under the folder's lock. */
export async function withState<T> (context: ServiceContext, use: (state: OfflineCrdtState) => Promise<T>): Promise<T> {
  const { folder, logger } = context
  const { config } = await doing('loading configurations', async () => await loadFolder(folder, context.environment, logger.forComponent('config')))
  const lock = await doing('obtaining execution lock', async () => await lockFolder(folder.path))
  try {
    const store = await doing('opening the datastore', async () => await openLevelStore(folder.at(config.datastore.leveldb.folder)))
    try {
      const state = await doing('reading the state', async () => await openOfflineCrdtState({ store, logger }, { namespace: config.consensus.crdt.datastoreNamespace }))
      return await use(state)
    } finally { await store.close() }
  } finally { await lock.release() }
}
