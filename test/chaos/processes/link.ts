/** The only way from one peer to another: a TCP proxy that can be cut, slow, narrow, or dead without a word. */
import { createServer, connect } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { once } from 'node:events'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** `cut`: connections end and none is taken. `silent`: nothing passes, and nobody is told. */
export type LinkState = 'open' | 'cut' | 'silent'

export class Link {
  /** Ms that bytes take more, each way. */
  delay = 0
  /** Bytes a second, each way. */
  bandwidth = Infinity
  readonly #target: () => number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #state: LinkState = 'open'
  #opened = Promise.withResolvers<void>()

  private constructor (target: () => number) {
    this.#target = target
    this.#server = createServer((socket) => { this.#accept(socket) })
  }

  /** `target`: the port that it leads to. */
  static async open (target: () => number): Promise<Link> {
    const link = new Link(target)
    link.#server.listen(0, '127.0.0.1')
    await once(link.#server, 'listening')
    return link
  }

  get port (): number { return (this.#server.address() as AddressInfo).port }
  get state (): LinkState { return this.#state }

  set state (state: LinkState) {
    if (state === this.#state) return
    this.#state = state
    if (state === 'cut') for (const socket of this.#sockets) socket.destroy()
    if (state === 'silent') this.#opened = Promise.withResolvers<void>()
    else this.#opened.resolve()
  }

  async close (): Promise<void> {
    this.state = 'cut'
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept (near: Socket): void {
    if (this.#state === 'cut') {
      near.destroy()
      return
    }
    const far = connect(this.#target(), '127.0.0.1')
    for (const socket of [near, far]) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => { this.#sockets.delete(socket) })
    }
    for (const [from, to] of [[near, far], [far, near]] as const) {
      pipeline(from, this.#weather(), to).catch(() => { from.destroy(); to.destroy() })
    }
  }

  #weather (): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        void this.#pass(chunk.length).finally(() => { done(null, chunk) })
      }
    })
  }

  async #pass (bytes: number): Promise<void> {
    if (this.#state === 'silent') await this.#opened.promise
    const wait = this.delay + 1000 * bytes / this.bandwidth
    if (wait > 0) await new Promise((resolve) => { setTimeout(resolve, wait) })
  }
}
