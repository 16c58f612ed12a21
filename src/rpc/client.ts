/** Calls other peers, one stream per call; calls to ourselves go straight to our handlers (wire.md §5.1). */
import { systemClock, type AbortOptions, type Clock } from '../component.ts'
import { rpcProtocol } from '../cluster/types.ts'
import { DecodeError, RpcError } from '../errors.ts'
import { BatchWriter } from './batch-writer.ts'
import { finish, within } from './finish.ts'
import { callHeader, methodSchemas, type MethodSchema } from './method-schemas.ts'
import { decode, encode, encodeAfter } from './msgpack.ts'
import { response } from './types.ts'
import { ValueReader } from './value-reader.ts'
import type { RpcMethodName, RpcMethods, RpcStreamName, RpcUnaryName } from './methods.ts'
import type { RpcClient, RpcHandlers, StreamHandler, UnaryHandler } from './rpc.ts'
import type { ByteStream, Transport } from '../transport/transport.ts'
import type { PeerId } from '@libp2p/interface'

const maxHeader = 256 * 1024
/** How long a peer may take to close a stream whose reply is in, in ms. */
const closeTimeout = 1000
/** Replies in one chunk. */
const maxChunk = 1000
/** How long a peer that answers a stream call may say nothing, in ms: its IPFS may take a while to list all that it holds. */
const longestSilence = 300_000
const kinds = ['application', 'server', 'client', 'authorization'] as const

export interface RpcClientComponents {
  readonly transport: Pick<Transport, 'peerId' | 'openStream'>
  /** What this peer serves: calls addressed to itself end here. */
  readonly local: RpcHandlers
  readonly clock?: Clock | undefined
}

export const createRpcClient = (components: RpcClientComponents): RpcClient => new Client(components)

type Arguments<M extends RpcStreamName> = Iterable<RpcMethods[M]['argument']> | AsyncIterable<RpcMethods[M]['argument']>

class Client implements RpcClient {
  readonly #transport: Pick<Transport, 'peerId' | 'openStream'>
  readonly #local: RpcHandlers
  readonly #clock: Clock

  constructor ({ transport, local, clock = systemClock }: RpcClientComponents) {
    this.#transport = transport
    this.#local = local
    this.#clock = clock
  }

  async call<M extends RpcUnaryName> (peer: PeerId, method: M, argument: RpcMethods[M]['argument'], { signal }: AbortOptions = {}): Promise<RpcMethods[M]['reply']> {
    signal?.throwIfAborted()
    if (peer.equals(this.#transport.peerId)) {
      const handler = required(this.#local[method] as UnaryHandler<M> | undefined, method)
      return await handler(argument, { caller: peer, signal: signal ?? new AbortController().signal })
    }
    const schema: MethodSchema<M> = methodSchemas[method]
    const request = encodeAfter(callHeader(method), schema.argument, argument)
    const stream = await this.#transport.openStream(peer, rpcProtocol, { signal })
    const reader = new ValueReader(stream.source)
    const reply = await abortable(stream, signal, async () => {
      // The write side stays open until the reply is in: Go takes its end for a caller that left.
      await stream.write(request, { signal })
      if (!await readHeader(reader)) throw noAnswer(method)
      return decode(schema.reply, await reader.next(schema.maxReply) ?? cutOff())
    })
    await finish(this.#clock, closeTimeout, stream, reader)
    return reply
  }

  stream<M extends RpcStreamName> (peer: PeerId, method: M, args: Arguments<M>, options: AbortOptions = {}): AsyncIterable<RpcMethods[M]['reply']> {
    return peer.equals(this.#transport.peerId) ? this.#streamHere(method, args, options) : each(this.#chunksFrom(peer, method, args, options))
  }

  chunks<M extends RpcStreamName> (peer: PeerId, method: M, args: Arguments<M>, options: AbortOptions = {}): AsyncIterable<ReadonlyArray<RpcMethods[M]['reply']>> {
    return peer.equals(this.#transport.peerId) ? singly(this.#streamHere(method, args, options)) : this.#chunksFrom(peer, method, args, options)
  }

  async * #streamHere<M extends RpcStreamName> (method: M, args: Arguments<M>, { signal }: AbortOptions): AsyncGenerator<RpcMethods[M]['reply'], void> {
    signal?.throwIfAborted()
    const handler = required(this.#local[method] as StreamHandler<M> | undefined, method)
    const left = new AbortController()
    try {
      yield * handler(asyncOf(args), { caller: this.#transport.peerId, signal: signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]) })
    } finally {
      left.abort()
    }
  }

  async * #chunksFrom<M extends RpcStreamName> (peer: PeerId, method: M, args: Arguments<M>, { signal }: AbortOptions): AsyncGenerator<ReadonlyArray<RpcMethods[M]['reply']>, void> {
    signal?.throwIfAborted()
    const schema: MethodSchema<M> = methodSchemas[method]
    const stream = await this.#transport.openStream(peer, rpcProtocol, { signal })
    const reader = new ValueReader(unlessSilent(stream, this.#clock))
    const onAbort = (): void => { stream.abort(asError(signal?.reason)) }
    signal?.addEventListener('abort', onAbort, { once: true })
    const sending = new Sending(stream, method, args, signal)
    let complete = false
    try {
      while (await readHeader(reader)) {
        const replies = [decode(schema.reply, await reader.next(schema.maxReply) ?? cutOff())]
        const failure = await readReady(reader, schema, replies)
        yield replies
        if (failure !== undefined) throw failure
      }
      await sending.done()
      complete = true
    } catch (error) {
      signal?.throwIfAborted()
      throw error instanceof Error && error.name === 'RpcError' ? error : sending.sourceFailure() ?? error
    } finally {
      signal?.removeEventListener('abort', onAbort)
      if (!complete) {
        stream.abort(new Error('rpc: the caller left'))
        sending.stop()
      }
    }
  }
}

/** Sends the arguments of a stream call while replies come in. */
class Sending<M extends RpcStreamName> {
  readonly #stream: ByteStream
  readonly #writer: BatchWriter
  readonly #iterator: Iterator<RpcMethods[M]['argument']> | AsyncIterator<RpcMethods[M]['argument']>
  readonly #outcome: Promise<{ readonly error?: unknown }>
  #sourceFailure: unknown
  #stopped = false

  constructor (stream: ByteStream, method: M, args: Arguments<M>, signal: AbortSignal | undefined) {
    this.#stream = stream
    this.#writer = new BatchWriter(stream, { signal })
    this.#iterator = Symbol.asyncIterator in args ? args[Symbol.asyncIterator]() : args[Symbol.iterator]()
    this.#outcome = this.#run(method).then(() => ({}), (error: unknown) => {
      // A refused write shows as a reply or a reset on the reading side; a failed source must be told.
      if (!this.#writer.failed && !this.#stopped) {
        this.#sourceFailure = error
        stream.abort(asError(error))
      }
      return { error }
    })
  }

  async #run (method: M): Promise<void> {
    const schema: MethodSchema<M> = methodSchemas[method]
    await this.#writer.write(callHeader(method))
    for (let next = await this.#iterator.next(); next.done !== true; next = await this.#iterator.next()) {
      if (this.#stopped) return
      try {
        await this.#writer.write(encode(schema.argument, next.value))
      } catch (error) {
        this.#leaveSource()
        throw error
      }
    }
    if (this.#stopped) return
    await this.#writer.end()
    await this.#stream.closeWrite()
  }

  /** Resolves when everything is sent; throws why not. */
  async done (): Promise<void> {
    const outcome = await this.#outcome
    if ('error' in outcome) throw outcome.error
  }

  /** What the arguments' source threw, if it did. */
  sourceFailure (): unknown { return this.#sourceFailure }

  /** Takes no more arguments. */
  stop (): void {
    this.#stopped = true
    this.#writer.discard()
    this.#leaveSource()
  }

  #leaveSource (): void {
    void (async () => { await this.#iterator.return?.() })().catch(() => {})
  }
}

/** What the peer sends; the stream is reset when it says nothing for too long while we listen. */
async function * unlessSilent (stream: ByteStream, clock: Clock): AsyncGenerator<Uint8Array> {
  const source = stream.source[Symbol.asyncIterator]()
  try {
    while (true) {
      const next = await within(clock, longestSilence, stream, async () => await source.next())
      if (next.done === true) return
      yield next.value
    }
  } finally {
    await source.return?.(undefined)
  }
}

/** Runs `work`; the signal resets the stream, and so does any failure. */
async function abortable<T> (stream: ByteStream, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  const onAbort = (): void => { stream.abort(asError(signal?.reason)) }
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await work()
  } catch (error) {
    stream.abort(asError(error))
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

/** Reads the header of a reply: false at the end of the stream. Throws RpcError when it says so; the body then does not matter. */
async function readHeader (reader: ValueReader): Promise<boolean> {
  const bytes = await reader.next(maxHeader)
  if (bytes === undefined) return false
  const failure = failureIn(bytes)
  if (failure !== undefined) throw failure
  return true
}

function failureIn (header: Uint8Array): RpcError | undefined {
  const { error, errorType } = decode(response, header)
  return error !== '' || errorType !== 0 ? new RpcError(error, kinds[errorType] ?? 'application') : undefined
}

/** Adds the replies that have come already; returns the error that stands behind them. */
async function readReady<M extends RpcStreamName> (reader: ValueReader, schema: MethodSchema<M>, replies: Array<RpcMethods[M]['reply']>): Promise<RpcError | undefined> {
  while (replies.length < maxChunk) {
    const header = reader.ready(maxHeader)
    if (header === undefined) return undefined
    const failure = failureIn(header)
    if (failure !== undefined) return failure
    replies.push(decode(schema.reply, reader.ready(schema.maxReply) ?? await reader.next(schema.maxReply) ?? cutOff()))
  }
  return undefined
}

function required<T> (handler: T | undefined, method: RpcMethodName): T {
  if (handler === undefined) throw new RpcError(`rpc: can't find method ${method.split('.')[1] ?? ''}`, 'server')
  return handler
}

const noAnswer = (method: RpcMethodName): RpcError => new RpcError(`rpc: ${method}: the peer closed the stream without an answer`, 'client')
const cutOff = (): never => { throw new DecodeError('rpc: the stream ended between a reply and its header') }
const asError = (reason: unknown): Error => reason instanceof Error ? reason : new Error(String(reason))

async function * each<T> (chunks: AsyncIterable<readonly T[]>): AsyncGenerator<T, void> { for await (const chunk of chunks) yield * chunk }
async function * singly<T> (values: AsyncIterable<T>): AsyncGenerator<readonly T[], void> { for await (const value of values) yield [value] }
async function * asyncOf<T> (values: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T, void> { yield * values }
