/** Streams of the in-memory network: bounded buffers, half-close and reset as over a real muxer. */
import type { ByteCounter } from './bandwidth.ts'
import type { ByteStream } from './transport.ts'
import type { AbortOptions, Clock } from '../component.ts'
import type { PeerId } from '@libp2p/interface'
import { StreamResetError, StreamStateError } from './errors.ts'

export interface PipeOptions {
  readonly clock: Clock
  /** One-way delay of each chunk, in ms. */
  readonly latency: () => number
  /** Most bytes of one chunk, as if the network had cut it there. */
  readonly chunkSize: () => number
  /** Bytes a writer may be ahead of the reader. */
  readonly window: number
}

interface Chunk { readonly bytes: Uint8Array, readonly readyAt: number }

/** One direction of a stream. */
export class Pipe {
  readonly #options: PipeOptions
  #chunks: Chunk[] = []
  #buffered = 0
  #ended = false
  readonly #broken = new AbortController()
  #readFailure: Error | undefined
  #writeFailure: Error | undefined
  #changed = Promise.withResolvers<void>()

  constructor (options: PipeOptions) { this.#options = options }

  get ended (): boolean { return this.#ended }

  async push (bytes: Uint8Array, { signal }: AbortOptions = {}): Promise<void> {
    let rest = bytes
    while (rest.byteLength > 0) {
      while (this.#buffered >= this.#options.window) await this.#wait(signal)
      this.#checkWritable(signal)
      const size = Math.max(1, Math.min(this.#options.chunkSize(), this.#options.window - this.#buffered))
      const chunk = rest.slice(0, size)
      rest = rest.subarray(size)
      this.#chunks.push({ bytes: chunk, readyAt: this.#options.clock.now() + this.#options.latency() })
      this.#buffered += chunk.byteLength
      this.#notify()
    }
    this.#checkWritable(signal)
  }

  end (): void {
    this.#ended = true
    this.#notify()
  }

  /** Ends both ends of this direction at once; what was not read is lost. */
  fail (readFailure: Error, writeFailure: Error): void {
    this.#readFailure ??= readFailure
    this.#writeFailure ??= writeFailure
    this.#chunks = []
    this.#broken.abort()
    this.#notify()
  }

  async * read (): AsyncGenerator<Uint8Array> {
    while (true) {
      if (this.#readFailure !== undefined) throw this.#readFailure
      const chunk = this.#chunks[0]
      if (chunk === undefined) {
        if (this.#ended) return
        await this.#changed.promise
        continue
      }
      const delay = chunk.readyAt - this.#options.clock.now()
      if (delay > 0) await this.#options.clock.sleep(delay, { signal: this.#broken.signal }).catch(() => {})
      if (this.#broken.signal.aborted) continue
      this.#chunks.shift()
      this.#buffered -= chunk.bytes.byteLength
      this.#notify()
      yield chunk.bytes
    }
  }

  #checkWritable (signal: AbortSignal | undefined): void {
    signal?.throwIfAborted()
    if (this.#writeFailure !== undefined) throw this.#writeFailure
    if (this.#ended) throw new StreamStateError('cannot write to a stream that is closed')
  }

  async #wait (signal: AbortSignal | undefined): Promise<void> {
    this.#checkWritable(signal)
    const aborted = Promise.withResolvers<never>()
    const onAbort = (): void => { aborted.reject(signal?.reason as Error) }
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      await Promise.race([this.#changed.promise, aborted.promise])
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #notify (): void {
    const { resolve } = this.#changed
    this.#changed = Promise.withResolvers<void>()
    resolve()
  }
}

class MemoryStream implements ByteStream {
  readonly remotePeer: PeerId
  readonly source: AsyncIterable<Uint8Array>
  readonly #outgoing: Pipe
  readonly #incoming: Pipe
  readonly #counter: ByteCounter
  readonly #closed = new AbortController()
  other: MemoryStream | undefined

  constructor (remotePeer: PeerId, outgoing: Pipe, incoming: Pipe, counter: ByteCounter) {
    this.remotePeer = remotePeer
    this.#outgoing = outgoing
    this.#incoming = incoming
    this.#counter = counter
    this.source = this.#read()
  }

  get closed (): AbortSignal { return this.#closed.signal }

  async write (bytes: Uint8Array, options?: AbortOptions): Promise<void> {
    await this.#outgoing.push(bytes, options)
    this.#counter.out(bytes.byteLength)
  }

  async closeWrite (): Promise<void> {
    this.#outgoing.end()
    if (this.#incoming.ended) {
      this.finish()
      this.other?.finish()
    }
  }

  abort (reason: Error): void {
    if (this.closed.aborted) return
    const reset = new StreamResetError()
    this.#incoming.fail(reason, reset)
    this.#outgoing.fail(reset, reason)
    this.finish()
    this.other?.finish()
  }

  finish (): void { this.#closed.abort() }

  async * #read (): AsyncGenerator<Uint8Array> {
    for await (const bytes of this.#incoming.read()) {
      this.#counter.in(bytes.byteLength)
      yield bytes
    }
  }
}

/** The two ends of a new stream. */
export function memoryStreamPair (dialer: PeerId, listener: PeerId, options: PipeOptions, dialerCounter: ByteCounter, listenerCounter: ByteCounter): readonly [ByteStream, ByteStream] {
  const forth = new Pipe(options)
  const back = new Pipe(options)
  const near = new MemoryStream(listener, forth, back, dialerCounter)
  const far = new MemoryStream(dialer, back, forth, listenerCounter)
  near.other = far
  far.other = near
  return [near, far]
}
