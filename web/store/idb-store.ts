/** The store of a browser tab: one IndexedDB object store, one tab at a time. */
import type { AbortOptions } from '../../src/component.ts'
import type { BatchOptions, Store, StoreOperation, StoreRange } from '../../src/store/store.ts'
import type { DatabaseOptions } from './database.ts'
import type { Row } from './snapshot.ts'
import { StoreError } from '../../src/store/errors.ts'
import { committed, Database, results } from './database.ts'
import { Groups } from './groups.ts'
import { Snapshot } from './snapshot.ts'

/** Items in one chunk of a range read. */
const chunkSize = 1000
/** Operations that batches may share a transaction up to. */
const maxJoined = 10_000
const objectStore = 'entries'
const none = new Uint8Array(0)

interface Batch { readonly operations: readonly StoreOperation[], readonly sync: boolean }

/**
 * Opens, or creates, the store. A batch is acknowledged once the browser's own process has it (durability `relaxed`), which outlives
 * the tab, its crash and a reload; only `sync` waits for the disk (`strict`). StoreError says what is wrong with the database.
 */
export async function openIdbStore (name: string, options: DatabaseOptions = {}): Promise<Store> {
  return new IdbStore(await Database.open(name, [objectStore], options))
}

class IdbStore implements Store {
  readonly #database: Database
  /** Batches that come while others are being written share the next transaction: in their order, all of it or nothing. */
  readonly #writes = new Groups<Batch, undefined>((batches) => this.#write(batches), maxJoined)
  /** Range reads under way; one that was dropped without an end is forgotten with its reader. */
  readonly #snapshots = new Set<WeakRef<Snapshot>>()
  #closed = false

  constructor (database: Database) { this.#database = database }

  async get (key: string, options?: AbortOptions): Promise<Uint8Array | undefined> {
    return (await this.getMany([key], options))[0]
  }

  async getMany (keys: readonly string[], options?: AbortOptions): Promise<ReadonlyArray<Uint8Array | undefined>> {
    return await this.#read(options, (store) => keys.map((key) => store.get(key) as IDBRequest<Uint8Array | undefined>))
  }

  async has (key: string, options?: AbortOptions): Promise<boolean> {
    return (await this.hasMany([key], options))[0] === true
  }

  async hasMany (keys: readonly string[], options?: AbortOptions): Promise<readonly boolean[]> {
    const found = await this.#read(options, (store) => keys.map((key) => store.getKey(key)))
    return found.map((key) => key !== undefined)
  }

  async batch (operations: readonly StoreOperation[], { signal, sync = false }: BatchOptions = {}): Promise<void> {
    this.#check(signal)
    if (operations.length === 0) return
    const own = operations.map((operation) => operation.type === 'put' ? { ...operation, value: operation.value.slice() } : operation)
    await this.#writes.add({ operations: own, sync }, own.length)
  }

  entries (range: StoreRange): AsyncIterable<readonly Row[]> { return this.#chunks(range, true) }

  async * keys (range: StoreRange): AsyncGenerator<readonly string[]> {
    for await (const rows of this.#chunks(range, false)) yield rows.map(([key]) => key)
  }

  async * values (range: StoreRange): AsyncGenerator<readonly Uint8Array[]> {
    for await (const rows of this.#chunks(range, true)) yield rows.map(([, value]) => value)
  }

  async close (): Promise<void> {
    this.#closed = true
    await this.#writes.idle()
    this.#database.close()
  }

  #check (signal: AbortSignal | undefined): void {
    signal?.throwIfAborted()
    if (this.#closed) throw new StoreError('closed', 'the store is closed')
    this.#database.check()
  }

  async #read<T> (options: AbortOptions | undefined, request: (store: IDBObjectStore) => ReadonlyArray<IDBRequest<T>>): Promise<readonly T[]> {
    this.#check(options?.signal)
    const transaction = this.#database.transaction(objectStore, 'readonly')
    try {
      return await results(transaction, request(transaction.objectStore(objectStore)))
    } catch (error) {
      throw this.#database.error(error)
    }
  }

  async #write (batches: readonly Batch[]): Promise<undefined[]> {
    try {
      const last = new Map<string, StoreOperation>()
      for (const { operations } of batches) for (const operation of operations) last.set(operation.key, operation)
      const transaction = this.#database.transaction(objectStore, 'readwrite', batches.some(({ sync }) => sync) ? 'strict' : 'relaxed')
      try {
        this.#request(transaction, last)
      } catch (error) {
        // What was asked for before would be written all the same.
        transaction.abort()
        throw error
      }
      await committed(transaction)
      return batches.map(() => undefined)
    } catch (error) {
      throw this.#database.error(error)
    }
  }

  #request (transaction: IDBTransaction, operations: ReadonlyMap<string, StoreOperation>): void {
    const store = transaction.objectStore(objectStore)
    const reading = this.#keepOld(store, operations.keys())
    for (const operation of operations.values()) {
      if (operation.type === 'put') store.put(operation.value, operation.key)
      else store.delete(operation.key)
    }
    if (!reading) transaction.commit()
  }

  /** Asked for before the writes of the same transaction, so that the answers are from before them. True where something was asked for. */
  #keepOld (store: IDBObjectStore, keys: Iterable<string>): boolean {
    if (this.#snapshots.size === 0) return false
    let asked = false
    const snapshots: Snapshot[] = []
    for (const reference of this.#snapshots) {
      const snapshot = reference.deref()
      if (snapshot === undefined) this.#snapshots.delete(reference)
      else snapshots.push(snapshot)
    }
    for (const key of keys) {
      if (!snapshots.some((snapshot) => snapshot.needs(key))) continue
      const request = store.get(key) as IDBRequest<Uint8Array | undefined>
      request.onsuccess = () => { for (const snapshot of snapshots) snapshot.keep(key, request.result) }
      asked = true
    }
    return asked
  }

  async * #chunks (range: StoreRange, withValues: boolean): AsyncGenerator<readonly Row[]> {
    const snapshot = new Snapshot(range)
    const reference = new WeakRef(snapshot)
    let left = range.limit ?? Infinity
    try {
      while (left > 0) {
        this.#check(range.signal)
        const ahead = snapshot.ahead()
        if (ahead === undefined) return
        const count = Math.min(chunkSize, left)
        const reading = this.#readRows(ahead, count, snapshot.reverse, withValues)
        this.#snapshots.add(reference)
        const rows = await reading
        const last = rows.length < count
        const restored = snapshot.restore(rows, last).slice(0, left)
        for (let from = 0; from < restored.length; from += chunkSize) yield restored.slice(from, from + chunkSize)
        if (last) return
        left -= restored.length
      }
    } finally {
      this.#snapshots.delete(reference)
    }
  }

  /** Makes its transaction at once: what is written later is not in it. */
  async #readRows (ahead: IDBKeyRange | null, count: number, reverse: boolean, withValues: boolean): Promise<readonly Row[]> {
    const transaction = this.#database.transaction(objectStore, 'readonly')
    try {
      const store = transaction.objectStore(objectStore)
      if (reverse) return await backwards(transaction, store, ahead, count)
      const keys = store.getAllKeys(ahead, count) as IDBRequest<string[]>
      const values = withValues ? store.getAll(ahead, count) as IDBRequest<Uint8Array[]> : undefined
      await results<IDBRequest>(transaction, values === undefined ? [keys] : [keys, values])
      return keys.result.map((key, index) => [key, values?.result[index] ?? none] as const)
    } catch (error) {
      throw this.#database.error(error)
    }
  }
}

async function backwards (transaction: IDBTransaction, store: IDBObjectStore, ahead: IDBKeyRange | null, count: number): Promise<readonly Row[]> {
  const rows: Row[] = []
  const request = store.openCursor(ahead, 'prev')
  request.onsuccess = () => {
    const cursor = request.result
    if (cursor === null) return
    rows.push([cursor.key as string, cursor.value as Uint8Array])
    if (rows.length < count) cursor.continue()
  }
  await committed(transaction)
  return rows
}
