/** Status and recovery, of one pin and of all, here and in the whole cluster (behaviour.md §11, wire.md §6.4). */
import { errorText } from '../component.ts'
import type { AbortOptions } from '../component.ts'
import { PinNotFoundError } from '../errors.ts'
import { cidKey, keyToCid } from '../pin/keys.ts'
import { isEverywhere } from '../pin/pin.ts'
import type { GlobalPinInfo, PinInfo } from '../pin/pin-info.ts'
import { globalText, shortText, summaryText } from '../pin/status-text.ts'
import type { StatusText } from '../pin/status-text.ts'
import type { StatusFilter } from '../pin/status.ts'
import type { LocalOptions } from './cluster.ts'
import type { PeerContext } from './components.ts'
import { answerTimeout, within } from './deadline.ts'
import { isAuthorizationError } from './errors.ts'
import { mergeListings } from './merge.ts'
import type { Answers, Keyed, Listing, MergeOptions } from './merge.ts'
import { GlobalInfoBuilder, globalOf, standInInfo } from './pin-infos.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

type Parts = Pick<PeerContext, 'self' | 'options' | 'consensus' | 'monitor' | 'tracker' | 'rpc' | 'clock' | 'log'>
type Question = 'PinTracker.Status' | 'PinTracker.Recover'

/** Peers of this implementation list in the order of keys. */
const listsInOrder = (version: string): boolean => version.includes('+pinswarm')

/** Items of an unordered listing that are held at least, however small our pinset is. */
const minBuffered = 100_000
/** Members whose version is remembered. */
const maxVersions = 4096

/** Asks trackers, ours and those of the members. */
export class StatusService {
  readonly #parts: Parts
  readonly #versions = new Map<string, string>()

  constructor (parts: Parts) { this.#parts = parts }

  async status (cid: CID, { local = false, signal }: LocalOptions = {}): Promise<GlobalPinInfo> {
    return local ? globalOf(await this.#parts.tracker.status(cid, { signal })) : await this.#ask('PinTracker.Status', cid, { signal })
  }

  async recover (cid: CID, { local = false, signal }: LocalOptions = {}): Promise<GlobalPinInfo> {
    return local ? globalOf(await this.recoverLocal(cid, { signal })) : await this.#ask('PinTracker.Recover', cid, { signal })
  }

  /** Throws PinNotFoundError for a CID that neither the pinset nor the tracker knows. */
  async recoverLocal (cid: CID, options?: AbortOptions): Promise<PinInfo> {
    const info = await this.#parts.tracker.recover(cid, options)
    if (info.status === 'unpinned' && !await this.#parts.consensus.log.pinset.has(cid, options)) throw new PinNotFoundError()
    return info
  }

  async * statusAll (filter: StatusFilter, options: LocalOptions = {}): AsyncGenerator<GlobalPinInfo> {
    const { tracker, rpc } = this.#parts
    yield * this.#values((abort) => tracker.statusAll(filter, abort), (peer, abort) => rpc.stream(peer, 'PinTracker.StatusAll', [filter], abort), options)
  }

  /** The same as lines of JSON, without ends, in chunks. */
  async * statusLines (filter: StatusFilter, { local = false, signal }: LocalOptions = {}): AsyncGenerator<readonly string[]> {
    const { self, tracker, rpc } = this.#parts
    const here = (abort: AbortOptions): AsyncIterable<readonly StatusText[]> => tracker.statusTexts(filter, abort)
    if (local) {
      const peer = self.toString()
      for await (const chunk of here({ signal })) yield chunk.map(({ summary, short }) => globalText(summary, [[peer, short]]))
      return
    }
    const there = (peer: PeerId, abort: AbortOptions): AsyncIterable<readonly StatusText[]> => textsOf(rpc.chunks(peer, 'PinTracker.StatusAll', [filter], abort))
    yield * this.#listAll(here, there, joinTexts(this.#parts), { signal })
  }

  async * recoverAll (options: LocalOptions = {}): AsyncGenerator<GlobalPinInfo> {
    const { tracker, rpc } = this.#parts
    yield * this.#values((abort) => tracker.recoverAll(abort), (peer, abort) => rpc.stream(peer, 'Cluster.RecoverAllLocal', [], abort), options)
  }

  async * #values (here: (options: AbortOptions) => AsyncIterable<PinInfo>, there: (peer: PeerId, options: AbortOptions) => AsyncIterable<PinInfo>, { local = false, signal }: LocalOptions): AsyncGenerator<GlobalPinInfo> {
    if (local) {
      for await (const info of here({ signal })) yield globalOf(info)
      return
    }
    for await (const chunk of this.#listAll((abort) => singly(here(abort), infoItem), (peer, abort) => singly(there(peer, abort), infoItem), joinInfos(this.#parts), { signal })) yield * chunk
  }

  async #members (): Promise<readonly PeerId[]> {
    const { options, self, consensus } = this.#parts
    return options.followerMode ? [self] : await consensus.peerset.peers()
  }

  /** Those that should hold it answer for themselves; the rest is known from here. */
  async #ask (question: Question, cid: CID, options: AbortOptions): Promise<GlobalPinInfo> {
    const { consensus, monitor, clock, log } = this.#parts
    const now = clock.now()
    const pin = await consensus.log.pinset.get(cid, options)
    const members = await this.#members()
    const builder = new GlobalInfoBuilder()
    const standIn = (peer: PeerId, status: 'unpinned' | 'remote' | 'cluster_error', error?: string): void => {
      builder.add(standInInfo(pin ?? cid, { peer, ping: monitor.latestPing(peer), status, error, now }))
    }
    if (pin === undefined) {
      for (const member of members) standIn(member, 'unpinned')
      return builder.build(cid, now)
    }

    const asked = isEverywhere(pin) || this.#parts.options.followerMode ? members : pin.allocations
    for (const member of members) if (!asked.some((peer) => peer.equals(member))) standIn(member, 'remote')
    const answers = await Promise.all(asked.map(async (peer) => ({ peer, answer: await this.#askOne(question, peer, cid, options) })))
    options.signal?.throwIfAborted()
    for (const { peer, answer } of answers) {
      if ('info' in answer) builder.add(answer.info)
      else if (!isAuthorizationError(answer.error)) {
        log.warn(`${question} failed on ${peer.toString()}:`, errorText(answer.error))
        standIn(peer, 'cluster_error', errorText(answer.error))
      }
    }
    return builder.build(cid, now)
  }

  async #askOne (question: Question, peer: PeerId, cid: CID, options: AbortOptions): Promise<{ readonly info: PinInfo } | { readonly error: unknown }> {
    const { self, tracker, rpc, clock } = this.#parts
    const ask = async (limited: AbortOptions): Promise<PinInfo> => {
      if (!peer.equals(self)) return { ...await rpc.call(peer, question, cid, limited), peer }
      return question === 'PinTracker.Status' ? await tracker.status(cid, limited) : await tracker.recover(cid, limited)
    }
    try { return { info: await within(clock, answerTimeout, options, ask) } } catch (error) { return { error } }
  }

  async * #listAll<T extends Keyed, R> (here: (options: AbortOptions) => AsyncIterable<readonly T[]>, there: (peer: PeerId, options: AbortOptions) => AsyncIterable<readonly T[]>, join: MergeOptions<T, R>['join'], options: AbortOptions): AsyncGenerator<readonly R[]> {
    const { self, monitor, log } = this.#parts
    const members = await this.#members()
    const ended = new AbortController()
    const given = options.signal === undefined ? ended.signal : AbortSignal.any([ended.signal, options.signal])
    const lost = new Map(members.map((peer) => [peer.toString(), new AbortController()]))
    // A member that dies without a word would hold up the listing for ever.
    const forget = monitor.onAlert((alert) => { if (alert.name === 'ping') lost.get(alert.peer.toString())?.abort(new Error('the peer is gone: its ping expired')) })
    const limit = Math.max(minBuffered, 4 * this.#parts.consensus.log.pinset.count())
    const open = async (peer: PeerId): Promise<Listing<T>> => {
      if (peer.equals(self)) return { peer, items: here({ signal: given }), sorted: true, limit }
      const gone = lost.get(peer.toString())?.signal
      const signal = gone === undefined ? given : AbortSignal.any([given, gone])
      try {
        const sorted = listsInOrder(await this.#versionOf(peer, { signal }))
        return { peer, items: there(peer, { signal }), sorted, limit }
      } catch (error) {
        return { peer, items: failed(error), sorted: true, limit }
      }
    }
    try {
      const listings = await Promise.all(members.map(open))
      yield * mergeListings(listings, {
        join,
        onFailure: (peer, error) => {
          this.#versions.delete(peer.toString())
          log.warn(`listing of ${peer.toString()} failed:`, errorText(error))
        }
      })
    } finally {
      forget()
      ended.abort(new Error('listing ended'))
    }
  }

  async #versionOf (peer: PeerId, options: AbortOptions): Promise<string> {
    const key = peer.toString()
    const known = this.#versions.get(key)
    if (known !== undefined) return known
    const version = await within(this.#parts.clock, answerTimeout, options, async (limited) => await this.#parts.rpc.call(peer, 'Cluster.Version', {}, limited))
    if (this.#versions.size >= maxVersions) this.#versions.clear()
    this.#versions.set(key, version)
    return version
  }
}

/** A listing that did not even begin. */
const failed = (error: unknown): AsyncIterable<never> => ({ [Symbol.asyncIterator]: () => ({ next: async () => { throw error } }) })

async function * singly<T> (infos: AsyncIterable<PinInfo>, item: (info: PinInfo) => T): AsyncGenerator<readonly T[]> {
  for await (const info of infos) yield [item(info)]
}

interface InfoItem extends Keyed { readonly info: PinInfo }
const infoItem = (info: PinInfo): InfoItem => ({ key: cidKey(info.cid), info })
const textOf = (info: PinInfo): StatusText => ({ key: cidKey(info.cid), summary: summaryText(info), short: shortText(info), isError: info.status === 'cluster_error' })

async function * textsOf (chunks: AsyncIterable<readonly PinInfo[]>): AsyncGenerator<readonly StatusText[]> { for await (const chunk of chunks) yield chunk.map(textOf) }

/** The CID that these answers are about. */
function cidOf (answers: Answers<Keyed>): CID {
  const [first] = answers
  if (first === undefined) throw new Error('nothing to join')
  return keyToCid(first[1].key)
}

type Named = Pick<PeerContext, 'monitor' | 'clock'>

const standInFor = ({ monitor, clock }: Named, cid: CID, peer: PeerId, error: unknown): PinInfo =>
  standInInfo(cid, { peer, ping: monitor.latestPing(peer), status: 'cluster_error', error: errorText(error), now: clock.now() })

/** Answers count for the peer that was asked, whatever they say (wire.md §9 item 20). */
const joinInfos = (parts: Named) => (answers: Answers<InfoItem>, failures: ReadonlyMap<PeerId, unknown>): GlobalPinInfo => {
  const cid = cidOf(answers)
  const builder = new GlobalInfoBuilder()
  for (const [peer, { info }] of answers) builder.add({ ...info, peer })
  for (const [peer, error] of failures) builder.add(standInFor(parts, cid, peer, error))
  return builder.build(cid, parts.clock.now())
}

/** The same as a line: the last that is not an error describes the pin. */
const joinTexts = (parts: Named) => (answers: Answers<StatusText>, failures: ReadonlyMap<PeerId, unknown>): string => {
  const shorts = answers.map(([peer, { short }]) => [peer.toString(), short] as const)
  const described = answers.findLast(([, { isError }]) => isError !== true) ?? answers[0]
  if (described === undefined) throw new Error('nothing to join')
  const stoodIn = [...failures].map(([peer, error]) => [peer.toString(), shortText(standInFor(parts, cidOf(answers), peer, error))] as const)
  return globalText(described[1].summary, [...shorts, ...stoodIn])
}
