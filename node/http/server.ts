/** The API on Node's HTTP server: one or many addresses, HTTP/1.1, trailers, full duplex. */
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { errorText } from '../../src/component.ts'
import { accessLine } from './access-log.ts'
import { addressOf, listen, listenOptions } from './listen.ts'
import { apiRequest, send } from './request.ts'
import type { Api } from '../../src/api/api.ts'
import type { ComponentLogger, Logger, Startable } from '../../src/component.ts'
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'

export interface HttpServerOptions {
  /** Multiaddrs to listen on: `/ip4/…/tcp/…`, `/ip6/…`, `/dns4/…`, `/unix/<path>`. */
  readonly listen: readonly string[]
  /** Configuration key that errors about addresses name. @default 'api.restapi.http_listen_multiaddress' */
  readonly listenKey?: string | undefined
  /** For a whole request, in ms; 0 = none. @default 0 */
  readonly readTimeout?: number | undefined
  /** For the headers of a request, in ms; 0 = none. @default 5000 */
  readonly readHeaderTimeout?: number | undefined
  /** From the end of the headers to the end of the answer, in ms; 0 = none. @default 0 */
  readonly writeTimeout?: number | undefined
  /** How long a connection may wait for its next request, in ms; 0 = for ever. @default 120_000 */
  readonly idleTimeout?: number | undefined
  /** Longest headers with the request line; 4096 more are let through, as in Go. @default 4096 */
  readonly maxHeaderBytes?: number | undefined
  /** PEM texts; with them the server speaks HTTPS. @default none */
  readonly tls?: { readonly cert: string, readonly key: string } | undefined
  /** How long `stop` waits for running requests before it cancels them, in ms. @default 5000 */
  readonly stopTimeout?: number | undefined
  /** Takes each line of the access log (Common Log Format). @default the logger, at info */
  readonly accessLog?: ((line: string) => void) | undefined
}

export interface HttpServer extends Startable {
  /** Multiaddrs where it listens; with the real port where 0 was asked for. */
  readonly addresses: () => readonly string[]
}

/** What an upload may still send after its answer is out, so that the client gets to read it. */
const maxDrain = 16 * 2 ** 20
const maxDrainTime = 5000

/** Reads on for a while when the answer is there before the end of the upload: closing at once would lose the answer. */
async function restOfUpload (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { promise: enough, resolve } = Promise.withResolvers<void>()
  let read = 0
  incoming.on('data', (data: Uint8Array) => { if ((read += data.length) > maxDrain) resolve() })
  incoming.once('end', resolve)
  incoming.once('close', resolve)
  outgoing.once('close', resolve)
  // Whoever read it may have left in the middle of a read.
  incoming.removeAllListeners('readable')
  incoming.resume()
  const timer = setTimeout(resolve, maxDrainTime)
  await enough
  clearTimeout(timer)
  if (!incoming.complete) outgoing.once('finish', () => { incoming.socket.destroySoon() })
}

class ApiHttpServer implements HttpServer {
  readonly #api: Api
  readonly #log: Logger
  readonly #options: HttpServerOptions
  readonly #accessLog: (line: string) => void
  readonly #servers: Server[] = []
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()

  constructor (components: { readonly api: Api, readonly logger: ComponentLogger }, options: HttpServerOptions) {
    this.#api = components.api
    this.#log = components.logger.forComponent('restapi')
    this.#options = options
    const log = components.logger.forComponent('restapilog')
    this.#accessLog = options.accessLog ?? ((line) => { log.info(line) })
  }

  addresses (): readonly string[] { return this.#servers.flatMap((server) => addressOf(server) ?? []) }

  async start (): Promise<void> {
    const key = this.#options.listenKey ?? 'api.restapi.http_listen_multiaddress'
    try {
      for (const address of this.#options.listen) {
        const server = this.#create()
        await listen(server, await listenOptions(address, key), key)
        server.on('error', (error) => { this.#log.error('HTTP server on %s: %s', address, errorText(error)) })
        this.#servers.push(server)
      }
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  #create (): Server {
    const { maxHeaderBytes = 4096, readTimeout = 0, readHeaderTimeout = 5000, idleTimeout = 120_000, tls } = this.#options
    const options: ServerOptions = {
      maxHeaderSize: maxHeaderBytes + 4096, requestTimeout: readTimeout, headersTimeout: readHeaderTimeout, keepAliveTimeout: idleTimeout,
      connectionsCheckingInterval: 1000, noDelay: true, insecureHTTPParser: false
    }
    const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
      const exchange = this.#exchange(incoming, outgoing)
      this.#running.add(exchange)
      void exchange.finally(() => { this.#running.delete(exchange) })
    }
    // Only NIST curves are common ground with the reference's client.
    return tls === undefined ? createServer(options, onRequest) : createTlsServer({ ...options, ...tls, minVersion: 'TLSv1.2', ecdhCurve: 'P-521:P-384:P-256', ALPNProtocols: ['http/1.1'] }, onRequest)
  }

  /** Never rejects. */
  async #exchange (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const gone = new AbortController()
    const remote = incoming.socket.remoteAddress ?? '@'
    const onStop = (): void => { gone.abort(this.#stopping.signal.reason) }
    this.#stopping.signal.addEventListener('abort', onStop)
    const deadline = this.#options.writeTimeout === undefined || this.#options.writeTimeout === 0 ? undefined : setTimeout(() => { outgoing.destroy() }, this.#options.writeTimeout)
    const closed = new Promise<void>((resolve) => {
      outgoing.once('close', () => {
        if (!outgoing.writableFinished) gone.abort(new Error('the client is gone'))
        resolve()
      })
    })
    outgoing.on('error', (error) => { this.#log.debug('answering %s %s: %s', incoming.method, incoming.url, error.message) })
    incoming.on('error', () => {})
    let length = 0
    try {
      const answer = await this.#api.fetch(apiRequest(incoming, gone.signal))
      length = await send(outgoing, answer, async () => { if (!incoming.complete) await restOfUpload(incoming, outgoing) })
    } catch (error) {
      if (!gone.signal.aborted) this.#log.warn('answering %s %s: %s', incoming.method, incoming.url, errorText(error))
      outgoing.destroy()
    }
    await closed
    clearTimeout(deadline)
    this.#stopping.signal.removeEventListener('abort', onStop)
    this.#accessLog(accessLine(incoming, outgoing, length, Date.now(), remote))
  }

  async stop (): Promise<void> {
    this.#api.close()
    const servers = this.#servers.splice(0)
    const closed = servers.map(async (server) => {
      await new Promise<void>((resolve) => {
        server.close(() => { resolve() })
        server.closeIdleConnections()
      })
    })
    const timer = setTimeout(() => {
      this.#stopping.abort(new Error('the API is stopping'))
      for (const server of servers) server.closeAllConnections()
    }, this.#options.stopTimeout ?? 5000)
    await Promise.all(this.#running)
    // Only idle connections are left.
    for (const server of servers) server.closeAllConnections()
    await Promise.all(closed)
    clearTimeout(timer)
  }
}

export const createHttpServer = (components: { readonly api: Api, readonly logger: ComponentLogger }, options: HttpServerOptions): HttpServer => new ApiHttpServer(components, options)
