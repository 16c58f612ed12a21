/** The stored pinset while the daemon is stopped: what the `state` commands work on. */
import { openOfflineCrdtState } from '../../../src/consensus/crdt/offline.ts'
import type { OfflineCrdtState } from '../../../src/consensus/crdt/offline.ts'
import { loadFolder } from '../../folder.ts'
import { lockFolder } from '../../lock.ts'
import { pinsFolder } from '../../ipfs/pins-folder.ts'
import { openLevelStore } from '../../store/level-store.ts'
import { doing } from './context.ts'
import type { ServiceContext } from './context.ts'

/** How to reach the store of the folder whose lock is held. */
export interface OpenFolder {
  /** Where LevelDB's files are. */
  readonly path: string
  readonly namespace: string
  /** Where the embedded IPFS keeps its pins, if it is in use. */
  readonly pins: string | undefined
}

/** Runs `use` under the lock of this folder: no daemon and no other command can be at its store. */
export async function withFolder<T> (context: ServiceContext, use: (open: OpenFolder) => Promise<T>): Promise<T> {
  const { folder, logger } = context
  const { config } = await doing('loading configurations', async () => await loadFolder(folder, context.environment, logger.forComponent('config')))
  const lock = await doing('obtaining execution lock', async () => await lockFolder(folder.path))
  try {
    return await use({ path: folder.at(config.datastore.leveldb.folder), namespace: config.consensus.crdt.datastoreNamespace, pins: config.ipfsConnector.kind === 'helia' ? pinsFolder(folder.at(config.ipfsConnector.helia.folder)) : undefined })
  } finally { await lock.release() }
}

/** Runs `use` on the pinset of this folder, under the folder's lock. */
export async function withState<T> (context: ServiceContext, use: (state: OfflineCrdtState) => Promise<T>): Promise<T> {
  return await withFolder(context, async ({ path, namespace }) => {
    const store = await doing('opening the datastore', async () => await openLevelStore(path))
    try {
      return await use(await doing('reading the state', async () => await openOfflineCrdtState({ store, logger: context.logger }, { namespace })))
    } finally { await store.close() }
  })
}
