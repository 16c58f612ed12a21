/**
 * One keep-alive connection that asks one thing at a time, by hand on a socket: node:http took 0.17 ms of processor a request,
 * more than a server should need for a pin, and the load shares the machine with what it measures.
 */
import { connect } from 'node:net'
import { once } from 'node:events'
import type { Socket } from 'node:net'

export interface SmallAnswer {
  readonly status: number
  /** Chunks included, where it came in chunks. */
  readonly text: string
  /** Ms from the first byte out to the last one in. */
  readonly total: number
}

interface Waiting { readonly start: number, readonly resolve: (answer: SmallAnswer) => void, readonly reject: (error: Error) => void }

export class Connection {
  readonly #socket: Socket
  readonly #host: string
  #waiting: Waiting | undefined
  #text = ''

  private constructor (socket: Socket, host: string) {
    this.#socket = socket
    this.#host = host
    socket.setNoDelay(true).setEncoding('latin1')
    socket.on('data', (text: string) => { this.#text += text; this.#answer() })
    socket.on('error', (error) => { this.#fail(error) })
    socket.on('close', () => { this.#fail(new Error(`${host} closed the connection`)) })
  }

  static async open (base: string): Promise<Connection> {
    const { hostname, port, host } = new URL(base)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    return new Connection(socket, host)
  }

  /** The answer must be a small one. */
  async ask (method: string, path: string): Promise<SmallAnswer> {
    return await new Promise((resolve, reject) => {
      if (this.#waiting !== undefined || this.#socket.destroyed) { reject(new Error('the connection is busy or closed')); return }
      this.#waiting = { start: performance.now(), resolve, reject }
      this.#socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n${method === 'GET' ? '' : 'Content-Length: 0\r\n'}\r\n`)
    })
  }

  close (): void { this.#socket.destroy() }

  #answer (): void {
    const head = this.#text.indexOf('\r\n\r\n')
    if (head < 0 || this.#waiting === undefined) return
    const headers = this.#text.slice(0, head).toLowerCase()
    const body = this.#text.slice(head + 4)
    const length = /\r\ncontent-length: *(\d+)/.exec(headers)?.[1]
    const chunked = headers.includes('\r\ntransfer-encoding: chunked')
    if (chunked ? !body.endsWith('0\r\n\r\n') : body.length < Number(length ?? 0)) return
    const { start, resolve } = this.#waiting
    this.#waiting = undefined
    this.#text = ''
    resolve({ status: Number(headers.slice(9, 12)), text: body, total: performance.now() - start })
  }

  #fail (error: Error): void {
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }
}

/** Runs `body` on so many connections at once; closes them all. */
export async function onConnections (base: string, count: number, body: (connection: Connection) => Promise<void>): Promise<void> {
  const connections = await Promise.all(Array.from({ length: count }, async () => await Connection.open(base)))
  try { await Promise.all(connections.map(body)) } finally { for (const connection of connections) connection.close() }
}
