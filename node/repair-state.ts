/** Mends stores, and the CRDT state of a peer that does not run: its files where they do not read, and everything that is made of the blocks. */
import { readdir } from 'node:fs/promises'
import type { ComponentLogger } from '../src/component.ts'
import { openOfflineCrdtState } from '../src/consensus/crdt/offline.ts'
import type { CrdtInfo } from '../src/consensus/crdt/offline.ts'
import { StoreError } from '../src/store/errors.ts'
import { checkTables, repairFolder } from './store/level-repair.ts'
import { openLevelStore } from './store/level-store.ts'

export interface RepairStoreOptions {
  /** Told why the files are being mended, when they are. */
  readonly onDamage?: ((error: StoreError) => void) | undefined
}

export interface RepairStateOptions extends RepairStoreOptions {
  /** `crdt.datastore_namespace`. */
  readonly namespace: string
  readonly logger: ComponentLogger
}

/** Mends the files of any store, where they do not read; nothing where there is none. */
export async function repairStore (path: string, options: RepairStoreOptions): Promise<void> {
  if ((await readdir(path).catch(() => [])).length === 0) return
  await mended(path, options, async () => { await (await openLevelStore(path)).close() })
}

/** `path`: the folder of LevelDB. Resolves with what there is afterwards. */
export async function repairState (path: string, options: RepairStateOptions): Promise<CrdtInfo> {
  return await mended(path, options, async () => await rebuilt(path, options))
}

/** Does it at once, or after the files were mended. */
async function mended<T> (path: string, { onDamage }: RepairStoreOptions, use: () => Promise<T>): Promise<T> {
  try {
    // Writing on top of damaged tables could end the process.
    await checkTables(path)
    return await use()
  } catch (error) {
    if (!(error instanceof StoreError && error.reason === 'damaged')) throw error
    onDamage?.(error)
    await repairFolder(path)
    return await use()
  }
}

async function rebuilt (path: string, { namespace, logger }: RepairStateOptions): Promise<CrdtInfo> {
  const store = await openLevelStore(path)
  try {
    return (await openOfflineCrdtState({ store, logger }, { namespace, rebuild: true })).info()
  } finally { await store.close() }
}
