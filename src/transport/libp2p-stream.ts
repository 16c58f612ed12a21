/** A libp2p stream as a ByteStream: pulled instead of pushed, with backpressure both ways. */
import type { ByteCounter } from './bandwidth.ts'
import type { ByteStream } from './transport.ts'
import type { AbortOptions } from '../component.ts'
import type { PeerId, Stream } from '@libp2p/interface'
import { StreamResetError } from './errors.ts'

/** Bytes per write to the muxer, so that a large write waits between its parts. */
const writeSize = 65_536
/** Unread bytes at which the remote is told to wait, and at which it may go on. */
const readHigh = 262_144
const readLow = 65_536

const unread = new WeakMap<Stream, () => number>()

/** Bytes that have left the stream of the library, and that nobody has read. */
export const unreadBytes = (stream: Stream): number => unread.get(stream)?.() ?? 0

export class Libp2pByteStream implements ByteStream {
  readonly remotePeer: PeerId
  readonly source: AsyncIterable<Uint8Array>
  readonly #stream: Stream
  readonly #counter: ByteCounter
  readonly #closed = new AbortController()
  #received: Uint8Array[] = []
  #unread = 0
  /** The remote closed its side in order; a lost connection does not look like that. */
  #remoteClosed = false
  #ended = false
  #failure: Error | undefined
  #changed = Promise.withResolvers<void>()

  constructor (stream: Stream, remotePeer: PeerId, counter: ByteCounter) {
    this.#stream = stream
    this.remotePeer = remotePeer
    this.#counter = counter
    unread.set(stream, () => this.#unread)
    this.source = this.#read()
    this.#remoteClosed = stream.remoteWriteStatus === 'closed' && stream.status === 'open'
    this.#ended = this.#atEnd()
    if (stream.status !== 'open') this.#finish(new StreamResetError())
    stream.addEventListener('message', ({ data }) => { this.#receive(data instanceof Uint8Array ? [data] : [...data], data.byteLength) })
    stream.addEventListener('remoteCloseWrite', () => { this.#remoteClosed = true })
    stream.addEventListener('end', () => {
      if (this.#remoteClosed) this.#ended = true
      this.#notify()
    })
    stream.addEventListener('close', (event) => { this.#finish(event.error ?? (this.#remoteClosed ? undefined : new StreamResetError('connection lost'))) })
    for (const event of ['drain', 'idle'] as const) stream.addEventListener(event, () => { this.#notify() })
  }

  get closed (): AbortSignal { return this.#closed.signal }

  async write (bytes: Uint8Array, { signal }: AbortOptions = {}): Promise<void> {
    for (let start = 0; start < bytes.byteLength; start += writeSize) {
      signal?.throwIfAborted()
      this.#throwIfFailed()
      const part = bytes.subarray(start, start + writeSize)
      this.#stream.send(part)
      this.#counter.out(part.byteLength)
      while (this.#stream.writableNeedsDrain || this.#stream.writeBufferLength > 0) {
        await this.#change(signal)
        this.#throwIfFailed()
      }
    }
  }

  async closeWrite ({ signal }: AbortOptions = {}): Promise<void> {
    await this.#stream.close(signal === undefined ? {} : { signal })
  }

  abort (reason: Error): void { this.#stream.abort(reason) }

  async * #read (): AsyncGenerator<Uint8Array> {
    while (true) {
      if (this.#failure !== undefined) throw this.#failure
      const part = this.#received.shift()
      if (part !== undefined) {
        this.#unread -= part.byteLength
        if (this.#unread <= readLow && this.#stream.readStatus === 'paused') this.#stream.resume()
        this.#counter.in(part.byteLength)
        yield part
      } else if (this.#ended) {
        return
      } else {
        await this.#changed.promise
      }
    }
  }

  /** The protocol negotiation gives back what it read too much, possibly after the stream has seen its end. */
  #atEnd (): boolean { return this.#remoteClosed && this.#stream.readableEnded && this.#stream.readBufferLength === 0 }

  #receive (parts: readonly Uint8Array[], size: number): void {
    this.#received.push(...parts)
    this.#unread += size
    if (this.#atEnd()) this.#ended = true
    if (this.#unread >= readHigh && this.#stream.readStatus === 'readable') this.#stream.pause()
    this.#notify()
  }

  #finish (failure: Error | undefined): void {
    if (failure !== undefined) {
      this.#failure ??= failure
      this.#received = []
      this.#unread = 0
    }
    this.#closed.abort()
    this.#notify()
  }

  #throwIfFailed (): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.closed.aborted) throw new StreamResetError('stream is closed')
  }

  /** Waits for the stream to move: data, drain or end. */
  async #change (signal: AbortSignal | undefined): Promise<void> {
    const { promise } = this.#changed
    if (signal === undefined) return await promise
    const aborted = Promise.withResolvers<never>()
    const onAbort = (): void => { aborted.reject(signal.reason as Error) }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      signal.throwIfAborted()
      await Promise.race([promise, aborted.promise])
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  #notify (): void {
    const { resolve } = this.#changed
    this.#changed = Promise.withResolvers<void>()
    resolve()
  }
}
