/** An IPFS that may hang, be slow, fail, or say that it did what it did not. What it holds survives its peer. */
import type { Clock } from '../../../src/component.ts'
import type { PinProgressOptions } from '../../../src/ipfs/ipfs.ts'
import type { Pin } from '../../../src/pin/pin.ts'
import type { AbortOptions } from '../../../src/component.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { MemoryConnector, type MemoryOperation } from '../../../src/ipfs/memory.ts'

export type IpfsFault = 'none' | 'hangs' | 'slow' | 'fails' | 'lies'

const operations: readonly MemoryOperation[] = ['id', 'pin', 'unpin', 'pinStatus', 'pins', 'repoStat']

export class FaultyIpfs extends MemoryConnector {
  readonly #clock: Clock
  readonly #random: () => number
  #fault: IpfsFault = 'none'
  #mended = Promise.withResolvers<void>()

  constructor (id: PeerId, clock: Clock, random: () => number) {
    super({ id })
    this.#clock = clock
    this.#random = random
    for (const operation of operations) this.before(operation, async (_cid, options) => { await this.#suffer(options) })
  }

  get fault (): IpfsFault { return this.#fault }

  set fault (fault: IpfsFault) {
    if (fault === this.#fault) return
    this.#fault = fault
    this.#mended.resolve()
    this.#mended = Promise.withResolvers<void>()
  }

  override async pin (pin: Pin, options?: PinProgressOptions): Promise<void> {
    if (this.#lies()) await this.id(options)
    else await super.pin(pin, options)
  }

  override async unpin (cid: CID, options?: AbortOptions): Promise<void> {
    if (this.#lies()) await this.id(options)
    else await super.unpin(cid, options)
  }

  #lies (): boolean { return this.#fault === 'lies' && this.#random() < 0.5 }

  async #suffer (options: AbortOptions): Promise<void> {
    if (this.#fault === 'hangs') await this.#mended.promise
    else if (this.#fault === 'slow') await this.#clock.sleep(2_000 * this.#random(), options)
    else if (this.#fault === 'fails') throw new Error('the stand-in fails')
  }
}
