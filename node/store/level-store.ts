/** The store on disk: LevelDB, one process at a time. */
import type { AbortOptions } from '../../src/component.ts'
import type { BatchOptions, Store, StoreOperation, StoreRange } from '../../src/store/store.ts'
import { ClassicLevel } from 'classic-level'
import { errorText } from '../../src/component.ts'
import { StoreError, type StoreErrorReason } from '../../src/store/errors.ts'

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

/** Opens, or creates, the store in `folder`. A locked or damaged folder is a StoreError that says so. */
export async function openLevelStore (folder: string, options: LevelStoreOptions = {}): Promise<Store> {
  const database: Database = new ClassicLevel(folder, { keyEncoding: 'utf8', valueEncoding: 'view', cacheSize: options.cacheSize ?? 16 << 20, writeBufferSize: options.writeBufferSize ?? 16 << 20 })
  try {
    await database.open()
  } catch (error) {
    throw openError(folder, error)
  }
  return new LevelStore(database, options.sync ?? false)
}

class LevelStore implements Store {
  readonly #database: Database
  readonly #sync: boolean

  constructor (database: Database, sync: boolean) {
    this.#database = database
    this.#sync = sync
  }

  async get (key: string, options?: AbortOptions): Promise<Uint8Array | undefined> {
    options?.signal?.throwIfAborted()
    return await this.#run(() => this.#database.get(key))
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
    await this.#run(() => this.#database.batch([...operations], { sync: options.sync ?? this.#sync }))
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

  async close (): Promise<void> { await this.#database.close() }

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
      return await work()
    } catch (error) {
      throw useError(error)
    }
  }
}

interface Bounds { readonly gte?: string, readonly gt?: string, readonly lt?: string, readonly reverse?: boolean, readonly limit?: number, readonly highWaterMarkBytes: number }
interface Chunked<T> { readonly nextv: (size: number) => Promise<T[]>, readonly close: () => Promise<void> }

/** Codes of an error and of its causes, outermost first. */
function codesOf (error: unknown): string[] {
  const codes: string[] = []
  for (let at = error; at instanceof Error; at = at.cause) codes.push('code' in at ? String(at.code) : '')
  return codes
}

const rootText = (error: unknown): string => error instanceof Error && error.cause !== undefined ? rootText(error.cause) : errorText(error)

function openError (folder: string, error: unknown): StoreError {
  const codes = codesOf(error)
  const [reason, what]: readonly [StoreErrorReason, string] = codes.includes('LEVEL_LOCKED')
    ? ['locked', 'is in use by another process']
    : codes.includes('LEVEL_CORRUPTION') || codes.includes('LEVEL_INVALID') ? ['damaged', 'is damaged'] : ['unavailable', 'cannot be opened']
  return new StoreError(reason, `the data folder ${folder} ${what}: ${rootText(error)}`, { cause: error })
}

function useError (error: unknown): Error {
  const codes = codesOf(error)
  if (codes.includes('LEVEL_DATABASE_NOT_OPEN') || codes.includes('LEVEL_ITERATOR_NOT_OPEN')) return new StoreError('closed', 'the store is closed', { cause: error })
  if (codes.includes('LEVEL_CORRUPTION')) return new StoreError('damaged', `the data folder is damaged: ${rootText(error)}`, { cause: error })
  return error instanceof Error ? error : new Error(String(error))
}
