/** What goes to one peer: wants are grouped, answers are read from the store only when there is room for them. */
import type { BitswapMessage, BitswapProtocol, BlockEntry, WantEntry } from './bitswap-message.ts'
import type { LocalBlocks } from './exchange.ts'
import type { Clock, Logger } from '../component.ts'
import type { ByteStream, Transport } from '../transport/transport.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { errorText } from '../component.ts'
import { frameMessage } from './bitswap-frames.ts'
import { bitswapProtocols, emptyMessage, encodeMessage, maxWants, prefixOf } from './bitswap-message.ts'

/** Bytes of blocks after which a message is sent off. */
const messageSize = 1_048_576
/** A block up to this size is sent at once to who only asks whether it is there. */
const smallBlock = 1024
/** Wants kept for one peer; it has to repeat what goes beyond. */
const maxLedger = 4096
/** For opening a stream and for each write, in ms. */
const sendTimeout = 10_000
/** A stream on which nothing more is said is closed after this time, in ms. */
const idleTime = 5000
/** More messages than this in that time (ms) are a burst, in which entries are gathered for a while (ms) before they are sent. */
const burstMessages = 4
const burstTime = 10
const gatherTime = 3
/** So many times in vain, and entries are gathered before every so manieth message only, until it helps again. */
const vainTries = 3
const vainPause = 32

const asError = (reason: unknown): Error => reason instanceof Error ? reason : new Error(errorText(reason))

export interface BitswapPeerParts {
  readonly transport: Pick<Transport, 'openStream'>
  readonly blocks: LocalBlocks
  readonly log: Logger
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Both our wants of a peer and its wants of us. */
export class BitswapPeer {
  readonly peerId: PeerId
  readonly #parts: BitswapPeerParts
  /** Our wants and cancels that are not sent yet, the latest of each CID. */
  readonly #outgoing = new Map<string, WantEntry>()
  /** What the peer wants and has not got: kept, because the block may come. */
  readonly #ledger = new Map<string, WantEntry>()
  /** Those of the ledger to be looked up now. */
  readonly #due = new Set<string>()
  #protocol: BitswapProtocol | undefined
  #burst = { since: 0, messages: 0 }
  /** Messages since entries were last gathered to any avail. */
  #inVain = 0
  #stream: ByteStream | undefined
  #idleTimer: ReturnType<typeof setTimeout> | undefined
  #sending: Promise<void> | undefined
  #gone = false

  constructor (peerId: PeerId, parts: BitswapPeerParts) {
    this.peerId = peerId
    this.#parts = parts
  }

  /** Told to the peer with what else is said in this turn of the event loop. */
  want (entry: WantEntry): void {
    this.#outgoing.set(entry.cid.toString(), entry)
    this.#wake()
  }

  /** The peer's wantlist arrived. */
  receive (wants: readonly WantEntry[], full: boolean): void {
    if (full) {
      this.#ledger.clear()
      this.#due.clear()
    }
    for (const entry of wants) {
      const key = entry.cid.toString()
      if (entry.want === 'cancel') {
        this.#ledger.delete(key)
        this.#due.delete(key)
      } else if (this.#ledger.size < maxLedger || this.#ledger.has(key)) {
        this.#ledger.set(key, entry)
        this.#due.add(key)
      }
    }
    if (this.#due.size > 0) this.#wake()
  }

  /** The block may be in the store now. */
  offer (cid: CID): void {
    const key = cid.toString()
    if (!this.#ledger.has(key)) return
    this.#due.add(key)
    this.#wake()
  }

  /** The peer is no longer connected. */
  leave (): void {
    this.#gone = true
    this.#outgoing.clear()
    this.#ledger.clear()
    this.#due.clear()
    clearTimeout(this.#idleTimer)
    this.#hangUp()
  }

  async idle (): Promise<void> { await this.#sending }

  #wake (): void {
    if (this.#gone) return
    this.#sending ??= this.#send()
      .catch((error: unknown) => { this.#parts.log.debug('bitswap to %s: %s', this.peerId, errorText(error)) })
      .finally(() => {
        this.#sending = undefined
        if (this.#gone) this.leave()
        if (this.#outgoing.size > 0 || this.#due.size > 0) this.#wake()
      })
  }

  async #send (): Promise<void> {
    clearTimeout(this.#idleTimer)
    // What else is wanted in this turn goes along.
    await Promise.resolve()
    try {
      while ((this.#outgoing.size > 0 || this.#due.size > 0) && !this.#gone) {
        await this.#pace()
        const message = await this.#compose()
        if (message !== emptyMessage) await this.#write(message)
      }
      this.#idleTimer = setTimeout(() => { this.#hangUp() }, idleTime)
    } catch (error) {
      // What could not be said is not repeated: a peer that still wants it asks again, and our own wants have their retry.
      this.#outgoing.clear()
      this.#due.clear()
      this.#drop(error)
      throw error
    }
  }

  /** Single questions go at once; of many in a row, several share a message. Who walks a chain asks one by one: waiting for more is in vain then. */
  async #pace (): Promise<void> {
    const { clock, signal } = this.#parts
    if (clock.now() - this.#burst.since >= burstTime) this.#burst = { since: clock.now(), messages: 0 }
    if (this.#burst.messages++ < burstMessages) return
    if (this.#inVain >= vainTries && ++this.#inVain % vainPause !== 0) return
    const before = this.#outgoing.size + this.#due.size
    await clock.sleep(gatherTime, { signal })
    this.#inVain = this.#outgoing.size + this.#due.size > before ? 0 : this.#inVain + 1
  }

  /** On the stream of the last message where there is one; the remote may have ended that. */
  async #write (message: BitswapMessage): Promise<void> {
    const signal = AbortSignal.any([this.#parts.signal, AbortSignal.timeout(sendTimeout)])
    const used = this.#stream?.closed.aborted === false ? this.#stream : undefined
    const bytes = (): Uint8Array => frameMessage(encodeMessage(message, this.#protocol))
    try {
      this.#stream = used ?? await this.#open(signal)
      await this.#stream.write(bytes(), { signal })
    } catch (error) {
      if (used === undefined || signal.aborted) throw error
      this.#drop(error)
      this.#stream = await this.#open(signal)
      await this.#stream.write(bytes(), { signal })
    }
  }

  #hangUp (): void {
    const stream = this.#stream
    this.#stream = undefined
    stream?.closeWrite({ signal: AbortSignal.timeout(sendTimeout) }).catch((error: unknown) => { stream.abort(asError(error)) })
  }

  #drop (reason: unknown): void {
    this.#stream?.abort(asError(reason))
    this.#stream = undefined
  }

  async #compose (): Promise<BitswapMessage> {
    const wants = [...this.#outgoing.values()].slice(0, maxWants)
    for (const { cid } of wants) this.#outgoing.delete(cid.toString())
    const blocks: BlockEntry[] = []
    const haves: CID[] = []
    const dontHaves: CID[] = []
    let size = 0
    for (const key of this.#due) {
      if (size >= messageSize || haves.length + dontHaves.length >= maxWants) break
      this.#due.delete(key)
      const entry = this.#ledger.get(key)
      if (entry === undefined) continue
      const data = await this.#parts.blocks.get(entry.cid, { signal: this.#parts.signal })
      if (data === undefined) {
        if (entry.sendDontHave === true) dontHaves.push(entry.cid)
      } else if (entry.want === 'have' && data.byteLength > smallBlock) {
        haves.push(entry.cid)
        this.#ledger.delete(key)
      } else {
        blocks.push({ prefix: prefixOf(entry.cid), data })
        this.#ledger.delete(key)
        size += data.byteLength
      }
    }
    return wants.length + blocks.length + haves.length + dontHaves.length === 0 ? emptyMessage : { wants, full: false, blocks, haves, dontHaves }
  }

  /** The best version that the peer speaks; it is remembered. */
  async #open (signal: AbortSignal): Promise<ByteStream> {
    for (const protocol of this.#protocol === undefined ? bitswapProtocols : [this.#protocol]) {
      try {
        const stream = await this.#parts.transport.openStream(this.peerId, protocol, { signal })
        this.#protocol = protocol
        return stream
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'UnsupportedProtocolError') throw error
      }
    }
    // Until it connects again, which makes a new one of this.
    this.leave()
    throw new Error(`${this.peerId.toString()} does not speak bitswap`)
  }
}
