/**
 * Blocks in IndexedDB. Writers share transactions, so do readers; the count of bytes changes in the same transaction as the blocks.
 * What was written is read back and compared before `put` resolves. A key is `<blockKey>.<bytes>`: sizes are known without reading.
 */
import type { ComponentLogger, Logger } from '../../src/component.ts'
import type { BlockStorage } from '../../src/ipfs/block-storage.ts'
import type { Block } from '../../src/ipfs/ipfs.ts'
import type { DatabaseOptions } from './database.ts'
import type { StorageRoom } from './quota.ts'
import type { Change, Outcome } from './write-plan.ts'
import { silentLogger } from '../../src/component.ts'
import { blockKey } from '../../src/ipfs/block-storage.ts'
import { matchesCid } from '../../src/ipfs/block.ts'
import { StorageFullError } from '../../src/ipfs/errors.ts'
import { StoreError } from '../../src/store/errors.ts'
import { StorageBudget } from './budget.ts'
import { committed, Database, results, settled, unreadable } from './database.ts'
import { Groups } from './groups.ts'
import { storageRoom } from './quota.ts'
import { WritePlan } from './write-plan.ts'
import { base32 } from 'multiformats/bases/base32'
import { equals } from 'multiformats/bytes'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { decode } from 'multiformats/hashes/digest'

export interface IdbBlocksOptions extends DatabaseOptions {
  /** Most bytes of blocks; less where the browser grants less. @default half of the browser's quota */
  readonly storageMax?: bigint | undefined
  /** What the browser grants. @default navigator.storage */
  readonly room?: (() => Promise<StorageRoom | undefined>) | undefined
  readonly logger?: ComponentLogger | undefined
}

/** Opens, or creates, the storage. Blocks survive the tab, its crash and a reload once `put` resolves. */
export async function openIdbBlocks (name: string, options: IdbBlocksOptions = {}): Promise<BlockStorage> {
  const database = await Database.open(name, [blockStore, countStore], options)
  const budget = new StorageBudget({ storageMax: options.storageMax, room: options.room ?? storageRoom, now: () => Date.now() })
  const blocks = new IdbBlocks(database, budget, (options.logger ?? silentLogger).forComponent('helia'))
  try {
    await blocks.load()
  } catch (error) {
    database.close()
    throw error
  }
  return blocks
}

const blockStore = 'blocks'
const countStore = 'counts'
const usedKey = 'bytes'
/** Bytes of blocks in one write, blocks in one read, keys in one listing. */
const writeLimit = 16 * 1024 * 1024
const readLimit = 64
const listLimit = 1000

/** Undefined: there is none. */
type Found = Uint8Array | typeof unreadable | undefined

/** The one stored key of a block, whatever its size. */
const stored = (key: string): IDBKeyRange => IDBKeyRange.bound(`${key}.`, `${key}/`, false, true)

class IdbBlocks implements BlockStorage {
  readonly #database: Database
  readonly #budget: StorageBudget
  readonly #log: Logger
  readonly #changes = new Groups<Change, Outcome>((changes) => this.#change(changes), writeLimit)
  readonly #reads = new Groups<string, Found>((keys) => this.#read(keys), readLimit)
  #used = 0
  #closing: Promise<void> | undefined

  constructor (database: Database, budget: StorageBudget, log: Logger) {
    this.#database = database
    this.#budget = budget
    this.#log = log
  }

  get storageMax (): bigint { return BigInt(Math.floor(this.#budget.limit(this.#used))) }

  async load (): Promise<void> {
    const [[used]] = await Promise.all([this.#query(countStore, (store) => [store.get(usedKey) as IDBRequest<number | undefined>]), this.#budget.refresh()])
    this.#used = used ?? 0
  }

  async get (cid: CID): Promise<Uint8Array | undefined> {
    this.#check()
    const key = blockKey(cid)
    const bytes = await this.#reads.add(key, 1)
    if (bytes === undefined) return undefined
    if (bytes !== unreadable && await matchesCid(cid, bytes)) return bytes
    if (await this.#changes.add({ type: 'check', key, cid }, 0) === true) this.#log.warn('block %s was broken and has been removed', cid)
    return undefined
  }

  async has (cid: CID): Promise<boolean> {
    this.#check()
    const [key] = await this.#query(blockStore, (store) => [store.getKey(stored(blockKey(cid)))])
    return key !== undefined
  }

  async put ({ cid, bytes }: Block): Promise<void> {
    this.#check()
    const outcome = await this.#changes.add({ type: 'put', key: blockKey(cid), bytes }, bytes.length)
    if (outcome instanceof StorageFullError) throw outcome
  }

  async delete (cid: CID): Promise<boolean> {
    this.#check()
    return await this.#changes.add({ type: 'delete', key: blockKey(cid) }, 0) === true
  }

  async * all (): AsyncGenerator<CID> {
    let after = ''
    for (;;) {
      this.#check()
      const [keys = []] = await this.#query(blockStore, (store) => [store.getAllKeys(IDBKeyRange.lowerBound(after, true), listLimit) as IDBRequest<string[]>])
      for (const key of keys) yield CID.createV1(raw.code, decode(base32.decode(key.slice(0, key.indexOf('.')))))
      after = keys.at(-1) ?? after
      if (keys.length < listLimit) return
    }
  }

  async size (): Promise<bigint> { return BigInt(this.#used) }

  async close (): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async #close (): Promise<void> {
    await Promise.all([this.#changes.idle(), this.#reads.idle()])
    this.#database.close()
  }

  #check (): void {
    if (this.#closing !== undefined) throw new StoreError('closed', 'the block storage is closed')
    this.#database.check()
  }

  async #query<R extends IDBRequest> (store: string, request: (store: IDBObjectStore) => readonly R[]): Promise<Array<R['result']>> {
    const transaction = this.#database.transaction(store, 'readonly')
    try {
      return await results(transaction, request(transaction.objectStore(store)))
    } catch (error) {
      throw this.#database.error(error)
    }
  }

  async #read (keys: readonly string[]): Promise<readonly Found[]> {
    const transaction = this.#database.transaction(blockStore, 'readonly')
    const store = transaction.objectStore(blockStore)
    try {
      return await settled(transaction, keys.map((key) => store.get(stored(key)) as IDBRequest<Uint8Array | undefined>))
    } catch (error) {
      throw this.#database.error(error)
    }
  }

  /** Changes of one group happen together or not at all; no others happen meanwhile. */
  async #change (changes: readonly Change[]): Promise<readonly Outcome[]> {
    const adding = changes.reduce((sum, change) => sum + (change.type === 'put' ? change.bytes.length : 0), 0)
    if (adding > 0) await this.#budget.prepare(this.#used, adding)
    const broken = await this.#broken(changes)
    const outcomes = await this.#write(changes, broken)
    const lost = await this.#lost(changes, outcomes)
    if (lost.size === 0) return outcomes
    this.#log.warn('%d blocks were not as they were written and are written again', lost.size)
    const again = await this.#write(changes.filter(({ type, key }) => type === 'put' && lost.has(key)), lost)
    if (again.some((outcome) => outcome !== true) || (await this.#lost(changes, outcomes)).size > 0) throw new StoreError('damaged', `the database ${this.#database.name} does not keep what is written`)
    return outcomes
  }

  /** Keys to be checked whose blocks are indeed broken. */
  async #broken (changes: readonly Change[]): Promise<ReadonlySet<string>> {
    const checks = changes.filter((change) => change.type === 'check')
    if (checks.length === 0) return new Set()
    const found = await this.#read(checks.map(({ key }) => key))
    const intact = await Promise.all(checks.map(async ({ cid }, index) => {
      const bytes = found[index]
      return bytes === undefined || (bytes !== unreadable && await matchesCid(cid, bytes))
    }))
    return new Set(checks.filter((_, index) => intact[index] === false).map(({ key }) => key))
  }

  /** One transaction. `broken`: keys whose blocks make way first. */
  async #write (changes: readonly Change[], broken: ReadonlySet<string>): Promise<readonly Outcome[]> {
    const limit = this.#budget.limit(this.#used)
    let outcomes: readonly Outcome[] = []
    let used = this.#used
    let failure: unknown
    const transaction = this.#database.transaction([blockStore, countStore], 'readwrite')
    const blocks = transaction.objectStore(blockStore)
    const there = new Map(changes.map(({ key }) => [key, blocks.getKey(stored(key)) as IDBRequest<string | undefined>]))
    const count = transaction.objectStore(countStore).get(usedKey) as IDBRequest<number | undefined>
    // Requests succeed in their order: with the last of them all are known.
    count.onsuccess = () => {
      try {
        const plan = new WritePlan(blocks, new Map([...there].map(([key, { result }]) => [key, result])), count.result ?? 0, limit)
        outcomes = plan.carryOut(changes, broken)
        used = plan.used
        transaction.objectStore(countStore).put(used, usedKey)
        transaction.commit()
      } catch (error) {
        failure = error
        transaction.abort()
      }
    }
    try {
      await committed(transaction)
    } catch (error) {
      throw this.#refused(this.#database.error(failure ?? error))
    }
    this.#budget.wrote(used - this.#used)
    this.#used = used
    return outcomes
  }

  #refused (error: Error): Error {
    if (!(error instanceof StoreError) || error.reason !== 'full') return error
    this.#budget.exhausted()
    return new StorageFullError(BigInt(this.#used), this.storageMax)
  }

  /** Keys that were put and do not read back as they were given. */
  async #lost (changes: readonly Change[], outcomes: readonly Outcome[]): Promise<ReadonlySet<string>> {
    const last = new Map<string, Uint8Array>()
    for (const [index, change] of changes.entries()) {
      if (change.type === 'put' && typeof outcomes[index] === 'boolean') last.set(change.key, change.bytes)
      else if (change.type === 'delete') last.delete(change.key)
    }
    const keys = [...last.keys()]
    if (keys.length === 0) return new Set()
    const found = await this.#read(keys)
    return new Set(keys.filter((key, index) => {
      const read = found[index]
      const written = last.get(key)
      return read === undefined || read === unreadable || written === undefined || !equals(read, written)
    }))
  }
}
