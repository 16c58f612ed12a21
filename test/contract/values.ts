/** Peers, CIDs and a clock that tests make up: small numbers become stable values. */
import { peerIdFromMultihash } from '@libp2p/peer-id'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { identity } from 'multiformats/hashes/identity'
import type { AbortOptions, Clock } from '../../src/component.ts'
import type { Metric } from '../../src/monitor/metric.ts'
import type { PeerId } from '@libp2p/interface'

const numbered = (size: number, number: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(size)
  new DataView(bytes.buffer).setUint32(size - 4, number)
  return bytes
}

/** The peer with this number; its ID bytes order as the numbers do. */
export function testPeer (number: number): PeerId {
  const key = new Uint8Array([8, 1, 18, 32, ...numbered(32, number)])
  return peerIdFromMultihash(Digest.create(identity.code, key))
}

/** Peers 1 to `count`. */
export const testPeers = (count: number): PeerId[] => Array.from({ length: count }, (_, index) => testPeer(index + 1))

/** A raw CID with this number in its digest. */
export const testCid = (number: number): CID => CID.createV1(0x55, Digest.create(0x12, numbered(32, number)))

/** A valid metric that never expires. */
export const testMetric = (name: string, peer: PeerId, change: Partial<Metric> = {}): Metric => ({
  name, peer, value: '', expire: 2n ** 62n, valid: true, weight: 0n, partitionable: false, receivedAt: 0n, ...change
})

interface Timer { readonly at: number, readonly wake: () => void }

/** Time that moves only when told to. */
export class ManualClock implements Clock {
  #now: number
  #timers: Timer[] = []

  constructor (now = Date.UTC(2026, 10, 22)) { this.#now = now }

  now = (): number => this.#now

  /** Sleeps that have not ended. */
  get waiting (): number { return this.#timers.length }

  sleep = async (ms: number, { signal }: AbortOptions = {}): Promise<void> => {
    signal?.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer: Timer = { at: this.#now + ms, wake: resolve }
    this.#timers.push(timer)
    const onAbort = (): void => { this.#drop(timer); reject(signal?.reason as Error) }
    signal?.addEventListener('abort', onAbort, { once: true })
    try { await promise } finally { signal?.removeEventListener('abort', onAbort) }
  }

  /** Moves time forward, waking each sleeper at its moment. */
  async advance (ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      await settle()
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#drop(next)
      this.#now = Math.max(this.#now, next.at)
      next.wake()
    }
    this.#now = end
    await settle()
  }

  #drop (timer: Timer): void { this.#timers = this.#timers.filter((other) => other !== timer) }
}

/** Lets everything that is ready run. */
export async function settle (turns = 4): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await macrotask()
}

const channel = new MessageChannel()
const waiting: Array<() => void> = []
channel.port1.onmessage = () => { waiting.shift()?.() }
// In Node an open port keeps the process; in browsers there is nothing to release.
if ('unref' in channel.port1 && typeof channel.port1.unref === 'function') channel.port1.unref()

/** The next turn of the event loop, without the pause that timers have. */
async function macrotask (): Promise<void> {
  await new Promise<void>((resolve) => {
    waiting.push(resolve)
    channel.port2.postMessage(undefined)
  })
}

/** Everything an iterable yields. */
export async function collect<T> (items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}
