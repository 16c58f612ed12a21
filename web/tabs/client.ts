/** In every other tab: the way to the peer of the tab that runs it. */
import type { ClientRequest, ClientResponse, Transport } from '../../src/api/client/transport.ts'
import { toStream } from '../../src/api/response.ts'
import type { HeaderList } from '../../src/api/response.ts'
import { LeaderGoneError } from '../errors.ts'
import type { TabChannel } from './channel.ts'
import { window } from './messages.ts'
import type { TabMessage } from './messages.ts'
import { beThere } from './presence.ts'

/** Chunks after which the other tab is told that they were read. */
const acknowledgeEvery = 8

export interface TabClient {
  readonly transport: Transport
  /** There is no other leader any more: what waits for one fails, and what it began is over. */
  readonly close: (reason?: Error) => void
}

/** Requests wait for a leader; a GET that nobody has answered yet is asked of the next one. */
export function tabClient (channel: TabChannel, locks?: Pick<LockManager, 'request'>): TabClient {
  const tab = crypto.randomUUID()
  const present = beThere(tab, locks)
  // Each call hears of it.
  present.catch(() => {})
  const calls = new Map<string, Call>()
  let closed: Error | undefined
  const stopListening = channel.listen((message) => {
    if (message.kind === 'leader') for (const call of calls.values()) call.leaderSpeaks(message.leader)
    else if (message.kind === 'head' || message.kind === 'data' || message.kind === 'end' || message.kind === 'fail') calls.get(message.id)?.receive(message)
  })
  return {
    transport: async (request) => {
      const id = crypto.randomUUID()
      const [body] = await Promise.all([plainBody(request.body), present])
      if (closed !== undefined) throw closed
      request.signal.throwIfAborted()
      const call = new Call({ id, tab, channel, request, body, done: () => { calls.delete(id) } })
      calls.set(id, call)
      return await call.response()
    },
    close: (reason = new LeaderGoneError()) => {
      closed = reason
      stopListening()
      for (const call of calls.values()) call.fail(reason)
      present.then((leave) => { leave() }, () => {})
    }
  }
}

/** A BroadcastChannel carries texts and Blobs as they are; the browser keeps a large Blob on disk. */
async function plainBody (body: ClientRequest['body']): Promise<string | Blob | undefined> {
  return body === undefined || typeof body === 'string' || body instanceof Blob ? body : await new Response(toStream(body)).blob()
}

type Answer = Extract<TabMessage, { kind: 'head' | 'data' | 'end' | 'fail' }>

interface CallParts {
  readonly id: string
  readonly tab: string
  readonly channel: TabChannel
  readonly request: ClientRequest
  readonly body: string | Blob | undefined
  readonly done: () => void
}

class Call {
  readonly #parts: CallParts
  readonly #head = Promise.withResolvers<ClientResponse>()
  readonly #trailers = Promise.withResolvers<HeaderList>()
  readonly #chunks: Uint8Array[] = []
  /** Whom this was sent to, as far as it is known. */
  #leader: string | undefined
  #answered = false
  #ended = false
  #failure: Error | undefined
  #wake: () => void = () => {}
  #read = 0

  constructor (parts: CallParts) {
    this.#parts = parts
    this.#head.promise.catch(() => {})
    this.#trailers.promise.catch(() => {})
  }

  async response (): Promise<ClientResponse> {
    const { channel, request: { signal } } = this.#parts
    const onAbort = (): void => { this.#give(signal.reason as Error) }
    signal.addEventListener('abort', onAbort, { once: true })
    void this.#trailers.promise.finally(() => { signal.removeEventListener('abort', onAbort) }).catch(() => {})
    // The answer to this question makes it be sent.
    channel.send({ kind: 'who' })
    return await this.#head.promise
  }

  leaderSpeaks (leader: string): void {
    if (this.#ended || this.#leader === leader) return
    const isFirst = this.#leader === undefined
    this.#leader = leader
    if (isFirst || (this.#parts.request.method === 'GET' && !this.#answered)) this.#ask()
    else this.fail(new LeaderGoneError())
  }

  receive (answer: Answer): void {
    if (this.#ended) return
    if (answer.kind === 'head') {
      this.#answered = true
      this.#head.resolve({
        status: answer.status, body: this.#bodyOf(), trailers: this.#trailers.promise,
        header: (name) => answer.headers.find(([known]) => known === name.toLowerCase())?.[1] ?? null
      })
    } else if (answer.kind === 'data') {
      // A leader waits at the window; whoever does not is none.
      if (this.#chunks.length >= window) this.#give(new Error('another tab sent more than was asked for'))
      else this.#chunks.push(answer.bytes)
      this.#wake()
    } else if (answer.kind === 'end') {
      this.#finish()
      this.#trailers.resolve(answer.trailers ?? [])
    } else {
      this.fail(new Error(answer.message))
    }
  }

  fail (error: Error): void {
    if (this.#ended) return
    this.#failure = error
    this.#finish()
    this.#head.reject(error)
    this.#trailers.reject(error)
  }

  #ask (): void {
    const { id, tab, channel, body, request: { method, url, headers } } = this.#parts
    channel.send({ kind: 'request', id, from: tab, method, url, headers, body })
  }

  /** Nobody here wants the rest. */
  #give (reason: Error): void {
    if (this.#ended) return
    this.#parts.channel.send({ kind: 'abort', id: this.#parts.id })
    this.fail(reason)
  }

  #finish (): void {
    this.#ended = true
    this.#parts.done()
    this.#wake()
  }

  async * #bodyOf (): AsyncGenerator<Uint8Array> {
    try {
      while (true) {
        const chunk = this.#chunks.shift()
        if (chunk !== undefined) {
          if (++this.#read % acknowledgeEvery === 0) this.#parts.channel.send({ kind: 'read', id: this.#parts.id, chunks: acknowledgeEvery })
          yield chunk
          continue
        }
        if (this.#failure !== undefined) throw this.#failure
        if (this.#ended) return
        const { promise, resolve } = Promise.withResolvers<void>()
        this.#wake = resolve
        await promise
      }
    } finally {
      this.#give(new Error('the answer was not read to its end'))
    }
  }
}
