/** Asks one member for blocks over one stream: what is asked at the same time travels together, answers come in order. */
import { matchesCid } from '../ipfs/block.ts'
import { BlockMismatchError } from '../ipfs/errors.ts'
import { contentProtocol, decodeAnswer, encodeRequest, maxAnswerLength, maxCids } from './content-frames.ts'
import { framesOf } from '../frames.ts'
import type { ContentAnswer, Want } from './content-frames.ts'
import type { AbortOptions } from '../component.ts'
import type { ByteStream, Transport } from '../transport/transport.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

interface Question {
  readonly cid: CID
  readonly want: Want
  readonly answered: PromiseWithResolvers<ContentAnswer>
  abandoned: boolean
}

/** Answers that may be on their way at once: bounds what is in memory to this many blocks for each member. */
const maxOutstanding = 32
const minRequest = 8

export interface SessionOptions {
  /** Longest wait for the next bytes of an answer, in ms. */
  readonly answerTimeout: number
  /** How long an unused stream stays open, in ms. */
  readonly idleTimeout: number
}

export class ContentSession {
  readonly #transport: Transport
  readonly #peer: PeerId
  readonly #options: SessionOptions
  readonly #queue: Question[] = []
  readonly #outstanding: Question[] = []
  readonly #stopped = new AbortController()
  #stream: ByteStream | undefined
  #running: Promise<void> | undefined
  #sending = false
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor (transport: Transport, peer: PeerId, options: SessionOptions) {
    this.#transport = transport
    this.#peer = peer
    this.#options = options
  }

  /** Questions waiting for an answer. */
  get load (): number { return this.#queue.length + this.#outstanding.length }

  /** What the member answers; rejects when it cannot be asked, breaks off or sends what does not match. */
  async ask (cid: CID, want: Want, { signal }: AbortOptions = {}): Promise<ContentAnswer> {
    signal?.throwIfAborted()
    const question: Question = { cid, want, answered: Promise.withResolvers<ContentAnswer>(), abandoned: false }
    const onAbort = (): void => {
      question.abandoned = true
      question.answered.reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#queue.push(question)
    this.#running ??= this.#run()
    this.#send()
    try {
      return await question.answered.promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  async stop (): Promise<void> {
    this.#stopped.abort(new Error('the content exchange has stopped'))
    this.#fail(new Error('the content exchange has stopped'))
    await this.#running
  }

  /** One stream from its opening to its end; the next question opens another. */
  async #run (): Promise<void> {
    let stream: ByteStream | undefined
    let reason = new Error('the member ended the content stream')
    try {
      const opening = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(this.#options.answerTimeout)])
      stream = await this.#transport.openStream(this.#peer, contentProtocol, { signal: opening })
      this.#stream = stream
      this.#send()
      for await (const body of framesOf(this.#watched(stream.source), maxAnswerLength)) await this.#take(body)
    } catch (error) {
      reason = error instanceof Error ? error : new Error(String(error))
    }
    // An idle stream has been let go of before: what is asked by now belongs to the next one.
    if (this.#stream !== stream) return
    this.#running = undefined
    this.#fail(reason)
  }

  #fail (reason: Error): void {
    clearTimeout(this.#timer)
    this.#stream?.abort(reason)
    this.#stream = undefined
    for (const question of [...this.#outstanding.splice(0), ...this.#queue.splice(0)]) question.answered.reject(reason)
  }

  #closeIdle (): void {
    const stream = this.#stream
    this.#stream = undefined
    this.#running = undefined
    stream?.abort(new Error('idle'))
  }

  /** Any bytes restart the clock. */
  async * #watched (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      this.#watch()
      yield chunk
    }
  }

  #watch (): void {
    clearTimeout(this.#timer)
    const idle = this.#outstanding.length === 0
    this.#timer = setTimeout(() => {
      if (idle) this.#closeIdle()
      else this.#stream?.abort(new Error(`no answer within ${this.#options.answerTimeout} ms`))
    }, idle ? this.#options.idleTimeout : this.#options.answerTimeout)
  }

  async #take (body: Uint8Array): Promise<void> {
    const question = this.#outstanding.shift()
    if (question === undefined) throw new Error('the member answered what was not asked')
    try {
      const answer = decodeAnswer(body)
      if (answer.here && question.want === 'block' && !(answer.bytes !== undefined && await matchesCid(question.cid, answer.bytes))) throw new BlockMismatchError(question.cid)
      question.answered.resolve(answer)
    } catch (error) {
      question.answered.reject(error)
      throw error
    }
    this.#watch()
    this.#send()
  }

  /** Up to `room` questions of one kind. A long queue waits for more room, so that requests do not become many and small. */
  #pick (room: number): Question[] {
    const picked: Question[] = []
    if (room < Math.min(minRequest, this.#queue.length)) return picked
    for (let next = this.#queue[0]; next !== undefined && picked.length < room; next = this.#queue[0]) {
      if (!next.abandoned && picked[0] !== undefined && picked[0].want !== next.want) break
      this.#queue.shift()
      if (!next.abandoned) picked.push(next)
    }
    return picked
  }

  /** Sends what may be asked now. */
  #send (): void {
    const stream = this.#stream
    if (stream === undefined || this.#sending) return
    const questions = this.#pick(Math.min(maxCids, maxOutstanding - this.#outstanding.length))
    if (questions.length === 0) return
    this.#outstanding.push(...questions)
    this.#watch()
    this.#sending = true
    stream.write(encodeRequest({ want: questions[0]?.want ?? 'block', cids: questions.map(({ cid }) => cid) })).then(() => {
      this.#sending = false
      this.#send()
    }, (error: unknown) => {
      this.#sending = false
      stream.abort(error instanceof Error ? error : new Error(String(error)))
    })
  }
}
