/** The store on disk: LevelDB, one process at a time. */
import type { AbortOptions } from '../../src/component.ts'
import type { BatchOptions, Store, StoreOperation, StoreRange } from '../../src/store/store.ts'
import { ClassicLevel } from 'classic-level'
import { GroupedGets } from './grouped-gets.ts'
import { openError, useError } from './level-errors.ts'
import { checkFolder, checkRoom, hasDropped, isInDoubt, markClosed, markOpen } from './level-folder.ts'

export interface LevelStoreOptions {
  /** Flush every batch to the disk itself, so that it also survives power loss. @default false */
  readonly sync?: boolean | undefined
  /** Bytes of uncompressed blocks kept in memory. @default 16 MiB */
  readonly cacheSize?: number | undefined
  /** Bytes of writes collected before they go to a sorted file. @default 16 MiB */
  readonly writeBufferSize?: number | undefined
}

type Database = ClassicLevel<string, Uint8Array>

/** Items in one chunk of a range read. */
const chunkSize = 1000
/** The default of 16 KiB would cut chunks to a few dozen items. */
const highWaterMarkBytes = 1 << 20

/** Opens, or creates, the store in `folder`. A locked, damaged or full one is a StoreError that says so. */
export async function openLevelStore (folder: string, options: LevelStoreOptions = {}): Promise<Store> {
  let inDoubt = false
  try {
    await checkFolder(folder)
    inDoubt = await isInDoubt(folder)
  } catch (error) {
    throw openError(folder, error)
  }
  const database: Database = new ClassicLevel(folder, { keyEncoding: 'utf8', valueEncoding: 'view', cacheSize: options.cacheSize ?? 16 << 20, writeBufferSize: options.writeBufferSize ?? 16 << 20 })
  try {
    await database.open()
    const mayHaveGaps = await hasDropped(folder) || inDoubt
    await markOpen(folder, mayHaveGaps)
    return new LevelStore(folder, database, options.sync ?? false, mayHaveGaps)
  } catch (error) {
    await database.close()
    throw openError(folder, error)
  }
}

class LevelStore implements Store {
  readonly mayHaveGaps: boolean
  readonly #folder: string
  readonly #database: Database
  readonly #gets: GroupedGets<string, Uint8Array | undefined>
  readonly #sync: boolean
  /** Batches so far, and the last of them that is surely on the disk. */
  #written = 0
  #synced = 0
  /** A write failed: its log may end in half a record, behind which LevelDB would not find what comes later. */
  #broken = false
  #mending: Promise<void> | undefined
  #closed = false

  constructor (folder: string, database: Database, sync: boolean, mayHaveGaps: boolean) {
    this.#folder = folder
    this.#database = database
    this.#gets = new GroupedGets((keys) => database.getMany(keys))
    this.#sync = sync
    this.mayHaveGaps = mayHaveGaps
  }

  async get (key: string, options?: AbortOptions): Promise<Uint8Array | undefined> {
    options?.signal?.throwIfAborted()
    return await this.#run(() => this.#gets.get(key))
  }

  async getMany (keys: readonly string[], options?: AbortOptions): Promise<ReadonlyArray<Uint8Array | undefined>> {
    options?.signal?.throwIfAborted()
    return await this.#run(() => this.#database.getMany([...keys]))
  }

  async has (key: string, options?: AbortOptions): Promise<boolean> {
    options?.signal?.throwIfAborted()
    return await this.#run(() => this.#database.has(key))
  }

  async hasMany (keys: readonly string[], options?: AbortOptions): Promise<readonly boolean[]> {
    options?.signal?.throwIfAborted()
    return await this.#run(() => this.#database.hasMany([...keys]))
  }

  async batch (operations: readonly StoreOperation[], options: BatchOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    if (operations.length === 0) return
    const sync = options.sync ?? this.#sync
    await this.mend()
    await this.#run(async () => {
      try {
        const serial = ++this.#written
        await this.#database.batch([...operations], { sync })
        if (sync) this.#synced = Math.max(this.#synced, serial)
      } catch (error) {
        this.#broken = true
        throw error
      }
    })
  }

  /** Opens LevelDB anew after a failed write, once there is room: it then writes to a new log. Reads go on meanwhile, until the very moment. */
  async mend (): Promise<void> {
    if (!this.#broken || this.#closed) return
    this.#mending ??= this.#reopen().finally(() => { this.#mending = undefined })
    await this.#mending
  }

  async #reopen (): Promise<void> {
    try {
      await checkRoom(this.#folder)
      await this.#database.close()
      await this.#database.open()
      this.#broken = false
    } catch (error) {
      throw openError(this.#folder, error)
    }
  }

  entries (range: StoreRange): AsyncIterable<ReadonlyArray<readonly [key: string, value: Uint8Array]>> {
    return this.#chunks(range, (bounds) => this.#database.iterator(bounds))
  }

  keys (range: StoreRange): AsyncIterable<readonly string[]> {
    return this.#chunks(range, (bounds) => this.#database.keys(bounds))
  }

  values (range: StoreRange): AsyncIterable<readonly Uint8Array[]> {
    return this.#chunks(range, (bounds) => this.#database.values(bounds))
  }

  async close (): Promise<void> {
    if (this.#closed) return
    await this.#mending?.catch(() => {})
    this.#closed = true
    // Without a sync the mark would be gone and the last batches perhaps not there.
    const inOrder = !this.#broken && (this.#synced === this.#written || await this.#database.batch([{ type: 'del', key: '\0' }], { sync: true }).then(() => true, () => false))
    await this.#database.close()
    if (inOrder) await markClosed(this.#folder)
  }

  async * #chunks<T> (range: StoreRange, open: (bounds: Bounds) => Chunked<T>): AsyncGenerator<T[]> {
    range.signal?.throwIfAborted()
    const { gte, gt, lt, reverse, limit } = range
    const iterator = await this.#run(async () => open({
      highWaterMarkBytes,
      ...(gte === undefined ? {} : { gte }), ...(gt === undefined ? {} : { gt }), ...(lt === undefined ? {} : { lt }),
      ...(reverse === undefined ? {} : { reverse }), ...(limit === undefined ? {} : { limit })
    }))
    try {
      while (true) {
        range.signal?.throwIfAborted()
        const chunk = await this.#run(() => iterator.nextv(chunkSize))
        if (chunk.length === 0) return
        yield chunk
      }
    } finally {
      await iterator.close()
    }
  }

  async #run<T> (work: () => Promise<T>): Promise<T> {
    try {
      await this.#mending?.catch(() => {})
      // It could not be opened anew the last time.
      if (this.#broken && this.#database.status !== 'open') await this.mend()
      return await work()
    } catch (error) {
      throw useError(this.#folder, error, !this.#closed)
    }
  }
}

interface Bounds { readonly gte?: string, readonly gt?: string, readonly lt?: string, readonly reverse?: boolean, readonly limit?: number, readonly highWaterMarkBytes: number }
interface Chunked<T> { readonly nextv: (size: number) => Promise<T[]>, readonly close: () => Promise<void> }
