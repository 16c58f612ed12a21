/** Reads a neighbour's gossip no faster than it is dealt with: libp2p's streams, read as a sequence, take in whatever comes. */
import type { Stream } from '@libp2p/interface'

export interface Frame { readonly byteLength: number }

/** Unread bytes at which the neighbour is told to wait, and at which it may go on. */
const high = 262_144
const low = 65_536
/** Unread bytes that hold a whole frame in any case. */
const whole = 1_048_576 + 8

export class Intake {
  readonly #stream: Pick<Stream, 'addEventListener' | 'readStatus' | 'pause' | 'resume'>
  #unread = 0
  /** The rest of a frame is waited for: it must be let in. */
  #hungry = false

  readonly #onBytes: () => void

  /** Create it before anybody reads the stream. */
  constructor (stream: Pick<Stream, 'addEventListener' | 'readStatus' | 'pause' | 'resume'>, onBytes: () => void = () => {}) {
    this.#stream = stream
    this.#onBytes = onBytes
  }

  /** Bytes that have come and are not dealt with. */
  get unread (): number { return this.#unread }

  /** The frames of the stream, each once `allow` has let its bytes pass. */
  async * frames<T extends Frame> (source: AsyncIterable<T>, allow: (bytes: number) => Promise<void>): AsyncGenerator<T> {
    const iterator = source[Symbol.asyncIterator]()
    let first: Promise<IteratorResult<T, unknown>> | undefined = iterator.next()
    // Only now: what came before goes to the first who listens.
    this.#stream.addEventListener('message', ({ data }) => {
      this.#unread += data.byteLength
      this.#pause()
      this.#onBytes()
    })
    try {
      while (true) {
        const coming = first ?? iterator.next()
        first = undefined
        // A frame that is here comes before any timer.
        const timer = setTimeout(() => {
          this.#hungry = true
          this.#resume()
        }, 0)
        const next = await coming.finally(() => { clearTimeout(timer) })
        this.#hungry = false
        if (next.done === true) return
        this.#unread -= next.value.byteLength + prefixLength(next.value.byteLength)
        this.#pause()
        await allow(next.value.byteLength)
        yield next.value
        if (this.#unread <= low) this.#resume()
      }
    } finally {
      await iterator.return?.(undefined)
    }
  }

  #pause (): void { if (this.#unread >= (this.#hungry ? whole : high) && this.#stream.readStatus === 'readable') this.#stream.pause() }

  #resume (): void { if (this.#stream.readStatus === 'paused') this.#stream.resume() }
}

/** Bytes of the length before a frame. */
const prefixLength = (length: number): number => length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : 4
