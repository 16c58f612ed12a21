/**
 * What of its pins a peer still has. A browser evicts, users clear data: a record says that a pin was held once, only its blocks say that
 * it is. First every root is looked for; then, unhurried, whole pins are read back, going on where the last session ended. A pin that lost
 * a block loses its record, so that its status is the truth, and whoever is told sees to it anew.
 */
import { errorText, systemClock } from '../component.ts'
import type { Clock, ComponentLogger, Logger, Startable } from '../component.ts'
import type { Store } from '../store/store.ts'
import { inlineBlock } from './block.ts'
import type { BlockStorage } from './block-storage.ts'
import { walkDag } from './dag-walk.ts'
import { PinRecords } from './pin-records.ts'
import type { PinRecord } from './pin-records.ts'
import type { CID } from 'multiformats/cid'

export interface ContentAuditParts {
  readonly storage: Pick<BlockStorage, 'get' | 'has'>
  /** Of the embedded IPFS; the audit keeps its own place in it under `audit/`. */
  readonly store: Store
  /** A pin was held and is not any more; its record is gone. */
  readonly onLost: (cid: CID) => Promise<unknown>
  /** False for what the pinset no longer holds: its record goes, too. @default everything is wanted */
  readonly isWanted?: ((cid: CID) => Promise<boolean>) | undefined
  readonly logger: ComponentLogger
  readonly clock?: Clock | undefined
}

export interface ContentAuditOptions {
  /** Bytes per second that are read back. @default 20 MiB */
  readonly rate?: number | undefined
  /** Ms between the look at the roots and the reading back. @default 30_000 */
  readonly delay?: number | undefined
}

export interface ContentAudit extends Startable {
  /** Resolves when everything was looked at, or the audit has been stopped; with the number of pins that were lost. */
  readonly done: () => Promise<number>
}

/** Begins in the background with `start`, once everything that it tells runs. */
export const contentAudit = (parts: ContentAuditParts, options: ContentAuditOptions = {}): ContentAudit => new Audit(parts, options)

const placeKey = 'audit/after'
/** Roots looked for together, and blocks of one pin read together. */
const rootsTogether = 64
const blocksTogether = 4

class Audit implements ContentAudit {
  readonly #parts: ContentAuditParts
  readonly #records: PinRecords
  readonly #clock: Clock
  readonly #log: Logger
  readonly #options: Required<{ readonly [Key in keyof ContentAuditOptions]: number }>
  readonly #abort = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #lost = 0

  constructor (parts: ContentAuditParts, { rate = 20 * 1024 * 1024, delay = 30_000 }: ContentAuditOptions) {
    this.#parts = parts
    this.#records = new PinRecords(parts.store)
    this.#clock = parts.clock ?? systemClock
    this.#log = parts.logger.forComponent('audit')
    this.#options = { rate, delay }
  }

  async start (): Promise<void> { this.#running = this.#run(this.#abort.signal) }

  async stop (): Promise<void> {
    this.#abort.abort(new Error('the audit is stopped'))
    await this.#running
  }

  async done (): Promise<number> {
    await this.#running
    return this.#lost
  }

  /** Never rejects. */
  async #run (signal: AbortSignal): Promise<void> {
    try {
      const roots = await this.#lookForRoots(signal)
      await this.#clock.sleep(this.#options.delay, { signal })
      const whole = await this.#readBack(signal)
      this.#log.info('%d pins are here, %d of them read back, %d were lost', roots, whole, this.#lost)
    } catch (error) {
      if (!signal.aborted) this.#log.warn('what is here could not be checked: %s', errorText(error))
    }
  }

  /** The number of roots that are here. */
  async #lookForRoots (signal: AbortSignal): Promise<number> {
    let found = 0
    const look = async (batch: readonly PinRecord[]): Promise<void> => {
      const here = await Promise.all(batch.map(async ({ cid }) => await this.#isWanted(cid) && (inlineBlock(cid) !== undefined || await this.#parts.storage.has(cid) || !await this.#lose(cid, cid))))
      found += here.filter((one) => one).length
    }
    let batch: PinRecord[] = []
    for await (const record of this.#records.all({ signal })) {
      batch.push(record)
      if (batch.length < rootsTogether) continue
      await look(batch)
      batch = []
      signal.throwIfAborted()
    }
    await look(batch)
    return found
  }

  async #isWanted (cid: CID): Promise<boolean> {
    if (await this.#parts.isWanted?.(cid) !== false) return true
    this.#log.info('%s is held and in no pinset: it is given up', cid)
    await this.#records.delete(cid)
    return false
  }

  /** The number of pins that are whole. */
  async #readBack (signal: AbortSignal): Promise<number> {
    const { store } = this.#parts
    const place = await store.get(placeKey, { signal })
    let whole = 0
    for await (const record of this.#records.all({ signal, after: place === undefined ? undefined : new TextDecoder().decode(place) })) {
      const begun = this.#clock.now()
      const { bytes, missing } = await this.#read(record, signal)
      if (missing === undefined || !await this.#lose(record.cid, missing)) whole++
      await store.batch([{ type: 'put', key: placeKey, value: new TextEncoder().encode(record.cid.toString()) }], { signal })
      const pause = bytes * 1000 / this.#options.rate - (this.#clock.now() - begun)
      if (pause > 0) await this.#clock.sleep(pause, { signal })
    }
    await store.batch([{ type: 'del', key: placeKey }], { signal })
    return whole
  }

  /** Reads the blocks of a pin up to one that is missing; reading checks them. */
  async #read ({ cid: root, maxDepth }: PinRecord, signal: AbortSignal): Promise<{ readonly bytes: number, readonly missing: CID | undefined }> {
    let bytes = 0
    let missing: CID | undefined
    const walk = new AbortController()
    const onAbort = (): void => { walk.abort(signal.reason) }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await walkDag(root, async (cid) => {
        const block = inlineBlock(cid) ?? await this.#parts.storage.get(cid)
        if (block === undefined) {
          missing ??= cid
          walk.abort(new Error('a block is missing'))
        }
        bytes += block?.length ?? 0
        return block
      }, { maxDepth, signal: walk.signal, concurrency: blocksTogether, ignoreBroken: true })
    } catch (error) {
      signal.throwIfAborted()
      if (missing === undefined) throw error
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
    return { bytes, missing }
  }

  /** Takes back that the pin is held; false where that is true after all, because somebody was at it meanwhile. */
  async #lose (cid: CID, missing: CID): Promise<boolean> {
    if (await this.#records.get(cid) === undefined || await this.#parts.storage.has(missing)) return false
    this.#log.warn('%s is not whole any more: %s is missing', cid, missing)
    await this.#records.delete(cid)
    this.#lost++
    await this.#parts.onLost(cid)
    return true
  }
}
