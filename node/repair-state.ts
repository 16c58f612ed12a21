/** Mends the CRDT state of a peer that does not run: its files where they do not read, and everything that is made of the blocks. */
import type { ComponentLogger } from '../src/component.ts'
import { openOfflineCrdtState } from '../src/consensus/crdt/offline.ts'
import type { CrdtInfo } from '../src/consensus/crdt/offline.ts'
import { StoreError } from '../src/store/errors.ts'
import { checkTables, repairFolder } from './store/level-repair.ts'
import { openLevelStore } from './store/level-store.ts'

export interface RepairStateOptions {
  /** `crdt.datastore_namespace`. */
  readonly namespace: string
  readonly logger: ComponentLogger
  /** Told why the files are being mended, when they are. */
  readonly onDamage?: ((error: StoreError) => void) | undefined
}

/** `path`: the folder of LevelDB. Resolves with what there is afterwards. */
export async function repairState (path: string, options: RepairStateOptions): Promise<CrdtInfo> {
  try {
    // Merging on top of damaged tables could end the process.
    await checkTables(path)
    return await rebuilt(path, options)
  } catch (error) {
    if (!(error instanceof StoreError && error.reason === 'damaged')) throw error
    options.onDamage?.(error)
    await repairFolder(path)
    return await rebuilt(path, options)
  }
}

async function rebuilt (path: string, { namespace, logger }: RepairStateOptions): Promise<CrdtInfo> {
  const store = await openLevelStore(path)
  try {
    return (await openOfflineCrdtState({ store, logger }, { namespace, rebuild: true })).info()
  } finally { await store.close() }
}
