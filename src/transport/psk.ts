/** Guards a swarm by a shared secret, on the wire the same as go-libp2p's private network (wire.md §1.1). */
import type { AbortOptions, ConnectionProtector, MultiaddrConnection } from '@libp2p/interface'
import type { SendResult } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Uint8ArrayList } from 'uint8arraylist'
import { AbstractMultiaddrConnection, byteStream } from '@libp2p/utils'
import { DifferentSecretError } from './errors.ts'
import { KeyStream } from './key-stream.ts'

export interface ProtectorOptions {
  /** 32 bytes that every member knows. */
  readonly secret: Uint8Array
  /** Time in ms for the exchange of nonces. @default 5000 */
  readonly timeout?: number | undefined
  /** Told when a remote turns out to use another secret. */
  readonly onDifferentSecret?: ((remote: Multiaddr, direction: 'inbound' | 'outbound') => void) | undefined
}

export type ProtectorFactory = (options: ProtectorOptions) => () => ConnectionProtector

const nonceLength = 24
/** Most bytes per write: one write is one WebSocket message, and receivers refuse huge ones. */
const frameSize = 65_536
/** For closing a refused connection in order, in ms. */
const farewellTime = 1000
/** Every connection opens with the header of multistream-select. */
const opening = new TextEncoder().encode('\u0013/multistream/1.0.0\n')

/** Our own protector; why not the library's: protector.ts. */
export const pskProtector: ProtectorFactory = ({ secret, timeout = 5000, onDifferentSecret }) => {
  return (): ConnectionProtector => ({
    protect: async (connection: MultiaddrConnection, options?: AbortOptions) => {
      const deadline = AbortSignal.timeout(timeout)
      const signal = options?.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline])
      const nonce = crypto.getRandomValues(new Uint8Array(nonceLength))
      const bytes = byteStream(connection)
      const [remoteNonce] = await Promise.all([bytes.read({ bytes: nonceLength, signal }), bytes.write(nonce, { signal })])
      return new ProtectedConnection(bytes.unwrap(), new KeyStream(secret, nonce), new KeyStream(secret, remoteNonce.subarray()), onDifferentSecret)
    }
  })
}

class ProtectedConnection extends AbstractMultiaddrConnection {
  readonly #raw: MultiaddrConnection
  readonly #outgoing: KeyStream
  readonly #incoming: KeyStream
  readonly #onDifferentSecret: ProtectorOptions['onDifferentSecret']
  /** Bytes of the opening that have arrived. */
  #opened = 0

  constructor (raw: MultiaddrConnection, outgoing: KeyStream, incoming: KeyStream, onDifferentSecret: ProtectorOptions['onDifferentSecret']) {
    super({ log: raw.log.newScope('psk'), remoteAddr: raw.remoteAddr, direction: raw.direction, maxMessageSize: frameSize })
    this.#raw = raw
    this.#outgoing = outgoing
    this.#incoming = incoming
    this.#onDifferentSecret = onDifferentSecret
    raw.addEventListener('message', ({ data }) => {
      for (const part of data instanceof Uint8Array ? [data] : data) this.#receive(part)
    })
    raw.addEventListener('drain', () => { this.onMuxerDrain() })
    raw.addEventListener('close', (event) => {
      if (event.error === undefined) this.onTransportClosed()
      else if (event.local === true) this.abort(event.error)
      else this.onRemoteReset()
    })
  }

  sendData (data: Uint8ArrayList): SendResult {
    return { sentBytes: data.byteLength, canSendMore: this.#raw.send(this.#outgoing.xor(data.subarray())) }
  }

  sendReset (error: Error): void {
    this.#raw.abort(error)
    // A WebSocket refuses the close code its connection resets with, and would stay open.
    if (this.#raw instanceof AbstractMultiaddrConnection) this.#raw.sendClose({ signal: AbortSignal.timeout(1000) }).catch(() => {})
  }

  async sendClose (options?: AbortOptions): Promise<void> { await this.#raw.close(options) }

  sendPause (): void { if (this.#raw.status === 'open') this.#raw.pause() }

  sendResume (): void { if (this.#raw.status === 'open') this.#raw.resume() }

  #receive (bytes: Uint8Array): void {
    for (let start = 0; start < bytes.byteLength && this.readStatus !== 'closed'; start += frameSize) {
      const plain = this.#incoming.xor(bytes.subarray(start, start + frameSize))
      if (!this.#checkOpening(plain)) return
      this.onData(plain)
    }
  }

  /** Another secret turns the opening into noise: it is told apart at once instead of by some later timeout. */
  #checkOpening (plain: Uint8Array): boolean {
    for (let index = 0; index < plain.byteLength && this.#opened < opening.byteLength; index++) {
      if (plain[index] !== opening[this.#opened++]) {
        this.#refuse()
        return false
      }
    }
    return true
  }

  /** A dialler that was told nothing but a reset could not know why: it gets our opening first, which it cannot read either. */
  #refuse (): void {
    const error = new DifferentSecretError()
    this.#onDifferentSecret?.(this.#raw.remoteAddr, this.#raw.direction)
    if (this.#raw.direction === 'outbound' || this.#raw.status !== 'open') {
      this.abort(error)
      return
    }
    this.#raw.send(this.#outgoing.xor(opening))
    this.#raw.close({ signal: AbortSignal.timeout(farewellTime) }).then(() => { this.abort(error) }, () => { this.abort(error) })
  }
}
