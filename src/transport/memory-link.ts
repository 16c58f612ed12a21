/** A connection of the in-memory network. */
import type { ByteStream } from './transport.ts'
import { StreamResetError } from './errors.ts'

/** One connection between two members; closing it resets its streams. */
export class MemoryLink {
  readonly #streams = new Set<ByteStream>()

  add (stream: ByteStream): void {
    this.#streams.add(stream)
    stream.closed.addEventListener('abort', () => { this.#streams.delete(stream) }, { once: true })
  }

  close (): void {
    for (const stream of this.#streams) stream.abort(new StreamResetError('connection lost'))
  }
}
