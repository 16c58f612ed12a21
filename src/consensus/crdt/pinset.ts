/** Reads of the pinset in the store: by key, and as ranges of records that are never all in memory. */
import type { Layout } from './layout.ts'
import type { AbortOptions } from '../../component.ts'
import type { Pin } from '../../pin/pin.ts'
import type { Store } from '../../store/store.ts'
import type { PinsetReader, PinsFilter } from '../consensus.ts'
import type { CID } from 'multiformats/cid'
import { cidKey } from '../../pin/keys.ts'
import { parseLines, type PinJson } from '../../pin/pin-json.ts'
import { allPinTypes, pinTypeFlag, pinTypes } from '../../pin/pin.ts'
import { prefixRange } from '../../store/store.ts'
import { decodeRecord, isLine, lineOf, readRecord } from './record.ts'
import { expiredRange, keyOfEntry, namePrefix, pinOf, typePrefix } from './view.ts'

type Records = ReadonlyArray<readonly [key: string, record: Uint8Array]>

/** Lines that are parsed in one go: other requests get their turn in between. */
const parsedTogether = 128

export class StoredPinset implements PinsetReader {
  readonly #store: Store
  readonly #layout: Layout
  readonly #onDamage: () => void
  readonly count: () => number

  /**
   * @param count pins in the set, as the replica keeps it
   * @param onDamage told when a record cannot be read; listings go on without it
   */
  constructor (store: Store, layout: Layout, count: () => number, onDamage: () => void) {
    this.#store = store
    this.#layout = layout
    this.#onDamage = onDamage
    this.count = count
  }

  async get (cid: CID, options?: AbortOptions): Promise<Pin | undefined> {
    const key = cidKey(cid)
    const record = await this.#store.get(this.#layout.record(key), options)
    if (record === undefined) return undefined
    try {
      return pinOf(key, decodeRecord(record).winner.value)
    } catch (error) {
      this.#onDamage()
      throw error
    }
  }

  async has (cid: CID, options?: AbortOptions): Promise<boolean> {
    return await this.#store.has(this.#layout.record(cidKey(cid)), options)
  }

  async * pins (filter: PinsFilter = {}): AsyncGenerator<Pin> {
    const types = filter.types ?? allPinTypes
    for await (const records of this.#records(types, filter)) yield * this.#pinsOf(records.filter(([, record]) => lineOf(record, types) !== undefined))
  }

  async * lines (filter: PinsFilter = {}): AsyncGenerator<readonly Uint8Array[]> {
    const types = filter.types ?? allPinTypes
    for await (const records of this.#values(types, filter)) {
      const lines: Uint8Array[] = []
      for (const record of records) {
        const line = lineOf(record, types)
        if (line === undefined) continue
        if (isLine(line)) lines.push(line)
        else this.#onDamage()
      }
      if (lines.length > 0) yield lines
    }
  }

  async * listed (filter: PinsFilter = {}): AsyncGenerator<readonly PinJson[]> {
    for await (const lines of this.lines(filter)) {
      for (let from = 0; from < lines.length; from += parsedTogether) yield this.#parse(lines.slice(from, from + parsedTogether))
    }
  }

  #parse (lines: readonly Uint8Array[]): readonly PinJson[] {
    try {
      return parseLines(lines)
    } catch {
      this.#onDamage()
      return lines.flatMap((line) => { try { return parseLines([line]) } catch { return [] } })
    }
  }

  async * expired (now: number, options?: AbortOptions): AsyncGenerator<Pin> {
    for await (const records of this.#indexed(expiredRange(this.#layout.indexes, now), options)) {
      for (const pin of this.#pinsOf(records)) if (pin.expireAt !== undefined && pin.expireAt < now) yield pin
    }
  }

  /** Pins with exactly this name, by index. */
  async * named (name: string, options?: AbortOptions): AsyncGenerator<Pin> {
    for await (const records of this.#indexed(prefixRange(namePrefix(this.#layout.indexes, name)), options)) {
      for (const pin of this.#pinsOf(records)) if (pin.name === name) yield pin
    }
  }

  /** Records alone: reading no keys is faster. */
  async * #values (types: number, options: AbortOptions): AsyncGenerator<readonly Uint8Array[]> {
    if ((types & pinTypeFlag('pin')) !== 0) yield * this.#store.values({ ...prefixRange(this.#layout.records), signal: options.signal })
    else for await (const records of this.#records(types, options)) yield records.map(([, record]) => record)
  }

  /** Records by key without their prefix. Without plain pins only the index of the other types is read. */
  async * #records (types: number, { signal }: AbortOptions): AsyncGenerator<Records> {
    const { records, indexes } = this.#layout
    if ((types & pinTypeFlag('pin')) === 0) {
      for (const [index, type] of pinTypes.entries()) {
        if ((types & pinTypeFlag(type)) !== 0) yield * this.#indexed(prefixRange(typePrefix(indexes, index)), { signal })
      }
      return
    }
    for await (const chunk of this.#store.entries({ ...prefixRange(records), signal })) {
      yield chunk.map(([key, record]) => [key.slice(records.length - 1), record])
    }
  }

  async * #indexed (range: { readonly gte: string, readonly lt: string }, options: AbortOptions = {}): AsyncGenerator<Records> {
    for await (const entries of this.#store.keys({ ...range, signal: options.signal })) {
      const keys = entries.map(keyOfEntry)
      const records = await this.#store.getMany(keys.map(this.#layout.record), options)
      yield keys.flatMap((key, at) => {
        const record = records[at]
        return record === undefined ? [] : [[key, record] as const]
      })
    }
  }

  * #pinsOf (records: Records): Generator<Pin> {
    for (const [key, bytes] of records) {
      const record = readRecord(bytes)
      if (record === undefined) {
        this.#onDamage()
        continue
      }
      const pin = pinOf(key, record.winner.value)
      if (pin !== undefined) yield pin
    }
  }
}
