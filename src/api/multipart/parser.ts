/**
 * Streaming reader of `multipart/*` bodies: holds no more than a chunk and a header block, and reads on only when the part is read on.
 *
 * Our own because none of the libraries fits: `busboy` and `it-multipart` are Node's, `@remix-run/multipart-parser` buffers whole parts, and
 * `multipasta` 0.2.8 loses the end of a body whose closing `--` falls into two chunks and drops part names that are plain UTF-8.
 */
import { DecodeError } from '../../errors.ts'

const maxHeaderBytes = 16_384
const maxPreambleBytes = 65_536
const cr = 13

export interface Part {
  /** Lower-case names; a repeated one keeps its first value. */
  readonly headers: ReadonlyMap<string, string>
  /** Must be read before the next part; what is left is skipped. */
  readonly body: AsyncIterable<Uint8Array>
}

/** The boundary that a Content-Type names; undefined when it is not multipart. */
export function boundaryOf (contentType: string | null): string | undefined {
  if (contentType === null || !/^\s*multipart\//i.test(contentType)) return undefined
  const [, quoted, token] = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? []
  const boundary = quoted ?? token
  return boundary !== undefined && boundary.length <= 200 ? boundary : undefined
}

/** Index of `needle` in `haystack` at or after `from`, or -1. */
function indexOf (haystack: Uint8Array, needle: Uint8Array, from = 0): number {
  const last = haystack.length - needle.length
  for (let at = haystack.indexOf(cr, from); at >= 0 && at <= last; at = haystack.indexOf(cr, at + 1)) {
    let i = 1
    while (i < needle.length && haystack[at + i] === needle[i]) i++
    if (i === needle.length) return at
  }
  return -1
}

/** Length of the longest end of `bytes` that could begin `needle`. */
function partialMatch (bytes: Uint8Array, needle: Uint8Array): number {
  for (let at = bytes.indexOf(cr, Math.max(0, bytes.length - needle.length + 1)); at >= 0; at = bytes.indexOf(cr, at + 1)) {
    let i = at
    while (i < bytes.length && bytes[i] === needle[i - at]) i++
    if (i === bytes.length) return bytes.length - at
  }
  return 0
}

function concat (a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}

const endOfHeaders = new TextEncoder().encode('\r\n\r\n')

function parseHeaders (block: Uint8Array): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (const line of new TextDecoder().decode(block).split('\r\n')) {
    if (line === '') continue
    const colon = line.indexOf(':')
    if (colon <= 0) throw new DecodeError('multipart: malformed part header')
    const name = line.slice(0, colon).trim().toLowerCase()
    if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim())
  }
  return headers
}

/** Reads one body. */
class MultipartReader {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #delimiter: Uint8Array
  // The first delimiter may stand at the very start; the line end that belongs to it is added here.
  #buffer: Uint8Array = new Uint8Array([cr, 10])

  constructor (source: AsyncIterator<Uint8Array>, boundary: string) {
    this.#source = source
    this.#delimiter = new TextEncoder().encode(`\r\n--${boundary}`)
  }

  async #more (): Promise<void> {
    const { done, value } = await this.#source.next()
    if (done === true) throw new DecodeError('multipart: unexpected EOF')
    this.#buffer = concat(this.#buffer, value)
  }

  /** Everything before the next delimiter, which is taken too. */
  async * #untilDelimiter (): AsyncGenerator<Uint8Array> {
    for (;;) {
      const at = indexOf(this.#buffer, this.#delimiter)
      const end = at >= 0 ? at : this.#buffer.length - partialMatch(this.#buffer, this.#delimiter)
      const found = this.#buffer.subarray(0, end)
      this.#buffer = this.#buffer.subarray(at >= 0 ? end + this.#delimiter.length : end)
      if (found.length > 0) yield found
      if (at >= 0) return
      await this.#more()
    }
  }

  /** Skips the preamble; then each call gives the headers of a part, or undefined at the closing delimiter. */
  async #next (): Promise<ReadonlyMap<string, string> | undefined> {
    while (this.#buffer.length < 2) await this.#more()
    if (this.#buffer[0] === 45 && this.#buffer[1] === 45) return undefined
    for (;;) {
      const at = indexOf(this.#buffer, endOfHeaders)
      if (at > maxHeaderBytes || (at < 0 && this.#buffer.length > maxHeaderBytes)) throw new DecodeError('multipart: part header too large')
      if (at >= 0) {
        const line = indexOf(this.#buffer, endOfHeaders.subarray(0, 2))
        for (const byte of this.#buffer.subarray(0, line)) if (byte !== 32 && byte !== 9) throw new DecodeError('multipart: malformed boundary')
        const block = this.#buffer.subarray(line, at)
        // The last line end stays: it begins the delimiter of an empty body.
        this.#buffer = this.#buffer.subarray(at + 2)
        return parseHeaders(block)
      }
      await this.#more()
    }
  }

  async * parts (): AsyncGenerator<Part> {
    let skipped = 0
    for await (const chunk of this.#untilDelimiter()) {
      skipped += chunk.length
      if (skipped > maxPreambleBytes) throw new DecodeError('multipart: no part begins')
    }
    for (let headers = await this.#next(); headers !== undefined; headers = await this.#next()) {
      const body = withoutFirst(this.#untilDelimiter(), 2)
      // No `return`: whoever leaves a part early must not leave the reader in the middle of it.
      const next = async (): Promise<IteratorResult<Uint8Array>> => await body.next()
      yield { headers, body: { [Symbol.asyncIterator]: () => ({ next }) } }
      while ((await body.next()).done !== true);
    }
  }
}

/** The source without its first `count` bytes; nothing at all stays nothing. */
async function * withoutFirst (source: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count
  for await (const chunk of source) {
    const rest = left === 0 ? chunk : chunk.subarray(left)
    left = Math.max(0, left - chunk.length)
    if (rest.length > 0) yield rest
  }
}

/** The parts of a body, one after the other. DecodeError when it is malformed or ends early. */
export async function * parseMultipart (body: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<Part> {
  const source = body[Symbol.asyncIterator]()
  try {
    yield * new MultipartReader(source, boundary).parts()
  } finally {
    await source.return?.()
  }
}
