/** Joins small values into larger writes: a listing of a million entries is not a million packets. */
import { concat } from '../bytes.ts'
import type { AbortOptions } from '../component.ts'
import type { ByteStream } from '../transport/transport.ts'

const flushBytes = 16 * 1024

/** Writes values to a stream, for one producer; what waits is at most `flushBytes` and one turn of the event loop. */
export class BatchWriter {
  readonly #stream: Pick<ByteStream, 'write'>
  readonly #options: AbortOptions
  #waiting: Uint8Array[] = []
  #bytes = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #writing: Promise<void> = Promise.resolve()
  #failure: { readonly error: unknown } | undefined

  constructor (stream: Pick<ByteStream, 'write'>, options: AbortOptions = {}) {
    this.#stream = stream
    this.#options = options
  }

  /** Whether the stream refused bytes. */
  get failed (): boolean { return this.#failure !== undefined }

  /** Waits while the remote does not read. Throws the error of any write before. */
  async write (bytes: Uint8Array): Promise<void> {
    this.#check()
    this.#waiting.push(bytes)
    this.#bytes += bytes.length
    if (this.#bytes >= flushBytes) await this.#flush()
    else this.#timer ??= setTimeout(() => { void this.#flush().catch(() => {}) }, 0)
  }

  /** Writes what is left. */
  async end (): Promise<void> {
    this.#check()
    await this.#flush()
  }

  /** Drops what is left. */
  discard (): void {
    clearTimeout(this.#timer)
    this.#waiting = []
    this.#bytes = 0
  }

  #check (): void { if (this.#failure !== undefined) throw this.#failure.error }

  async #flush (): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#writing = this.#writing.then(async () => { await this.#writeWaiting() })
    // Marks it as handled for the timer's flush; this call still throws.
    this.#writing.catch(() => {})
    await this.#writing
  }

  async #writeWaiting (): Promise<void> {
    const parts = this.#waiting
    const length = this.#bytes
    this.#waiting = []
    this.#bytes = 0
    if (length === 0) return
    try {
      await this.#stream.write(concat(parts), this.#options)
    } catch (error) {
      this.#failure = { error }
      throw error
    }
  }
}
