/** Metrics over the topic `monitor.metrics` (wire.md §4, behaviour.md §3 and §8). */
import { errorText, every, silentLogger, systemClock } from '../component.ts'
import type { AbortOptions, Clock, ComponentLogger, Logger } from '../component.ts'
import { FailureDetector } from './failure-detector.ts'
import { decodeMetric, encodeMetric } from './metric-codec.ts'
import { isExpired, MetricStore } from './metric-store.ts'
import type { MetricLimits } from './metric-store.ts'
import { decodePingValue } from './ping-value.ts'
import type { Alert, Metric, PingValue } from './metric.ts'
import type { Monitor } from './monitor.ts'
import type { PubSubMessage, Transport } from '../transport/transport.ts'
import type { PeerId } from '@libp2p/interface'

/** The topic every member publishes its metrics on. */
export const metricsTopic = 'monitor.metrics'

/** Alerts kept; older ones go first. */
const maxAlerts = 1000

export interface PubsubMonitorComponents {
  readonly transport: Pick<Transport, 'peerId' | 'pubsub'>
  readonly clock?: Clock | undefined
  readonly logger?: ComponentLogger | undefined
}

/** Options of the monitor; `monitor.pubsubmon` in the configuration. */
export interface PubsubMonitorOptions {
  /** Ms between looks for expired metrics. @default 15_000 */
  readonly checkInterval?: number | undefined
  readonly limits?: Partial<MetricLimits> | undefined
}

/** A monitor that shares metrics by broadcast. */
export const pubsubMonitor = (components: PubsubMonitorComponents, options: PubsubMonitorOptions = {}): Monitor => new PubsubMonitor(components, options)

class PubsubMonitor implements Monitor {
  readonly #transport: Pick<Transport, 'peerId' | 'pubsub'>
  readonly #clock: Clock
  readonly #log: Logger
  readonly #checkInterval: number
  readonly #store: MetricStore
  readonly #detector = new FailureDetector()
  readonly #listeners = new Set<(alert: Alert) => void>()
  /** Parsed values of pings that are asked for again and again. */
  readonly #pings = new WeakMap<Metric, { readonly value: PingValue | undefined }>()
  #alerts: readonly Alert[] = []
  #abort: AbortController | undefined
  #checking = Promise.resolve()
  #unsubscribe: (() => void) | undefined

  constructor ({ transport, clock = systemClock, logger = silentLogger }: PubsubMonitorComponents, { checkInterval = 15_000, limits }: PubsubMonitorOptions) {
    this.#transport = transport
    this.#clock = clock
    this.#log = logger.forComponent('monitor')
    this.#checkInterval = checkInterval
    this.#store = new MetricStore(limits)
  }

  async start (): Promise<void> {
    if (this.#abort !== undefined) return
    this.#abort = new AbortController()
    this.#unsubscribe = this.#transport.pubsub.subscribe(metricsTopic, (message) => { this.#receive(message) })
    const onError = (error: unknown): void => { this.#log.error('looking for expired metrics failed', errorText(error)) }
    this.#checking = every(this.#clock, this.#checkInterval, () => { this.#check() }, { signal: this.#abort.signal, onError })
  }

  async stop (): Promise<void> {
    this.#abort?.abort()
    this.#abort = undefined
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    await this.#checking
  }

  async publish (metric: Metric, _options?: AbortOptions): Promise<void> {
    if (!metric.valid || isExpired(metric, this.#clock.now())) {
      this.#log.warn('metric is not valid: not published', metric.name)
      return
    }
    this.log(metric)
    await this.#transport.pubsub.publish(metricsTopic, encodeMetric({ ...metric, receivedAt: 0n }))
  }

  log (metric: Metric): void {
    const now = this.#clock.now()
    const stamped = { ...metric, receivedAt: BigInt(Math.trunc(now)) * 1_000_000n }
    if (!this.#store.add(stamped, now)) this.#log.debug('metric breaks a limit: dropped', metric.name.slice(0, 64), metric.peer.toString())
  }

  latestValid (name: string): readonly Metric[] { return this.#store.latestValid(name, this.#clock.now()) }

  latestPing (peer: PeerId): PingValue | undefined {
    const metric = this.#store.latest('ping', peer)
    if (metric === undefined) return undefined
    const known = this.#pings.get(metric) ?? { value: this.#parsePing(metric) }
    this.#pings.set(metric, known)
    return known.value
  }

  metricNames (): readonly string[] { return this.#store.names() }

  alerts (): readonly Alert[] { return this.#alerts }

  onAlert (listener: (alert: Alert) => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  /** Only a peer's own metrics count: Go sends no others (wire.md §9 item 20). */
  #receive ({ from, data }: PubSubMessage): void {
    let metric: Metric
    try {
      metric = decodeMetric(data)
    } catch (error) {
      this.#log.debug('metric does not decode: dropped', from.toString(), errorText(error))
      return
    }
    if (metric.peer.equals(from)) this.log(metric)
    else this.#log.debug('metric of another peer than its signer: dropped', from.toString())
  }

  #parsePing (metric: Metric): PingValue | undefined {
    try {
      return decodePingValue(metric.value)
    } catch (error) {
      this.#log.debug('ping does not parse', metric.peer.toString(), errorText(error))
      return undefined
    }
  }

  #check (): void {
    const alerts = this.#detector.check(this.#store.newest(), this.#clock.now())
    for (const alert of alerts) {
      this.#alerts = [alert, ...this.#alerts.slice(0, maxAlerts - 1)]
      this.#log.info('metric expired', alert.name, alert.peer.toString())
      for (const listener of this.#listeners) {
        try { listener(alert) } catch (error) { this.#log.error('alert listener failed', errorText(error)) }
      }
    }
  }
}
