/** Takes a stream of bytes apart into msgpack values as they complete: values have no length prefix (wire.md §5.1). */
import { DecodeError } from '../errors.ts'
import { concat } from '../bytes.ts'
import { ValueScanner } from './msgpack-scan.ts'

/** Reads whole values off a byte stream, each byte once, one value in memory at a time. */
export class ValueReader {
  readonly #source: AsyncIterator<Uint8Array>
  #chunk: Uint8Array = new Uint8Array(0)
  #at = 0
  readonly #onHeld: (bytes: number) => void

  /** `onHeld` hears how many more, or fewer, bytes of an incomplete value are kept; it may throw. */
  constructor (source: AsyncIterable<Uint8Array>, onHeld: (bytes: number) => void = () => {}) {
    this.#source = source[Symbol.asyncIterator]()
    this.#onHeld = onHeld
  }

  /** Bytes of the next value, whose first ones `onBegin` is told of; undefined when the stream ended before it began. Throws DecodeError when it is broken, cut off or larger than `maxBytes`. */
  async next (maxBytes: number, onBegin: () => void = () => {}): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = []
    try {
      return await this.#collect(parts, maxBytes, onBegin)
    } finally {
      this.#onHeld(-sizeOf(parts))
    }
  }

  /** The next value, if all of it has come already. Throws DecodeError as `next` does. */
  ready (maxBytes: number): Uint8Array | undefined {
    const end = new ValueScanner().scan(this.#chunk, this.#at)
    if (end === -1) return undefined
    if (end - this.#at > maxBytes) throw new DecodeError(`msgpack: value of more than ${maxBytes} bytes`)
    return this.#chunk.slice(this.#at, this.#at = end)
  }

  async #collect (parts: Uint8Array[], maxBytes: number, onBegin: () => void): Promise<Uint8Array | undefined> {
    const scanner = new ValueScanner()
    let length = 0
    for (;;) {
      if (this.#at >= this.#chunk.length && !await this.#pull()) {
        if (length > 0) throw new DecodeError('msgpack: the stream ended in the middle of a value')
        return undefined
      }
      const end = scanner.scan(this.#chunk, this.#at)
      const part = this.#chunk.subarray(this.#at, end === -1 ? this.#chunk.length : end)
      this.#at += part.length
      length += part.length
      if (length + scanner.owed > maxBytes) throw new DecodeError(`msgpack: value of more than ${maxBytes} bytes`)
      if (parts.length === 0) onBegin()
      parts.push(part)
      this.#onHeld(part.length)
      if (end !== -1) return concat(parts)
    }
  }

  /** Reads and drops the rest; ends with the stream, throws when it is reset. */
  async drain (): Promise<void> {
    do { this.#at = this.#chunk.length } while (await this.#pull())
  }

  async #pull (): Promise<boolean> {
    const { done = false, value } = await this.#source.next() as IteratorResult<Uint8Array, undefined>
    if (done || value === undefined) return false
    this.#chunk = value
    this.#at = 0
    return true
  }
}

const sizeOf = (parts: readonly Uint8Array[]): number => parts.reduce((size, part) => size + part.length, 0)
