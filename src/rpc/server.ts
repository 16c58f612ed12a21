/** Serves `/ipfscluster/1.0/rpc`: one call per stream, the caller's rights checked before its arguments are read (wire.md §5.1, §5.4). */
import { errorText, systemClock, type Clock, type ComponentLogger, type Logger } from '../component.ts'
import { rpcProtocol } from '../cluster/types.ts'
import { RpcError } from '../errors.ts'
import { BatchWriter } from './batch-writer.ts'
import { Callers, type Caller, type CallerLimits } from './callers.ts'
import { finish, within } from './finish.ts'
import { isRpcMethod, isStream, isUnary, methodSchemas, type MethodSchema } from './method-schemas.ts'
import { rpcPolicy, type Access, type RpcMethodName, type RpcMethods, type RpcStreamName, type RpcUnaryName } from './methods.ts'
import { decode, encode, encodeAfter } from './msgpack.ts'
import { response, serviceId, type ServiceId } from './types.ts'
import { ValueReader } from './value-reader.ts'
import type { CallContext, RpcHandlers, StreamHandler, UnaryHandler } from './rpc.ts'
import type { Trust } from '../consensus/consensus.ts'
import type { ByteStream, Transport } from '../transport/transport.ts'

const maxServiceId = 1024
const maxNames = 256
/** How long a caller may take to send its header, and an argument once it has begun, in ms. */
const argumentTimeout = 60_000
/** How long a caller may take to close a stream that is answered, in ms. */
const closeTimeout = 10_000
const errorTypes = { application: 0, server: 1, client: 2, authorization: 3 } as const
const nil = Uint8Array.of(0xc0)

export interface RpcServerComponents {
  readonly transport: Pick<Transport, 'handle' | 'unhandle' | 'penalize'>
  readonly handlers: RpcHandlers
  readonly trust: Pick<Trust, 'isTrusted'>
  readonly logger: ComponentLogger
  readonly clock?: Clock | undefined
}

export interface RpcServerOptions {
  /** Methods that only this peer itself may call, beside those of the table (followers close `Cluster.RepoGCLocal`). @default none */
  readonly closed?: readonly RpcMethodName[] | undefined
  /** Calls at a time from one connection. @default 1024 */
  readonly maxInboundStreams?: number | undefined
  readonly limits?: Partial<CallerLimits> | undefined
}

/** Starts to serve; returns the way to stop, which resets what is running. */
export async function serveRpc (components: RpcServerComponents, options: RpcServerOptions = {}): Promise<() => Promise<void>> {
  const server = new Server(components, options)
  await components.transport.handle(rpcProtocol, (stream) => { server.accept(stream) }, { maxInboundStreams: options.maxInboundStreams })
  return async () => {
    await components.transport.unhandle(rpcProtocol)
    await server.stop()
  }
}

/** One call that came in. */
class Call implements CallContext {
  readonly stream: ByteStream
  readonly reader: ValueReader
  readonly signal: AbortSignal
  readonly #gone = new AbortController()
  service: ServiceId = { name: '', method: '' }

  constructor (stream: ByteStream, onHeld: (bytes: number) => void) {
    this.stream = stream
    this.reader = new ValueReader(stream.source, onHeld)
    this.signal = this.#gone.signal
    if (stream.closed.aborted) this.end()
    else stream.closed.addEventListener('abort', () => { this.end() }, { once: true })
  }

  get caller (): CallContext['caller'] { return this.stream.remotePeer }

  end (): void { if (!this.signal.aborted) this.#gone.abort(new RpcError('rpc: the caller is gone', 'client')) }

  /** A header that announces a reply. */
  ok (): Uint8Array { return encode(response, { service: this.service, error: '', errorType: 0 }) }

  /** A header that announces an error, and the empty body that follows it. */
  failure (error: unknown): Uint8Array {
    const kind = error instanceof CallError ? error.kind : 'application'
    const header = encode(response, { service: this.service, error: errorText(error) || 'unknown error', errorType: errorTypes[kind] })
    const whole = new Uint8Array(header.length + nil.length)
    whole.set(header)
    whole.set(nil, header.length)
    return whole
  }
}

/** An error that is ours, not the method's. */
class CallError extends RpcError {}
const serverError = (text: string): CallError => new CallError(text, 'server')

class Server {
  readonly #handlers: RpcHandlers
  readonly #trust: Pick<Trust, 'isTrusted'>
  readonly #clock: Clock
  readonly #log: Logger
  readonly #closed: ReadonlySet<string>
  readonly #penalize: Transport['penalize']
  readonly #callers: Callers
  readonly #running = new Map<Call, Promise<void>>()

  constructor ({ transport, handlers, trust, logger, clock = systemClock }: RpcServerComponents, { closed = [], limits }: RpcServerOptions) {
    this.#penalize = (peer, offence, points) => { transport.penalize(peer, offence, points) }
    this.#callers = new Callers(limits)
    this.#handlers = handlers
    this.#trust = trust
    this.#clock = clock
    this.#log = logger.forComponent('p2p-gorpc')
    this.#closed = new Set(closed)
  }

  accept (stream: ByteStream): void {
    const call = new Call(stream, (bytes) => { this.#callers.hold(stream.remotePeer, bytes) })
    const served = this.#callers.run(stream.remotePeer, call.signal, async (caller) => { await this.#serve(call, caller) }).then((taken) => {
      if (taken) return
      stream.abort(new Error('rpc: too many calls wait'))
      this.#penalize(stream.remotePeer, 'more calls than may wait', 5)
    })
    this.#running.set(call, served.finally(() => { this.#running.delete(call) }))
  }

  async stop (): Promise<void> {
    const running = [...this.#running]
    for (const [call] of running) {
      call.stream.abort(new Error('rpc: the peer stops'))
      call.end()
    }
    await Promise.all(running.map(async ([, served]) => { await served }))
  }

  /** Never throws: what goes wrong is answered, or nobody is there to hear it. */
  async #serve (call: Call, caller: Caller): Promise<void> {
    try {
      const request = await this.#request(call, caller)
      if (request !== undefined) await request()
    } catch (error) {
      this.#log.debug('%s.%s called by %s failed: %s', call.service.name, call.service.method, call.caller.toString(), errorText(error))
      if (isOffence(error)) this.#penalize(call.caller, `${call.service.name}.${call.service.method}: ${error.message}`.slice(0, maxNames), 5)
      if (!call.stream.closed.aborted) await call.stream.write(call.failure(error)).catch(() => {})
    }
    await finish(this.#clock, closeTimeout, call.stream, call.reader)
    call.end()
  }

  /** Reads what is called and by whom; undefined when the stream ended before. */
  async #request (call: Call, caller: Caller): Promise<(() => Promise<void>) | undefined> {
    const bytes = await this.#read(call, maxServiceId)
    if (bytes === undefined) return undefined
    call.service = decoded(() => decode(serviceId, bytes))
    const method = this.#authorized(call)
    return async () => {
      await this.#callers.runMethod(caller, method, call.signal, async () => {
        if (isUnary(method)) await this.#unary(call, method)
        else if (isStream(method)) await this.#stream(call, method)
      })
    }
  }

  async #read (call: Call, maxBytes: number): Promise<Uint8Array | undefined> {
    return await within(this.#clock, argumentTimeout, call.stream, async () => await asServerErrors(async () => await call.reader.next(maxBytes)))
  }

  /** The method, once the table lets the caller call it. */
  #authorized ({ service, caller }: Call): RpcMethodName {
    const name = `${service.name}.${service.method}`
    if (name.length > maxNames) throw serverError('rpc: service and method names are too long')
    if (!services.has(service.name)) throw serverError(`rpc: can't find service ${service.name}`)
    if (!Object.hasOwn(rpcPolicy, name)) throw serverError(`rpc: can't find method ${service.method}`)
    const access: Access = this.#closed.has(name) ? 'closed' : rpcPolicy[name as keyof typeof rpcPolicy]
    if (access === 'closed' || !isRpcMethod(name) || (access === 'trusted' && !this.#trust.isTrusted(caller))) {
      throw new CallError(`client does not have permissions to call ${name}`, 'authorization')
    }
    return name
  }

  async #unary<M extends RpcUnaryName> (call: Call, method: M): Promise<void> {
    const schema: MethodSchema<M> = methodSchemas[method]
    const handler = served(this.#handlers[method] as UnaryHandler<M> | undefined, call)
    const bytes = await this.#read(call, schema.maxArgument)
    if (bytes === undefined) throw serverError('rpc: the argument is missing')
    const argument = decoded(() => decode(schema.argument, bytes))
    const reply = await handler(argument, call)
    await call.stream.write(encodeAfter(call.ok(), schema.reply, reply), { signal: call.signal })
  }

  async #stream<M extends RpcStreamName> (call: Call, method: M): Promise<void> {
    const schema: MethodSchema<M> = methodSchemas[method]
    const handler = served(this.#handlers[method] as StreamHandler<M> | undefined, call)
    const writer = new BatchWriter(call.stream, { signal: call.signal })
    const header = call.ok()
    try {
      for await (const reply of handler(this.#arguments<M>(call, schema), call)) await writer.write(encodeAfter(header, schema.reply, reply))
    } catch (error) {
      // Replies that came before the error are sent before it.
      if (!writer.failed) await writer.end()
      throw error
    }
    await writer.end()
  }

  /** They may come as slowly as the caller likes; one that has begun may not. */
  async * #arguments<M extends RpcStreamName> ({ reader, stream }: Call, schema: MethodSchema<M>): AsyncGenerator<RpcMethods[M]['argument'], void> {
    for (;;) {
      const complete = new AbortController()
      const onBegin = (): void => {
        this.#clock.sleep(argumentTimeout, { signal: complete.signal }).then(() => { stream.abort(new Error(`rpc: an argument is not complete after ${argumentTimeout} ms`)) }, () => {})
      }
      const bytes = await asServerErrors(async () => await reader.next(schema.maxArgument, onBegin)).finally(() => { complete.abort() })
      if (bytes === undefined) return
      yield decoded(() => decode(schema.argument, bytes))
    }
  }
}

const services = new Set(Object.keys(rpcPolicy).map((name) => name.slice(0, name.indexOf('.'))))

/** A method of the table that this peer does not serve looks like one that does not exist. */
function served<T> (handler: T | undefined, { service }: Call): T {
  if (handler === undefined) throw serverError(`rpc: can't find method ${service.method}`)
  return handler
}

/** What only a caller does that breaks the format or a limit. */
const isOffence = (error: unknown): error is CallError => error instanceof CallError && error.cause instanceof Error

const toServerError = (error: unknown): unknown => error instanceof Error && error.name === 'DecodeError' ? new CallError(error.message, 'server', { cause: error }) : error

/** What does not decode is the caller's fault, and answered as Go does. */
function decoded<T> (decodeValue: () => T): T {
  try { return decodeValue() } catch (error) { throw toServerError(error) }
}

async function asServerErrors<T> (read: () => Promise<T>): Promise<T> {
  try { return await read() } catch (error) { throw toServerError(error) }
}
