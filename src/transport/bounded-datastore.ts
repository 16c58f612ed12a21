/** Bounds what libp2p keeps for members in memory: addresses of whoever was heard of, and records and providers of the DHT. */
import type { Datastore, Key } from 'interface-datastore'

export interface DatastoreLimits {
  /** Entries of one kind. @default 20_000 */
  readonly entries: number
  /** Bytes of one kind. @default 33_554_432 */
  readonly bytes: number
  /** Bytes of one entry; larger ones are refused. @default 65_536 */
  readonly entryBytes: number
}

export const defaultDatastoreLimits: DatastoreLimits = { entries: 20_000, bytes: 33_554_432, entryBytes: 65_536 }

interface Kind { readonly sizes: Map<string, { readonly key: Key, readonly size: number }>, bytes: number }

/** Of too much of a kind (`/peers`, `/dht`) what was written longest ago goes, but nothing of `needed`: keys of peers that are near. */
export function boundDatastore (datastore: Datastore, needed: () => ReadonlySet<string>, limits: Partial<DatastoreLimits> = {}): void {
  const { entries, bytes, entryBytes } = { ...defaultDatastoreLimits, ...limits }
  const kinds = new Map<string, Kind>()
  const put = datastore.put.bind(datastore)
  const remove = datastore.delete.bind(datastore)
  const forget = (kind: Kind, name: string): void => {
    kind.bytes -= kind.sizes.get(name)?.size ?? 0
    kind.sizes.delete(name)
  }
  datastore.put = async (key, value, options) => {
    if (value.byteLength > entryBytes) throw new Error(`${value.byteLength} bytes are too many for one entry`)
    const name = key.toString()
    const kind = kinds.get(kindOf(name)) ?? { sizes: new Map(), bytes: 0 }
    kinds.set(kindOf(name), kind)
    forget(kind, name)
    kind.sizes.set(name, { key, size: value.byteLength })
    kind.bytes += value.byteLength
    if (kind.sizes.size > entries || kind.bytes > bytes) {
      const kept = needed()
      for (const [oldest, entry] of kind.sizes) {
        if (kind.sizes.size <= entries && kind.bytes <= bytes) break
        if (oldest === name || kept.has(oldest)) continue
        forget(kind, oldest)
        await remove(entry.key)
      }
    }
    return await put(key, value, options)
  }
  datastore.delete = async (key, options) => {
    const kind = kinds.get(kindOf(key.toString()))
    if (kind !== undefined) forget(kind, key.toString())
    await remove(key, options)
  }
}

const kindOf = (name: string): string => name.split('/', 2)[1] ?? ''
