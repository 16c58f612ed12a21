/** What this peer publishes of itself: its ping and its informers' metrics (wire.md §4). */
import { errorText } from '../component.ts'
import type { AbortOptions } from '../component.ts'
import type { Informer } from '../informer/informer.ts'
import type { Metric, PingValue } from '../monitor/metric.ts'
import { encodePingValue } from '../monitor/ping-value.ts'
import { isAnnounced } from './announced.ts'
import type { PeerContext } from './components.ts'
import type { PeerId } from '@libp2p/interface'

/** Ms between runs of an informer whose metrics name no time to live. */
const defaultInformerInterval = 30_000
/** Ms that our IPFS has to tell who it is, before its last answer is repeated. */
const ipfsIdTimeout = 5_000

type Parts = Pick<PeerContext, 'self' | 'options' | 'connector' | 'monitor' | 'clock' | 'log'>

/** Publishes, and remembers what was last published of the IPFS. */
export class MetricsPublisher {
  readonly #parts: Parts
  #identity: PingValue
  #ipfsAnswers = false

  constructor (parts: Parts) {
    this.#parts = parts
    this.#identity = { ...this.#self(), ipfsAddresses: [] }
  }

  /** The value of our pings; the last good answer of the IPFS when it is down. */
  get identity (): PingValue { return this.#identity }

  /** Whether the IPFS told who it is when it was last asked. */
  get ipfsAnswers (): boolean { return this.#ipfsAnswers }

  /** Asks the IPFS who it is, and remembers it. Rejects when it does not answer. */
  async refreshIdentity (options: AbortOptions = {}): Promise<void> {
    const signals = [AbortSignal.timeout(ipfsIdTimeout), ...options.signal === undefined ? [] : [options.signal]]
    try {
      const { id, addresses, error } = await this.#parts.connector.id({ signal: AbortSignal.any(signals) })
      if (error !== '') throw new Error(error)
      this.#identity = { ...this.#self(), ipfsId: id, ipfsAddresses: addresses.filter(isAnnounced) }
      this.#ipfsAnswers = true
    } catch (error) {
      this.#ipfsAnswers = false
      throw error
    }
  }

  async publishPing (options: AbortOptions = {}): Promise<void> {
    await this.refreshIdentity(options).catch((error: unknown) => { this.#parts.log.debug('IPFS does not tell its ID', errorText(error)) })
    options.signal?.throwIfAborted()
    await this.#parts.monitor.publish(this.#ping(this.#parts.self, encodePingValue(this.#identity)), options)
  }

  /** Counts a peer as a member at once, until its own ping comes. */
  logFakePing (peer: PeerId): void {
    if (this.#parts.monitor.latestValid('ping').some((metric) => metric.peer.equals(peer))) return
    this.#parts.monitor.log(this.#ping(peer, ''))
  }

  async publishInformer (informer: Informer, options: AbortOptions = {}): Promise<void> {
    const expire = this.#deadline(informer.metricTtl)
    for (const { name, value, weight, partitionable, valid } of await informer.metrics(options)) {
      if (valid) await this.#parts.monitor.publish({ name, value, weight, partitionable, valid, peer: this.#parts.self, expire, receivedAt: 0n }, options)
      else this.#parts.log.warn('metric is not valid: not published', name)
    }
  }

  /** Every informer once; a failing one does not stop the others. */
  async publishInformers (informers: readonly Informer[], options: AbortOptions = {}): Promise<void> {
    await Promise.all(informers.map(async (informer) => {
      try { await this.publishInformer(informer, options) } catch (error) { this.#parts.log.warn(`informer ${informer.name} failed:`, errorText(error)) }
    }))
  }

  /** Publishes now and again until the signal fires: every half of its time to live, sooner after a failure. */
  async runInformer (informer: Informer, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts
    const ttl = informer.metricTtl > 0 ? informer.metricTtl : defaultInformerInterval
    const stopped = (): boolean => signal.aborted
    while (!stopped()) {
      let wait = ttl / 2
      try {
        await this.publishInformer(informer, { signal })
      } catch (error) {
        if (stopped()) return
        log.warn(`informer ${informer.name} failed:`, errorText(error))
        wait = ttl / 4
      }
      try { await clock.sleep(wait, { signal }) } catch { return }
    }
  }

  #self (): Pick<PingValue, 'peerName' | 'light'> {
    const { peername, lightPeer } = this.#parts.options
    return { peerName: peername, ...lightPeer === undefined ? {} : { light: true } }
  }

  #ping (peer: PeerId, value: string): Metric {
    return { name: 'ping', peer, value, expire: this.#deadline(2 * this.#parts.options.monitorPingInterval), valid: true, weight: 0n, partitionable: false, receivedAt: 0n }
  }

  #deadline (ttl: number): bigint { return BigInt(Math.trunc(this.#parts.clock.now() + Math.max(ttl, this.#parts.options.leastMetricTtl()))) * 1_000_000n }
}
