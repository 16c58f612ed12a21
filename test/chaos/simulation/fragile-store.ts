/** A store with a disk of its own: it survives its peer's crashes, loses what was not synced when the power goes, and may be full or slow. */
import type { Clock } from '../../../src/component.ts'
import type { BatchOptions, Store, StoreOperation, StoreRange } from '../../../src/store/store.ts'
import type { Life } from './life.ts'
import { StoreError } from '../../../src/store/errors.ts'
import { MemoryStore } from '../../../src/store/memory.ts'

interface Write { readonly operations: readonly StoreOperation[], applied: boolean }

export class Disk {
  /** Writes fail. */
  full = false
  /** Ms that a write takes at most. */
  writeTime = 0
  readonly #clock: Clock
  readonly #random: () => number
  /** What survives anything. */
  readonly #synced = new Map<string, Uint8Array>()
  /** Writes that only the operating system has, in order. */
  #unsynced: Array<readonly StoreOperation[]> = []
  #pending: Write[] = []
  #content = new MemoryStore()
  #writes = 0

  constructor (clock: Clock, random: () => number) {
    this.#clock = clock
    this.#random = random
  }

  get content (): Store { return this.#content }
  /** Writes done so far. */
  get mark (): number { return this.#writes }
  /** Writes that survive anything. */
  get syncedMark (): number { return this.#writes - this.#unsynced.length }

  async write (operations: readonly StoreOperation[], { sync = false }: BatchOptions, life: Life): Promise<void> {
    await life.pass()
    const write: Write = { operations, applied: false }
    this.#pending.push(write)
    try {
      if (this.writeTime > 0) await this.#clock.sleep(this.writeTime * this.#random())
      await life.pass()
      if (this.full) throw new StoreError('full', 'no room to write (ENOSPC)')
      await this.#apply(write)
      if (sync) this.#flush(this.#unsynced.length)
    } finally {
      this.#pending = this.#pending.filter((other) => other !== write)
    }
  }

  /** The process dies: each write under way is there as a whole or not at all. */
  async kill (): Promise<void> {
    for (const write of this.#pending) {
      if (this.full || this.#random() < 0.5) return
      await this.#apply(write)
    }
  }

  /** The power goes: a number of the last writes that were not synced are gone, too. Returns how many writes survived. */
  async cutPower (): Promise<number> {
    await this.kill()
    const lost = Math.floor(this.#random() * (Math.min(20, this.#unsynced.length) + 1))
    this.#flush(this.#unsynced.length - lost)
    this.#unsynced = []
    this.#content = new MemoryStore()
    await this.#content.batch([...this.#synced].map(([key, value]) => ({ type: 'put', key, value })))
    this.#writes -= lost
    return this.#writes
  }

  async #apply (write: Write): Promise<void> {
    if (write.applied) return
    write.applied = true
    this.#writes++
    this.#unsynced.push(write.operations)
    await this.#content.batch(write.operations)
  }

  #flush (writes: number): void {
    for (const operation of this.#unsynced.splice(0, writes).flat()) {
      if (operation.type === 'put') this.#synced.set(operation.key, operation.value.slice())
      else this.#synced.delete(operation.key)
    }
  }
}

/** The disk as one life of its peer has it open. */
export class FragileStore implements Store {
  readonly #disk: Disk
  readonly #life: Life
  #closed = false

  constructor (disk: Disk, life: Life) {
    this.#disk = disk
    this.#life = life
  }

  async get (key: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<Uint8Array | undefined> { return await (await this.#open()).get(key, options) }
  async getMany (keys: readonly string[]): Promise<ReadonlyArray<Uint8Array | undefined>> { return await (await this.#open()).getMany(keys) }
  async has (key: string): Promise<boolean> { return await (await this.#open()).has(key) }
  async hasMany (keys: readonly string[]): Promise<readonly boolean[]> { return await (await this.#open()).hasMany(keys) }

  async batch (operations: readonly StoreOperation[], options: BatchOptions = {}): Promise<void> {
    await this.#open()
    await this.#disk.write(operations, options, this.#life)
  }

  async * entries (range: StoreRange): AsyncGenerator<ReadonlyArray<readonly [key: string, value: Uint8Array]>> {
    for await (const chunk of (await this.#open()).entries(range)) {
      await this.#open()
      yield chunk
    }
  }

  async * keys (range: StoreRange): AsyncGenerator<readonly string[]> { for await (const chunk of this.entries(range)) yield chunk.map(([key]) => key) }
  async * values (range: StoreRange): AsyncGenerator<readonly Uint8Array[]> { for await (const chunk of this.entries(range)) yield chunk.map(([, value]) => value) }

  async close (): Promise<void> { this.#closed = true }

  async #open (): Promise<Store> {
    await this.#life.pass()
    if (this.#closed) throw new StoreError('closed', 'the store is closed')
    return this.#disk.content
  }
}
