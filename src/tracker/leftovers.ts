/**
 * What the IPFS holds of pins that are for others. A newcomer hears of a million of those: one listing then tells which need not be unpinned.
 */
import { errorText } from '../component.ts'
import { cidKey } from '../pin/keys.ts'
import { IpfsPins } from './ipfs-pins.ts'
import { listIpfs } from './listing.ts'
import type { AbortOptions, Clock, Logger } from '../component.ts'
import type { IpfsConnector } from '../ipfs/ipfs.ts'
import type { Operation } from './operation.ts'
import type { CID } from 'multiformats/cid'

export interface LeftoversParts {
  readonly connector: Pick<IpfsConnector, 'pins' | 'pinnedKeys'>
  readonly clock: Clock
  readonly log: Logger
}

/** Operations that wait for which the IPFS is listed. */
const many = 1000
/** Part of the time that listings may take, and ms before another one after one that failed. */
const share = 0.1
const pause = 60_000

export class Leftovers {
  readonly #parts: LeftoversParts
  /** What the IPFS held, and what came since: nothing of ours pins a CID while one to remove it waits. */
  #held: IpfsPins | undefined
  #came = 0
  #nextListing = -Infinity

  constructor (parts: LeftoversParts) { this.#parts = parts }

  /** One more operation waits: the listing may have been before the pin that it is to remove. */
  came (cid: CID): void {
    this.#came++
    this.#held?.add(cidKey(cid), 'recursive')
  }

  /** True where the operation certainly has nothing to remove. `waiting`: how many there are behind it. */
  async hasNothing ({ cid, after }: Operation, waiting: number, options: AbortOptions): Promise<boolean> {
    if (waiting >= many && this.#came >= many) await this.#list(options)
    const held = this.#held
    if (waiting === 0) this.#held = undefined
    const key = cidKey(cid)
    // Work that was cancelled may have pinned it after the listing.
    return after === undefined && held !== undefined && !held.has(key, 0) && !held.has(key, -1)
  }

  async #list (options: AbortOptions): Promise<void> {
    const { connector, clock, log } = this.#parts
    const begun = clock.now()
    if (begun < this.#nextListing) return
    const held = new IpfsPins()
    this.#held = held
    this.#came = 0
    try {
      await listIpfs(connector, options, held)
      this.#nextListing = clock.now() + (clock.now() - begun) / share
    } catch (error) {
      options.signal?.throwIfAborted()
      this.#held = undefined
      this.#nextListing = begun + pause
      log.debug('what the IPFS holds is not known: %s', errorText(error))
    }
  }
}
