/** The way of a pin into the pinset, and out of it (behaviour.md §2, §3 and §7). */
import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { FollowerModeError, InvalidValueError, PinNotFoundError, PinRefusedError } from '../errors.ts'
import { errorText } from '../component.ts'
import type { AbortOptions } from '../component.ts'
import { isEverywhere, pinWith } from '../pin/pin.ts'
import type { Pin, PinOptions } from '../pin/pin.ts'
import type { PeerContext } from './components.ts'
import { preparePin } from './pin-rules.ts'
import type { PeerId } from '@libp2p/interface'

type Parts = Pick<PeerContext, 'self' | 'options' | 'consensus' | 'monitor' | 'allocator' | 'connector' | 'clock' | 'log'>

/** Pins, updates, unpins and allocates. */
export class PinPipeline {
  readonly #parts: Parts

  constructor (parts: Parts) { this.#parts = parts }

  /** Pins, or updates what `pinUpdate` names. */
  async pin (cid: CID, options: Partial<PinOptions> = {}, abort: AbortOptions = {}): Promise<Pin> {
    const pin = pinWith(cid, options)
    if (pin.pinUpdate === undefined || pin.pinUpdate.equals(cid)) return await this.submit(pin, abort)
    return await this.#update(pin, pin.pinUpdate, abort)
  }

  async pinPath (path: string, options?: Partial<PinOptions>, abort?: AbortOptions): Promise<Pin> {
    return await this.pin(await this.#resolve(path, abort), options, abort)
  }

  /** Checks, allocates (unless allocations are preset) and commits a pin of any type. */
  async submit (requested: Pin, abort: AbortOptions = {}): Promise<Pin> {
    this.#refuseFollower()
    const existing = await this.#parts.consensus.log.pinset.get(requested.cid, abort)
    return await this.#commit(this.#prepare(requested, existing), existing, [], abort)
  }

  /** Finds other holders than `lost` for a pin that exists; false when nothing had to change. */
  async repin (existing: Pin, lost: readonly PeerId[], abort: AbortOptions = {}): Promise<boolean> {
    this.#refuseFollower()
    const prepared = this.#prepare({ ...existing, allocations: [] }, existing)
    const allocations = this.#allocate(prepared, existing, lost)
    if (samePeers(allocations, existing.allocations)) return false
    await this.#parts.consensus.log.put({ ...prepared, allocations, timestamp: this.#parts.clock.now() }, abort)
    return true
  }

  /** Where the blocks of a pin to come should go: its allocations, or every peer that is alive (wire.md §6.6). */
  async allocate (requested: Pin, abort: AbortOptions = {}): Promise<readonly PeerId[]> {
    this.#refuseFollower()
    const existing = await this.#parts.consensus.log.pinset.get(requested.cid, abort)
    return this.#destinations(this.#prepare(requested, existing), existing)
  }

  /** The same for content whose CID is not known yet. */
  allocateNew (options: Partial<PinOptions>): readonly PeerId[] {
    this.#refuseFollower()
    return this.#destinations(this.#prepare(pinWith(unknownCid, options), undefined), undefined)
  }

  async unpin (cid: CID, abort: AbortOptions = {}): Promise<Pin> {
    this.#refuseFollower()
    const { log } = this.#parts.consensus
    const pin = await log.pinset.get(cid, abort)
    if (pin === undefined) throw new PinNotFoundError()
    switch (pin.type) {
      case 'pin': break
      case 'meta-pin':
        for (const part of await this.#partsOf(pin, abort)) await log.delete(part, abort)
        break
      case 'shard-pin': throw new PinRefusedError('cannot unpin a shard directly. Unpin content root CID instead')
      case 'clusterdag-pin': throw new PinRefusedError('cannot unpin a Cluster DAG directly. Unpin content root CID instead')
      case 'bad-type': throw new PinRefusedError('unrecognized pin type')
    }
    await log.delete(cid, abort)
    return pin
  }

  async unpinPath (path: string, abort?: AbortOptions): Promise<Pin> { return await this.unpin(await this.#resolve(path, abort), abort) }

  /** The new pin is a copy of the old one; nothing is allocated, and the old one stays. */
  async #update (requested: Pin, from: CID, abort: AbortOptions): Promise<Pin> {
    this.#refuseFollower()
    const { consensus: { log }, clock } = this.#parts
    const existing = await log.pinset.get(from, abort)
    if (existing === undefined) throw new PinNotFoundError()
    if (existing.type !== 'pin') throw new PinRefusedError('this pin type cannot be updated')
    const now = clock.now()
    const pin: Pin = {
      ...existing,
      cid: requested.cid,
      pinUpdate: from,
      timestamp: now,
      name: requested.name === '' ? existing.name : requested.name,
      expireAt: requested.expireAt !== undefined && requested.expireAt > now ? requested.expireAt : existing.expireAt
    }
    await log.put(pin, abort)
    return pin
  }

  async #commit (prepared: Pin, existing: Pin | undefined, blacklist: readonly PeerId[], abort: AbortOptions): Promise<Pin> {
    const { consensus: { log }, clock } = this.#parts
    const preset = prepared.type === 'meta-pin' || prepared.allocations.length > 0
    const allocations = preset ? prepared.allocations : this.#allocate(prepared, existing, blacklist)
    const pin: Pin = { ...prepared, allocations, timestamp: clock.now() }
    await log.put(pin, abort)
    this.#parts.log.debug('pinned', pin.cid.toString(), allocations.length === 0 ? 'everywhere' : allocations.map(String))
    return pin
  }

  #prepare (requested: Pin, existing: Pin | undefined): Pin {
    return preparePin(requested, existing, this.#parts.options, this.#parts.clock.now())
  }

  #destinations (pin: Pin, existing: Pin | undefined): readonly PeerId[] {
    if (!isEverywhere(pin)) return this.#allocate(pin, existing, [])
    // Tabs fetch what they keep by themselves; the one that adds keeps its own.
    const { monitor, self } = this.#parts
    return monitor.latestValid('ping').map(({ peer }) => peer).filter((peer) => peer.equals(self) || !this.#isLight(peer))
  }

  #allocate (pin: Pin, existing: Pin | undefined, blacklist: readonly PeerId[]): readonly PeerId[] {
    const { allocator, monitor, consensus: { trust }, options: { pinOnlyOnTrustedPeers, pinOnlyOnUntrustedPeers, allowLightPeers } } = this.#parts
    const mayHold = (peer: PeerId): boolean => allowLightPeers || !this.#isLight(peer)
    const unwanted = isEverywhere(pin) ? undefined : pin.userAllocations.find((peer) => !mayHold(peer))
    if (unwanted !== undefined) throw new PinRefusedError(`${unwanted.toString()} is a light peer (a browser tab), which may be gone at any moment: it is given pins only where cluster.allow_light_peers is true`)
    return allocator.allocate({
      replicationFactorMin: pin.replicationFactorMin,
      replicationFactorMax: pin.replicationFactorMax,
      current: existing?.allocations ?? [],
      priority: pin.userAllocations,
      blacklist,
      metrics: new Map(allocator.metricNames.map((name) => [name, monitor.latestValid(name)])),
      eligible: (peer) => mayHold(peer) && (!pinOnlyOnTrustedPeers || trust.isTrusted(peer)) && (!pinOnlyOnUntrustedPeers || !trust.isTrusted(peer))
    })
  }

  /** Shards and cluster DAG below a meta pin, in the order they are to go. */
  async #partsOf (meta: Pin, abort: AbortOptions): Promise<readonly CID[]> {
    if (meta.reference === undefined) throw new PinRefusedError('metaPin.Reference is unset')
    const clusterDag = await this.#parts.consensus.log.pinset.get(meta.reference, abort)
    if (clusterDag === undefined) throw new PinRefusedError('could not get clusterDAG pin from state. Malformed pin?: pin is not part of the pinset')
    const node: unknown = dagCbor.decode(await this.#parts.connector.blockGet(clusterDag.cid, abort))
    const links = typeof node === 'object' && node !== null ? Object.values(node) : []
    return [...links.flatMap((link) => CID.asCID(link) ?? []), clusterDag.cid]
  }

  async #resolve (path: string, abort?: AbortOptions): Promise<CID> {
    const [, plain] = /^\/ip(?:fs|ld)\/([^/]+)\/?$/.exec(path) ?? []
    if (plain === undefined) return await this.#parts.connector.resolve(path, abort)
    try {
      return CID.parse(plain)
    } catch (error) {
      throw new InvalidValueError('path', errorText(error), { cause: error })
    }
  }

  #isLight (peer: PeerId): boolean { return this.#parts.monitor.latestPing(peer)?.light === true }

  #refuseFollower (): void { if (this.#parts.options.followerMode) throw new FollowerModeError() }
}

/** Stands for content that is still being added. */
const unknownCid = CID.parse('bafkqaaa')

const samePeers = (one: readonly PeerId[], other: readonly PeerId[]): boolean =>
  one.length === other.length && one.every((peer) => other.some((candidate) => candidate.equals(peer)))
