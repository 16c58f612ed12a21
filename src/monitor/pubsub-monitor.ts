/** Metrics over the topic `monitor.metrics` (wire.md §4, behaviour.md §3 and §8). */
import { errorText, every, silentLogger, systemClock } from '../component.ts'
import type { AbortOptions, Clock, ComponentLogger, Logger } from '../component.ts'
import { limitedLog } from '../limited-log.ts'
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

/** Longest time in ms that a metric of others counts, whatever it says: a member that is gone must not stay one. */
const longestLife = 86_400_000
const longestPing = 3_600_000
/** One line a peer in this time (ms) says that its metrics come too late, for so many peers. */
const lateInterval = 3_600_000
const maxLate = 256

/** Alerts kept; older ones go first. */
const maxAlerts = 1000

type MonitorTransport = Pick<Transport, 'peerId' | 'pubsub' | 'connectedPeers' | 'penalize'>

export interface PubsubMonitorComponents {
  readonly transport: MonitorTransport
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
  readonly #transport: MonitorTransport
  readonly #clock: Clock
  readonly #log: Logger
  /** For what members can cause. */
  readonly #told: Logger
  readonly #checkInterval: number
  readonly #store: MetricStore
  readonly #detector = new FailureDetector()
  readonly #listeners = new Set<(alert: Alert) => void>()
  /** Parsed values of pings that are asked for again and again. */
  readonly #pings = new WeakMap<Metric, { readonly value: PingValue | undefined }>()
  /** When it was last told of a peer that its metrics come too late. */
  readonly #late = new Map<string, number>()
  #alerts: readonly Alert[] = []
  #abort: AbortController | undefined
  #checking = Promise.resolve()
  #unsubscribe: (() => void) | undefined

  constructor ({ transport, clock = systemClock, logger = silentLogger }: PubsubMonitorComponents, { checkInterval = 15_000, limits }: PubsubMonitorOptions) {
    this.#transport = transport
    this.#clock = clock
    this.#log = logger.forComponent('monitor')
    this.#told = limitedLog(this.#log, clock.now)
    this.#checkInterval = checkInterval
    this.#store = new MetricStore(limits, () => transport.connectedPeers())
  }

  async start (): Promise<void> {
    if (this.#abort !== undefined) return
    this.#abort = new AbortController()
    this.#unsubscribe = this.#transport.pubsub.subscribe(metricsTopic, ({ data }) => { this.#receive(decodeMetric(data)) }, (message) => this.#isMetric(message))
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

  /** Only a peer's own metrics count: Go sends no others (wire.md §9 item 20). What is none is not passed on either. */
  #isMetric ({ from, data }: PubSubMessage): boolean {
    try {
      if (decodeMetric(data).peer.equals(from)) return true
      this.#transport.penalize(from, 'metrics in the name of others', 10)
    } catch (error) {
      this.#log.debug('metric does not decode: dropped', from.toString(), errorText(error))
      this.#transport.penalize(from, 'metrics that do not decode', 5)
    }
    return false
  }

  /** One that has expired is played again by somebody, or comes from a clock that is behind: it must not replace one that has not. */
  #receive (metric: Metric): void {
    const now = this.#clock.now()
    if (isExpired(metric, now)) {
      this.#tellLate(metric, now)
      return
    }
    const latest = BigInt(Math.trunc(now + (metric.name === 'ping' ? longestPing : longestLife))) * 1_000_000n
    this.log(metric.expire > latest ? { ...metric, expire: latest } : metric)
  }

  #tellLate ({ name, peer, expire }: Metric, now: number): void {
    const key = peer.toString()
    const told = this.#late.get(key)
    if ((told !== undefined && now - told < lateInterval) || (told === undefined && this.#late.size >= maxLate)) return
    this.#late.set(key, now)
    this.#told.warn('a metric had expired when it came: is the clock of that peer, or ours, wrong?', name, key, `${(now - Number(expire / 1_000_000n)) / 1000} s ago`)
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
    if (alerts.length > 0) this.#alerts = [...alerts.toReversed(), ...this.#alerts].slice(0, maxAlerts)
    for (const alert of alerts) {
      this.#told.info('metric expired', alert.name, alert.peer.toString())
      for (const listener of this.#listeners) {
        try { listener(alert) } catch (error) { this.#log.error('alert listener failed', errorText(error)) }
      }
    }
  }
}
