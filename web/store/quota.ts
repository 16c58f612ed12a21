/** How much this origin may store, and whether the browser may throw it away. */

/** In bytes; the browser's own count, which includes what its databases have not compacted yet. */
export interface StorageRoom {
  readonly usage: number
  readonly quota: number
  /** The browser evicts nothing by itself. */
  readonly persisted: boolean
}

/** `navigator.storage` where there is one: pages outside a secure context have none. */
const manager = (): StorageManager | undefined => (navigator as { readonly storage?: StorageManager }).storage

/** Undefined where the browser does not say. */
export async function storageRoom (): Promise<StorageRoom | undefined> {
  const storage = manager()
  if (storage === undefined) return undefined
  try {
    const [{ usage, quota }, persisted] = await Promise.all([storage.estimate(), storage.persisted()])
    return usage === undefined || quota === undefined ? undefined : { usage, quota, persisted }
  } catch {
    return undefined
  }
}

/** Asks the browser not to evict this origin's data; true where it agreed. Not available in workers. */
export async function askPersist (): Promise<boolean> {
  const storage = manager()
  if (storage === undefined || !('persist' in storage)) return false
  try {
    return await storage.persisted() || await storage.persist()
  } catch {
    return false
  }
}
