/** Which blocks we look for, whom we have asked, and whom we ask next. */
import type { BitswapPeer } from './bitswap-peer.ts'
import type { FetchOptions } from './exchange.ts'
import type { Clock } from '../component.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { base64 } from 'multiformats/bases/base64'

export interface BitswapWantsOptions {
  readonly inFlight: number
  readonly patience: number
  readonly retryInterval: number
  readonly clock: Clock
  readonly random: () => number
  readonly signal: AbortSignal
}

interface Member {
  readonly peer: BitswapPeer
  /** Wants this peer was asked to deliver. */
  readonly asked: Set<Want>
  /** Has delivered, and so is worth being asked first. */
  good: boolean
  /** From being asked to the block, in ms, smoothed. */
  latency: number
  /** Times in a row that it did not answer within `patience`, and when that was last so. */
  misses: number
  missedAt: number
  /** Not asked before this moment while anybody else can be. */
  restsUntil: number
}

interface Want {
  readonly cid: CID
  readonly waiters: Set<PromiseWithResolvers<Uint8Array>>
  /** Those of them who want to know when nobody has it. */
  readonly impatient: Set<PromiseWithResolvers<Uint8Array>>
  /** Named by the caller, or said that they have it. */
  readonly likely: Set<string>
  /** Said no, or was too slow; until the next round. */
  readonly tried: Set<string>
  /** Said that they do not have it, in this round. */
  readonly refused: Set<string>
  /** Told of the want in any form, so that it has to be told of its end. */
  readonly told: Set<string>
  /** When somebody was last asked to deliver, and when this round of asking began; in ms. */
  askedAt: number
  roundAt: number
  /** Everybody was told in this round. */
  broadcast: boolean
}

/** Peers told of a want that nobody is known to satisfy. */
const broadcastLimit = 64
const tick = 250
/** Rest in ms after the first silence; it doubles with each further one. */
const shortestRest = 1_000
const longestRest = 60_000
/** A block that somebody quicker still has to deliver weighs as much as so many ms of waiting for somebody slower. */
const queueWeight = 20
/** Part of a new measurement in the smoothed one. */
const smoothing = 0.2
/** Queued wants looked at per tick; deliveries bring the others forward. */
const queueCheck = 32

/** No connected member has the block. */
class BlockNotFoundError extends Error {
  override name = 'BlockNotFoundError'
  constructor (cid: CID) { super(`no connected member has the block ${cid.toString()}`) }
}

/** Wants are keyed by multihash: a block answers for every CID of its hash. */
const keyOf = (multihash: Uint8Array): string => base64.baseEncode(multihash)

export class BitswapWants {
  readonly #options: BitswapWantsOptions
  readonly #members = new Map<string, Member>()
  readonly #wants = new Map<string, Want>()
  /** Wants for which every likely peer is busy. */
  readonly #queue = new Set<Want>()
  #watching = false

  constructor (options: BitswapWantsOptions) { this.#options = options }

  join (peer: BitswapPeer): void {
    this.#members.set(peer.peerId.toString(), { peer, asked: new Set(), good: false, latency: 0, misses: 0, missedAt: -Infinity, restsUntil: -Infinity })
    for (const want of this.#wants.values()) if (!this.#isAsked(want)) this.#seek(want)
  }

  part (peerId: PeerId): void {
    const name = peerId.toString()
    const member = this.#members.get(name)
    this.#members.delete(name)
    for (const want of member?.asked ?? []) {
      want.told.delete(name)
      this.#seek(want)
    }
  }

  stop (): void {
    for (const want of this.#wants.values()) {
      for (const waiter of want.waiters) waiter.reject(this.#options.signal.reason)
    }
    this.#wants.clear()
    this.#queue.clear()
  }

  async fetch (cid: CID, { from = [], onlyNow = false, signal }: FetchOptions): Promise<Uint8Array> {
    signal?.throwIfAborted()
    this.#options.signal.throwIfAborted()
    const key = keyOf(cid.multihash.bytes)
    const existing = this.#wants.get(key)
    const want = existing ?? { cid, waiters: new Set(), impatient: new Set(), likely: new Set(), tried: new Set(), refused: new Set(), told: new Set(), askedAt: this.#options.clock.now(), roundAt: this.#options.clock.now(), broadcast: false }
    const waiter = Promise.withResolvers<Uint8Array>()
    if (onlyNow && this.#isNowhere(want)) throw new BlockNotFoundError(cid)
    want.waiters.add(waiter)
    if (onlyNow) want.impatient.add(waiter)
    for (const peer of from) want.likely.add(peer.toString())
    this.#wants.set(key, want)
    const onAbort = (): void => { waiter.reject(signal?.reason) }
    signal?.addEventListener('abort', onAbort, { once: true })
    if (existing === undefined) this.#seek(want)
    if (!this.#watching) void this.#watch()
    try {
      return await waiter.promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
      want.waiters.delete(waiter)
      want.impatient.delete(waiter)
      if (want.waiters.size === 0 && this.#wants.get(key) === want) this.#end(key, want)
    }
  }

  /** A verified block; false when nobody wants it. */
  deliver (from: PeerId, multihash: Uint8Array, data: Uint8Array): boolean {
    const key = keyOf(multihash)
    const want = this.#wants.get(key)
    if (want === undefined) return false
    const name = from.toString()
    const member = this.#members.get(name)
    if (member !== undefined) {
      member.good = true
      member.misses = 0
      member.restsUntil = -Infinity
      if (member.asked.has(want)) member.latency += (this.#options.clock.now() - want.askedAt - member.latency) * smoothing
    }
    want.told.delete(name)
    this.#end(key, want)
    for (const waiter of want.waiters) waiter.resolve(data)
    return true
  }

  /** The peer has, or does not have, these blocks. */
  inform (from: PeerId, haves: readonly CID[], dontHaves: readonly CID[]): void {
    const name = from.toString()
    for (const cid of haves) {
      const want = this.#wants.get(keyOf(cid.multihash.bytes))
      if (want === undefined) continue
      want.likely.add(name)
      want.tried.delete(name)
      if (!this.#isAsked(want)) this.#seek(want)
    }
    for (const cid of dontHaves) {
      const want = this.#wants.get(keyOf(cid.multihash.bytes))
      if (want === undefined) continue
      want.likely.delete(name)
      want.tried.add(name)
      want.refused.add(name)
      this.#members.get(name)?.asked.delete(want)
      if (want.impatient.size > 0 && this.#isNowhere(want)) for (const waiter of want.impatient) waiter.reject(new BlockNotFoundError(want.cid))
      if (!this.#isAsked(want)) this.#seek(want)
    }
    if (dontHaves.length > 0) this.#advance(queueCheck)
  }

  /** Everybody has said so in this round; without members nobody has. */
  #isNowhere ({ refused }: Want): boolean { return refused.size > 0 && [...this.#members.keys()].every((name) => refused.has(name)) }

  #isAsked (want: Want): boolean { return [...this.#members.values()].some(({ asked }) => asked.has(want)) }

  /** Asks the best peer for the block, and everybody else whether they have it where there is no good guess. */
  #seek (want: Want): void {
    const now = this.#options.clock.now()
    const open = [...this.#members.entries()].filter(([name, { asked }]) => !want.tried.has(name) && !asked.has(want))
    const awake = open.filter(([, { restsUntil }]) => restsUntil <= now)
    const guesses = awake.filter(([name, { good }]) => good || want.likely.has(name))
    if (guesses.length === 0) this.#broadcast(want)
    const able = [guesses, awake, open].find(({ length }) => length > 0) ?? []
    const free = able.filter(([, { asked }]) => asked.size < this.#options.inFlight)
    const [best] = free.map((entry) => ({ entry, rank: this.#rank(want, ...entry) })).toSorted((one, other) => one.rank - other.rank)
    if (best === undefined) {
      if (open.length > 0) this.#queue.add(want)
      return
    }
    this.#queue.delete(want)
    const [name, member] = best.entry
    member.asked.add(want)
    want.told.add(name)
    want.askedAt = now
    member.peer.want({ cid: want.cid, want: 'block', sendDontHave: true })
  }

  /** Least first: who has little to do, is likely to have it, and answers quickly. */
  #rank (want: Want, name: string, { asked, latency }: Member): number {
    const { inFlight, random } = this.#options
    return asked.size - (want.likely.has(name) ? inFlight / 2 : 0) + Math.min(inFlight, latency / queueWeight) + random() / 2
  }

  /** Once a round. */
  #broadcast (want: Want): void {
    if (want.broadcast) return
    want.broadcast = true
    for (const [name, { peer, asked }] of [...this.#members].slice(0, broadcastLimit)) {
      if (asked.has(want)) continue
      want.told.add(name)
      peer.want({ cid: want.cid, want: 'have', sendDontHave: true })
    }
  }

  #end (key: string, want: Want): void {
    this.#wants.delete(key)
    this.#queue.delete(want)
    for (const { asked } of this.#members.values()) asked.delete(want)
    for (const name of want.told) this.#members.get(name)?.peer.want({ cid: want.cid, want: 'cancel' })
    this.#advance(1)
  }

  /** Somebody may have room for what is queued. */
  #advance (count: number): void {
    for (const want of [...this.#queue].slice(0, count)) {
      this.#queue.delete(want)
      this.#seek(want)
    }
  }

  /** Runs while anything is wanted: impatience and new rounds. */
  async #watch (): Promise<void> {
    const { clock, signal, patience, retryInterval } = this.#options
    this.#watching = true
    while (this.#wants.size > 0 && !signal.aborted) {
      await clock.sleep(tick, { signal }).catch(() => {})
      const now = clock.now()
      this.#advance(queueCheck)
      for (const want of this.#wants.values()) {
        if (this.#queue.has(want)) continue
        if (now - want.roundAt >= retryInterval) this.#startRound(want)
        else if (now - want.askedAt >= patience) this.#askAnother(want)
      }
    }
    this.#watching = false
  }

  #askAnother (want: Want): void {
    for (const [name, member] of this.#members) {
      if (!member.asked.delete(want)) continue
      want.tried.add(name)
      this.#missed(member, want)
    }
    want.askedAt = this.#options.clock.now()
    this.#seek(want)
  }

  /** All that it was asked for before it was silent is one silence. */
  #missed (member: Member, want: Want): void {
    const now = this.#options.clock.now()
    member.latency = Math.max(member.latency, now - want.askedAt)
    if (want.askedAt < member.missedAt) return
    member.missedAt = now
    member.restsUntil = now + Math.min(longestRest, shortestRest * 2 ** member.misses++)
  }

  #startRound (want: Want): void {
    want.tried.clear()
    want.refused.clear()
    want.broadcast = false
    want.roundAt = want.askedAt = this.#options.clock.now()
    for (const { asked } of this.#members.values()) asked.delete(want)
    this.#seek(want)
    this.#broadcast(want)
  }
}
