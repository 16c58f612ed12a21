/** One IndexedDB database: opened with clear errors, and watched, as the browser or another tab can take it away at any time. */
import { errorText } from '../../src/component.ts'
import { StoreError, type StoreErrorReason } from '../../src/store/errors.ts'
import { deleteDB, openDB, unwrap } from 'idb'

export interface DatabaseOptions {
  /** Called once when the database was deleted or closed from outside; everything fails with this error from then on. */
  readonly onClosed?: ((error: StoreError) => void) | undefined
  /** How long to wait, in ms, for a database that another tab is changing. @default 10_000 */
  readonly openTimeout?: number | undefined
}

/** Version of the layout of every database here; a newer one was written by a newer program. */
const version = 1

export class Database {
  readonly name: string
  readonly #onClosed: DatabaseOptions['onClosed']
  #database: IDBDatabase | undefined
  #gone: StoreError | undefined

  private constructor (name: string, onClosed: DatabaseOptions['onClosed']) {
    this.name = name
    this.#onClosed = onClosed
  }

  /** Opens the database, or makes it with these object stores. */
  static async open (name: string, stores: readonly string[], options: DatabaseOptions = {}): Promise<Database> {
    const database = new Database(name, options.onClosed)
    const timeout = options.openTimeout ?? 10_000
    const { promise: failed, reject } = Promise.withResolvers<never>()
    const locked = (): void => { reject(new StoreError('locked', `the database ${name} is in use by another tab`)) }
    const timer = setTimeout(locked, timeout)
    let late = false
    const opening = openDB(name, version, {
      upgrade: (created) => { for (const store of stores) created.createObjectStore(store) },
      blocked: locked,
      blocking: () => { database.#lose('another tab deletes or upgrades it') },
      terminated: () => { database.#lose('the browser closed it: its data was cleared, or its files cannot be read') }
    })
    // An open that was given up cannot be taken back.
    opening.then((opened) => { if (late) opened.close() }, () => {})
    try {
      const opened = unwrap(await Promise.race([opening, failed]))
      database.#database = opened
      const missing = stores.find((store) => !opened.objectStoreNames.contains(store))
      if (missing !== undefined) {
        database.close()
        throw new StoreError('damaged', `the database ${name} has no ${missing}`)
      }
      return database
    } catch (error) {
      late = true
      throw error instanceof StoreError ? error : openError(name, error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Transactions over the same object stores run in the order in which they were made. */
  transaction (stores: string | string[], mode: 'readonly' | 'readwrite', durability: 'relaxed' | 'strict' = 'relaxed'): IDBTransaction {
    if (this.#gone !== undefined) throw this.#gone
    if (this.#database === undefined) throw new StoreError('closed', 'the store is closed')
    try {
      return this.#database.transaction(stores, mode, { durability })
    } catch (error) {
      throw this.error(error)
    }
  }

  /** Throws where nothing can be read or written any more. */
  check (): void {
    if (this.#gone !== undefined) throw this.#gone
    if (this.#database === undefined) throw new StoreError('closed', 'the store is closed')
  }

  /** What went wrong, in the words of the store. */
  error (error: unknown): Error {
    if (error instanceof StoreError) return error
    if (this.#gone !== undefined) return this.#gone
    const name = error instanceof Error ? error.name : ''
    if (name === 'QuotaExceededError') return new StoreError('full', `the browser grants no more room for ${this.name}`, { cause: error })
    if (name === 'InvalidStateError' && this.#database === undefined) return new StoreError('closed', 'the store is closed', { cause: error })
    return new StoreError('unavailable', `the database ${this.name} does not work: ${errorText(error)}`, { cause: error })
  }

  /** Transactions that were made before it end first. */
  close (): void {
    this.#database?.close()
    this.#database = undefined
  }

  #lose (what: string): void {
    if (this.#gone !== undefined || this.#database === undefined) return
    const error = new StoreError('unavailable', `the database ${this.name} is gone: ${what}`)
    this.#gone = error
    this.close()
    this.#onClosed?.(error)
  }
}

function openError (name: string, error: unknown): StoreError {
  const kind = error instanceof Error ? error.name : ''
  const [reason, what]: readonly [StoreErrorReason, string] = kind === 'VersionError'
    ? ['unavailable', 'was written by a newer version of this program']
    : kind === 'QuotaExceededError' ? ['full', 'has no room'] : ['unavailable', 'cannot be opened']
  return new StoreError(reason, `the database ${name} ${what}: ${errorText(error)}`, { cause: error })
}

/**
 * Resolves when the transaction is durable as asked for; rejects with why it was given up. Says nothing of reads: Chromium completes a
 * transaction that was committed early before it has delivered values of more than 64 KiB (which it keeps in files).
 */
export async function committed (transaction: IDBTransaction): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  transaction.oncomplete = () => { resolve() }
  transaction.onabort = () => { reject(transaction.error ?? new Error('the transaction was aborted')) }
  await promise
}

/** The results of requests that were made, in this order, on one transaction. */
export async function results<R extends IDBRequest> (transaction: IDBTransaction, requests: readonly R[]): Promise<Array<R['result']>> {
  const last: IDBRequest | undefined = requests.at(-1)
  if (last === undefined) return []
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // Requests of one transaction succeed in order: the last one speaks for all.
  last.onsuccess = () => { resolve() }
  transaction.onabort = () => { reject(transaction.error ?? new Error('the transaction was aborted')) }
  await promise
  return requests.map(({ result }) => result as R['result'])
}

/** What the browser could not read: it lost the file, for instance. */
export const unreadable = Symbol('unreadable')

/** Like `results`, where single values may be unreadable. */
export async function settled<R extends IDBRequest> (transaction: IDBTransaction, requests: readonly R[]): Promise<Array<R['result'] | typeof unreadable>> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  transaction.onabort = () => { reject(transaction.error ?? new Error('the transaction was aborted')) }
  const each = requests.map(async (request: IDBRequest) => {
    const { promise, resolve } = Promise.withResolvers<unknown>()
    request.onsuccess = () => { resolve(request.result) }
    request.onerror = (event) => {
      // It would end the transaction, and with it the others.
      event.preventDefault()
      event.stopPropagation()
      resolve(unreadable)
    }
    return await promise as R['result'] | typeof unreadable
  })
  return await Promise.race([Promise.all(each), aborted])
}

/** The bytes in a buffer of their own: a clone of a view would take its whole buffer along. */
export const tight = (bytes: Uint8Array): Uint8Array => bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()

/** Deletes a database; waits until every tab has closed it. One that is not there is no error. */
export async function deleteDatabase (name: string): Promise<void> { await deleteDB(name) }
