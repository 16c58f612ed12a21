/**
 * One data channel as a connection, so that WebRTC is multiplexed by yamux like everything else. The library's own way, a data channel
 * per stream, has no way to hold a writer back while nobody reads: it ends the stream once 4 MiB are waiting.
 */
import type { AbortOptions, MultiaddrConnection } from '@libp2p/interface'
import type { SendResult } from '@libp2p/utils'
import type { Uint8ArrayList } from 'uint8arraylist'
import { AbstractMultiaddrConnection } from '@libp2p/utils'
import { systemClock } from '../component.ts'
import type { DataChannel } from './data-channel.ts'

/** Bytes waiting in the channel at which a writer waits, and at which it may go on. */
const bufferHigh = 1_048_576
const bufferLow = 262_144
/** How often a closing channel is asked whether all is sent, in ms. */
const drainInterval = 10

export class ChannelConnection extends AbstractMultiaddrConnection {
  readonly #raw: MultiaddrConnection
  readonly #channel: DataChannel

  /** `raw` is the peer connection below; it lives and ends with this one. */
  constructor (raw: MultiaddrConnection, channel: DataChannel, maxMessageSize: number) {
    super({ log: raw.log.newScope('channel'), remoteAddr: raw.remoteAddr, direction: raw.direction, maxMessageSize })
    this.#raw = raw
    this.#channel = channel
    channel.bufferedAmountLowThreshold = bufferLow
    channel.onbufferedamountlow = () => { this.onMuxerDrain() }
    channel.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.onData(new Uint8Array(data))
      else this.abort(new Error('text on a connection of bytes'))
    }
    channel.onclose = () => { this.#ended() }
    raw.addEventListener('close', () => { this.#ended() })
  }

  sendData (data: Uint8ArrayList): SendResult {
    try {
      this.#channel.send(new Uint8Array(data.subarray()))
    } catch {
      // Closed a moment ago: its event is on the way, and says so to everybody.
      queueMicrotask(() => { this.#ended() })
    }
    return { sentBytes: data.byteLength, canSendMore: this.#channel.bufferedAmount < bufferHigh }
  }

  sendReset (error: Error): void { this.#raw.abort(error) }

  async sendClose ({ signal }: AbortOptions = {}): Promise<void> {
    while (this.#channel.readyState === 'open' && this.#channel.bufferedAmount > 0) await systemClock.sleep(drainInterval, { signal })
    await this.#raw.close(signal === undefined ? {} : { signal })
  }

  /** Each stream has its window: nothing here waits longer than that. */
  sendPause (): void {}
  sendResume (): void {}

  #ended (): void {
    this.onTransportClosed()
    if (this.#raw.status === 'open') this.#raw.abort(new Error('the data channel is closed'))
  }
}
