/** Requests to kubo's HTTP API: deadlines, error texts as Go gives them, and the brake after connection failures (behaviour.md §5). */
import { DecodeError } from '../errors.ts'
import { systemClock } from '../component.ts'
import { concat } from '../bytes.ts'
import type { AbortOptions, Clock } from '../component.ts'

export interface KuboRequest {
  readonly body?: Uint8Array | undefined
  readonly contentType?: string | undefined
  readonly signal: AbortSignal
}

export interface KuboResponse {
  readonly status: number
  readonly body: AsyncIterable<Uint8Array>
}

/** Posts to a URL. `fetch` is enough; a home whose `fetch` gives up on slow answers brings its own. */
export type KuboPost = (url: string, request: KuboRequest) => Promise<KuboResponse>

/** Kubo answered with an error. */
export class IpfsError extends Error {
  override name = 'IpfsError'
  /** What kubo said. */
  readonly reason: string
  readonly code: number
  constructor (path: string, code: number, reason: string) {
    super(`IPFS error (${path}). Code: ${code}. Message: ${reason}`)
    this.reason = reason
    this.code = code
  }
}

/** Kubo could not be reached, or the connection broke. */
export class IpfsUnreachableError extends Error {
  override name = 'IpfsUnreachableError'
}

/** Kubo did not answer, or stopped answering, for too long. */
export class IpfsTimeoutError extends Error {
  override name = 'IpfsTimeoutError'
  /** `timeout` in ms. */
  constructor (path: string, timeout: number) { super(`IPFS request (${path}) timed out: no answer within ${timeout / 1000} s`) }
}

const endless: AsyncIterable<Uint8Array> = { async * [Symbol.asyncIterator] () {} }

export const fetchPost: KuboPost = async (url, { body, contentType, signal }) => {
  const response = await fetch(url, {
    method: 'POST', signal,
    ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
    ...(contentType === undefined ? {} : { headers: { 'Content-Type': contentType } })
  })
  return { status: response.status, body: response.body ?? endless }
}

export interface KuboHttpOptions {
  /** @default fetchPost */
  readonly post?: KuboPost | undefined
  /** Consecutive connection failures after which there is one request each second. @default 10 */
  readonly failuresBeforeBrake?: number | undefined
  readonly clock?: Clock | undefined
}

export interface KuboCall extends AbortOptions {
  /** Longest wait for the answer, and between parts of it, in ms. */
  readonly timeout: number
  readonly body?: Uint8Array | undefined
  readonly contentType?: string | undefined
}

/** Longest line and longest error text that kubo may send, in bytes. */
const maxLine = 1024 * 1024
const brakeInterval = 1000

export class KuboHttp {
  readonly #base: string
  readonly #post: KuboPost
  readonly #clock: Clock
  readonly #failuresBeforeBrake: number
  #failures = 0
  #nextSlot = 0

  /** `base` is the API's origin: `http://127.0.0.1:5001`. */
  constructor (base: string, options: KuboHttpOptions = {}) {
    this.#base = `${base}/api/v0/`
    this.#post = options.post ?? fetchPost
    this.#clock = options.clock ?? systemClock
    this.#failuresBeforeBrake = options.failuresBeforeBrake ?? 10
  }

  /** The answer's bytes as they come; IpfsError, IpfsUnreachableError, IpfsTimeoutError or the signal's reason. */
  async * bytes (path: string, call: KuboCall): AsyncGenerator<Uint8Array> {
    const deadline = new Deadline(path, call)
    try {
      await this.#brake(deadline.signal)
      const response = await this.#send(path, call, deadline)
      deadline.touch()
      if (response.status !== 200) throw new IpfsError(path, response.status, reasonIn(await collect(response.body, maxLine)))
      for await (const chunk of response.body) {
        deadline.touch()
        yield chunk
        deadline.touch()
      }
    } catch (error) {
      throw deadline.reason ?? (error instanceof IpfsError || error instanceof IpfsUnreachableError || error instanceof DecodeError ? error : this.#unreachable(path, error))
    } finally {
      deadline.clear()
    }
  }

  /** The whole answer; DecodeError where it is longer than `limit` bytes. */
  async all (path: string, call: KuboCall, limit: number): Promise<Uint8Array> {
    return await collect(this.bytes(path, call), limit)
  }

  /** Each JSON value of the answer. An error that comes after the first of them is thrown too. */
  async * values (path: string, call: KuboCall): AsyncGenerator<unknown> {
    for await (const values of this.valueChunks(path, call)) yield * values
  }

  /** The same, as many at a time as came. */
  async * valueChunks (path: string, call: KuboCall): AsyncGenerator<readonly unknown[]> {
    for await (const lines of lineChunks(this.bytes(path, call))) {
      const values = lines.map(parse)
      const end = values.findIndex(isStreamError)
      if (end !== 0) yield end < 0 ? values : values.slice(0, end)
      const failed = values[end]
      if (isStreamError(failed)) throw new IpfsError(path, 500, failed.Message)
    }
  }

  /** The one JSON value of the answer. */
  async value (path: string, call: KuboCall): Promise<unknown> {
    const text = new TextDecoder().decode(await this.all(path, call, maxAnswer))
    return text.trim() === '' ? undefined : parse(text)
  }

  async #send (path: string, { body, contentType }: KuboCall, deadline: Deadline): Promise<KuboResponse> {
    try {
      const response = await this.#post(this.#base + path, { body, contentType, signal: deadline.signal })
      this.#failures = 0
      return response
    } catch (error) {
      if (deadline.reason === undefined) this.#failures++
      throw error
    }
  }

  #unreachable (path: string, error: unknown): IpfsUnreachableError {
    const url = this.#base + path
    return new IpfsUnreachableError(`Post "${url}": ${dialText(new URL(url).host, error)}`, { cause: error })
  }

  async #brake (signal: AbortSignal): Promise<void> {
    if (this.#failures <= this.#failuresBeforeBrake) return
    const now = this.#clock.now()
    const slot = Math.max(now, this.#nextSlot)
    this.#nextSlot = slot + brakeInterval
    if (slot > now) await this.#clock.sleep(slot - now, { signal })
  }
}

const maxAnswer = 64 * 1024 * 1024

/** Ends a request when nothing came for `timeout`, or when the caller's signal fires; `reason` says which. */
class Deadline {
  readonly signal: AbortSignal
  readonly #controller = new AbortController()
  readonly #path: string
  readonly #call: KuboCall
  readonly #onAbort = (): void => { this.#controller.abort(this.#call.signal?.reason) }
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor (path: string, call: KuboCall) {
    this.signal = this.#controller.signal
    this.#path = path
    this.#call = call
    if (call.signal?.aborted === true) this.#onAbort()
    call.signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.touch()
  }

  get reason (): unknown { return this.signal.aborted ? this.signal.reason : undefined }

  touch (): void {
    clearTimeout(this.#timer)
    // Timers hold 31 bits of ms; what is longer waits for ever.
    if (this.#call.timeout < 2 ** 31) this.#timer = setTimeout(() => { this.#controller.abort(new IpfsTimeoutError(this.#path, this.#call.timeout)) }, this.#call.timeout)
  }

  clear (): void {
    clearTimeout(this.#timer)
    this.#call.signal?.removeEventListener('abort', this.#onAbort)
  }
}

/** What Go says of a failed dial; scripts look for it. */
function dialText (host: string, error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined
  if (code === 'ECONNREFUSED') return `dial tcp ${host}: connect: connection refused`
  if (code === 'ECONNRESET' || code === 'UND_ERR_SOCKET') return 'EOF'
  return cause instanceof Error && cause.message !== '' ? cause.message : String(code ?? cause)
}

async function collect (source: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of source) {
    length += chunk.length
    if (length > limit) throw new DecodeError(`IPFS answered more than ${limit} bytes`)
    chunks.push(chunk)
  }
  return concat(chunks)
}

/** Lines of text, as many at a time as came; one that never ends is a DecodeError. */
export async function * lineChunks (source: AsyncIterable<Uint8Array>): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of source) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > maxLine) throw new DecodeError(`IPFS sent a line of more than ${maxLine} characters`)
    const whole = lines.filter((line) => line !== '')
    if (whole.length > 0) yield whole
  }
  rest += decoder.decode()
  if (rest.trim() !== '') yield [rest]
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new DecodeError(`IPFS answered what is not JSON: ${text.slice(0, 100)}`, { cause: error })
  }
}

const isStreamError = (value: unknown): value is { readonly Message: string } => typeof value === 'object' && value !== null && 'Type' in value && value.Type === 'error' && 'Message' in value && typeof value.Message === 'string'

/** Kubo's errors are `{"Message":…}`; what stands before it (a proxy) may say anything. */
function reasonIn (bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes).trim()
  try {
    const value = JSON.parse(text) as unknown
    if (typeof value === 'object' && value !== null && 'Message' in value && typeof value.Message === 'string') return value.Message
  } catch { /* plain text, as it is */ }
  return text.slice(0, 1000)
}
