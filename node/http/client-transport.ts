/** Requests of the client over Node's HTTP: Unix sockets, fail-over between addresses, trailers, uploads with backpressure. */
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { drained } from './request.ts'
import type { ClientRequest as Outgoing, IncomingMessage, RequestOptions } from 'node:http'
import type { ClientRequest, ClientResponse, Transport } from '../../src/api/client/transport.ts'

/** One address of an API. */
export type Endpoint =
  | { readonly protocol: 'http' | 'https', readonly host: string, readonly port: number }
  | { readonly protocol: 'http' | 'https', readonly socketPath: string }

export interface NodeTransportOptions {
  /** Tried in order; the next one only when no connection comes about. */
  readonly endpoints: readonly Endpoint[]
  /** For a whole request, in ms; 0 = none. @default 0 */
  readonly timeout?: number | undefined
  /** @default true */
  readonly checkCertificate?: boolean | undefined
  /** Told of every request as it is sent. */
  readonly onRequest?: ((request: ClientRequest) => void) | undefined
}

class TimeoutError extends Error {
  override name = 'TimeoutError'
}

/** No connection came about: nothing of the request has been sent. */
class ConnectError extends Error {
  override name = 'ConnectError'
}

async function writeBody (outgoing: Outgoing, body: ClientRequest['body']): Promise<void> {
  if (body === undefined || typeof body === 'string') { outgoing.end(body); return }
  const chunks = body instanceof Blob ? body.stream() as unknown as AsyncIterable<Uint8Array> : body
  for await (const chunk of chunks) {
    if (outgoing.destroyed) return
    if (!outgoing.write(chunk)) await drained(outgoing)
  }
  outgoing.end()
}

async function * bodyOf (incoming: IncomingMessage, failure: () => Error | undefined): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of incoming) yield chunk as Uint8Array
  } catch (error) {
    throw failure() ?? error
  }
  const failed = failure()
  if (failed !== undefined) throw failed
  if (!incoming.complete) throw new Error('the connection closed before the end of the answer')
}

function trailersOf (incoming: IncomingMessage): ReadonlyArray<readonly [string, string]> {
  const pairs: Array<readonly [string, string]> = []
  for (let i = 0; i + 1 < incoming.rawTrailers.length; i += 2) pairs.push([incoming.rawTrailers[i] ?? '', Buffer.from(incoming.rawTrailers[i + 1] ?? '', 'latin1').toString()])
  return pairs
}

const hasTrailers = (incoming: IncomingMessage): boolean => incoming.headers.trailer !== undefined

/** Sends to one endpoint. The body is read only once there is a connection. */
async function exchange (endpoint: Endpoint, request: ClientRequest, checkCertificate: boolean, signal: AbortSignal): Promise<ClientResponse> {
  const url = new URL(request.url)
  const length: Record<string, string> = typeof request.body === 'string' ? { 'Content-Length': String(Buffer.byteLength(request.body)) } : request.body instanceof Blob ? { 'Content-Length': String(request.body.size) } : {}
  const options: RequestOptions = {
    ...'socketPath' in endpoint ? { socketPath: endpoint.socketPath } : { host: endpoint.host, port: endpoint.port },
    method: request.method, path: url.pathname + url.search, headers: { ...request.headers, ...length, ...request.body === undefined && request.method === 'POST' ? { 'Content-Length': '0' } : {} }, signal
  }
  // TLS takes a while to load; most never need it.
  const outgoing = endpoint.protocol === 'https' ? (await import('node:https')).request({ ...options, rejectUnauthorized: checkCertificate }) : httpRequest(options)
  let failure: Error | undefined
  let answered: IncomingMessage | undefined
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('error', (error) => {
      // A server that answers early may stop reading: what it answered counts.
      if (answered === undefined) reject(error)
      else failure ??= signal.aborted ? error : undefined
    })
    outgoing.on('response', (incoming) => { answered = incoming; resolve(incoming) })
  })
  answer.catch(() => {})
  const [socket] = await Promise.race([once(outgoing, 'socket'), answer.then(() => [])]) as [NonNullable<Outgoing['socket']>]
  try {
    if (socket.connecting) await Promise.race([once(socket, endpoint.protocol === 'https' ? 'secureConnect' : 'connect'), answer])
  } catch (cause) {
    if (signal.aborted) throw cause
    throw new ConnectError(cause instanceof Error ? messageOf(cause) : String(cause), { cause })
  }
  const sending = writeBody(outgoing, request.body).catch((error: unknown) => {
    failure = error instanceof Error ? error : new Error(String(error))
    outgoing.destroy(failure)
  })
  const incoming = await answer.catch((error: unknown) => { throw failure ?? error })
  const body = bodyOf(incoming, () => failure)
  const { promise: trailers, resolve } = Promise.withResolvers<ReturnType<typeof trailersOf>>()
  incoming.once('close', () => { resolve(trailersOf(incoming)) })
  // What is left of the body is of no use to a server that has answered.
  incoming.once('end', () => { if (!outgoing.writableEnded) outgoing.destroy() })
  void sending
  return {
    status: incoming.statusCode ?? 0,
    header: (name) => {
      const value = incoming.headers[name.toLowerCase()]
      return value === undefined ? null : Array.isArray(value) ? value.join(', ') : value
    },
    body,
    trailers: hasTrailers(incoming) ? trailers : undefined
  }
}

/** Happy-eyeballs failures have their reasons inside. */
const messageOf = (error: Error): string => error instanceof AggregateError ? error.errors.map((each) => each instanceof Error ? each.message : String(each)).join('; ') : error.message

export const nodeTransport = ({ endpoints, timeout = 0, checkCertificate = true, onRequest }: NodeTransportOptions): Transport => async (request) => {
  onRequest?.(request)
  const deadline = timeout === 0 ? undefined : AbortSignal.timeout(timeout)
  const signal = deadline === undefined ? request.signal : AbortSignal.any([request.signal, deadline])
  const failures: string[] = []
  for (const endpoint of endpoints) {
    try {
      return await exchange(endpoint, request, checkCertificate, signal)
    } catch (error) {
      if (deadline?.aborted === true && !request.signal.aborted) throw new TimeoutError(`no answer within ${timeout / 1000} seconds`, { cause: error })
      if (!(error instanceof ConnectError)) throw error
      failures.push(error.message)
    }
  }
  throw new ConnectError(failures.join('; '))
}
