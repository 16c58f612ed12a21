/** The one stream of a page: its states, and what subscribers hear. */
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ApiEvent } from '../../../src/api/events.ts'
import type { AbortOptions } from '../../../src/component.ts'
import { LiveStream } from '../../../web/dashboard/live.ts'
import type { LiveOptions, LiveSource } from '../../../web/dashboard/live.ts'

/** A stream that the test feeds and breaks. */
class Feed {
  #push: (event: ApiEvent) => void = () => {}
  #fail: (error: Error) => void = () => {}
  opened = 0
  push (event: ApiEvent): void { this.#push(event) }
  fail (text: string): void { this.#fail(new Error(text)) }
  readonly events = (options: AbortOptions): AsyncIterable<ApiEvent> => {
    this.opened++
    const stream = new ReadableStream<ApiEvent>({
      start: (controller) => {
        this.#push = (event) => { controller.enqueue(event) }
        this.#fail = (error) => { controller.error(error) }
        options.signal?.addEventListener('abort', () => { controller.error(options.signal?.reason) })
      }
    })
    return stream as unknown as AsyncIterable<ApiEvent>
  }
}

interface Setup { readonly live: LiveStream, readonly feed: Feed, readonly waits: number[], readonly until: (state: LiveStream['state']) => Promise<void> }

function start (source: Partial<LiveSource> = {}, options: Omit<LiveOptions, 'clock'> = {}): Setup {
  const feed = new Feed()
  const waits: number[] = []
  const live = new LiveStream({ events: feed.events, probe: async () => await Promise.resolve(), ...source }, { ...options, clock: { now: () => 0, sleep: async (ms) => { waits.push(ms); await Promise.resolve() } } })
  const running = live.run()
  onTestFinished(async () => { live.stop(); await running })
  const until = async (state: LiveStream['state']): Promise<void> => {
    if (live.state === state) return
    await new Promise<void>((resolve) => { const forget = live.onState(() => { if (live.state === state) { forget(); resolve() } }) })
  }
  return { live, feed, waits, until }
}

describe('the stream of a page', () => {
  it('is live once the peer answers, and tells each subscriber what it asked for', async () => {
    const { live, feed, until } = start()
    expect(live.state).toBe('connecting')
    const heard: ApiEvent[] = []
    const { promise, resolve } = Promise.withResolvers<undefined>()
    live.subscribe(['pin:removed'], (event) => { heard.push(event); if (event.data === 'last') resolve(undefined) })
    await until('live')
    feed.push({ type: 'pin:removed', data: 'bafyone' })
    feed.push({ type: 'peer:connected', data: 'somebody' })
    feed.push({ type: 'pin:removed', data: 'last' })
    await promise
    expect(heard.map(({ data }) => data)).toEqual(['bafyone', 'last'])
  })

  it('goes offline with the reason when it breaks, comes back by itself, and says that facts were missed', async () => {
    const { live, feed, until } = start()
    await until('live')
    const dropped = new Promise<void>((resolve) => { live.subscribe(['events:dropped'], () => { resolve() }) })
    const offline = until('offline').then(() => live.failure)
    feed.fail('the cable was cut')
    expect(await offline).toBe('the cable was cut')
    await dropped
    expect(live.state).toBe('live')
    expect(live.failure).toBeUndefined()
    expect(feed.opened).toBe(2)
  })

  it('waits longer and longer for a peer that does not answer', async () => {
    let asked = 0
    const { live, waits, until } = start({ probe: async () => { if (++asked < 9) throw new Error('refused'); await Promise.resolve() } }, { retryAfter: 500 })
    await until('live')
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000])
    expect(live.failure).toBeUndefined()
  })

  it('asks again when a member leaves, and is offline when there is no other', async () => {
    let members = 1
    const probe = async ({ signal }: AbortOptions): Promise<void> => {
      if (members > 0) return
      await new Promise((_, reject) => { signal?.addEventListener('abort', () => { reject(signal.reason as Error) }) })
    }
    const { live, feed, until } = start({ probe, recheckAfter: 20 })
    await until('live')
    members = 0
    feed.push({ type: 'peer:disconnected', data: 'the last one' })
    await until('offline')
    expect(live.failure).toBe('no member is in reach')
  })
})
