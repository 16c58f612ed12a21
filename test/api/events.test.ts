/** `GET /events`: written, read, cut in any way, too slow to read, unknown types; and the states beside them. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createApi } from '../../src/api/api.ts'
import { ClusterClient, localTransport } from '../../src/api/client.ts'
import type { ApiEvent } from '../../src/api/client.ts'
import { encodeComment, encodeSentEvent, sentEvents } from '../../src/api/sent-events.ts'
import { ManualClock } from '../contract/values.ts'
import { alpha, beta, MemoryCluster } from './memory-cluster.ts'
import { CID } from 'multiformats/cid'

const cid = CID.parse('bafkreibpmsjuqdvcgjat6job2dyepgswvawrnlda6vlolommnivog6v5ky')
const info = { cid, name: 'n', allocations: [beta], origins: [], created: 1_700_000_000_000, metadata: { a: 'b' }, peer: alpha, peerName: 'alpha', ipfsAddresses: [], status: 'pin_error', timestamp: 1_700_000_001_000, error: 'no room', attemptCount: 2, priorityPin: false } as const

function start (): { readonly cluster: MemoryCluster, readonly client: ClusterClient } {
  const cluster = new MemoryCluster()
  return { cluster, client: new ClusterClient({ url: 'http://x', transport: localTransport(createApi(cluster)) }) }
}

/** The next events, after the listeners are there. */
async function take (client: ClusterClient, cluster: MemoryCluster, emit: () => void, count: number, types?: ReadonlyArray<ApiEvent['type']>): Promise<ApiEvent[]> {
  const events: ApiEvent[] = []
  const reading = (async () => {
    for await (const event of client.events({ types })) {
      events.push(event)
      if (events.length === count) return
    }
  })()
  while (cluster.listeners === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  emit()
  await reading
  return events
}

describe('events', () => {
  it('brings every kind, as it was', async () => {
    const { cluster, client } = start()
    const pin = await cluster.pin(cid, { name: 'photo' })
    const sync = cluster.sync()
    const events = await take(client, cluster, () => {
      cluster.emitter.emit('pin:added', pin)
      cluster.emitter.emit('pin:removed', cid)
      cluster.emitter.emit('status:changed', info)
      cluster.emitter.emit('pin:progressed', { cid, blocks: 3, bytes: 700, totalBytes: 1000 })
      cluster.emitter.emit('peer:connected', beta)
      cluster.emitter.emit('alert:raised', cluster.alert())
      cluster.emitter.emit('sync:progressed', sync)
    }, 7)
    expect(events.map(({ type }) => type)).toEqual(['pin:added', 'pin:removed', 'status:changed', 'pin:progressed', 'peer:connected', 'alert:raised', 'sync:progressed'])
    expect(events[0]?.data).toMatchObject({ name: 'photo' })
    expect(events[1]?.data).toBe(cid.toString())
    expect(events[2]?.data).toMatchObject({ status: 'pin_error', error: 'no room', peerName: 'alpha', name: 'n', attemptCount: 2 })
    expect(events[3]?.data).toMatchObject({ blocks: 3, bytes: 700, totalBytes: 1000 })
    expect(events[4]?.data).toBe(beta.toString())
    expect(events[6]?.data).toEqual(sync)
  })

  it('brings only what was asked for, and forgets who has left', async () => {
    const { cluster, client } = start()
    const events = await take(client, cluster, () => {
      cluster.emitter.emit('peer:connected', beta)
      cluster.emitter.emit('pin:removed', cid)
    }, 1, ['pin:removed'])
    expect(events).toEqual([{ type: 'pin:removed', data: cid.toString() }])
    await expect.poll(() => cluster.listeners).toBe(0)
  })

  it('tells a slow reader how much it missed, and keeps no more than that', async () => {
    const { cluster, client } = start()
    const events = await take(client, cluster, () => { for (let i = 0; i < 10_005; i++) cluster.emitter.emit('pin:removed', cid) }, 6)
    expect(events[0]).toEqual({ type: 'events:dropped', data: 10_000 })
    expect(events.slice(1).every(({ type }) => type === 'pin:removed')).toBe(true)
  })

  it('refuses a type that is none', async () => {
    const { client } = start()
    const reading = (async () => { for await (const event of client.events({ types: ['pin:eaten' as 'pin:added'] })) throw new Error(event.type) })()
    await expect(reading).rejects.toThrow(/pin:eaten.*pin:added/)
  })

  it('tells sync and storage', async () => {
    const { cluster, client } = start()
    expect(await client.sync()).toEqual(cluster.sync())
    expect(await client.storage()).toEqual(await cluster.storage())
  })

  it('shows every 15 seconds that it is still there, and ends when the API is closed', async () => {
    const cluster = new MemoryCluster()
    const clock = new ManualClock()
    const api = createApi(cluster, { clock })
    const { body, headers } = await api.fetch({ method: 'GET', url: 'http://x/events', headers: new Headers(), body: null, signal: new AbortController().signal })
    expect(new Map(headers).get('Content-Type')).toBe('text/event-stream')
    if (typeof body !== 'object' || body instanceof Uint8Array) throw new Error('not a stream')
    const chunks = body[Symbol.asyncIterator]()
    const next = async (): Promise<string | undefined> => { const { done, value } = await chunks.next(); return done === true ? undefined : new TextDecoder().decode(value as Uint8Array) }
    expect(await next()).toMatch(/^: /)
    for (let count = 0; count < 3; count++) {
      const beat = next()
      await clock.advance(15_000)
      expect(await beat).toBe(': still here\n\n')
    }
    const last = next()
    api.close()
    expect(await last).toBeUndefined()
    expect(cluster.listeners).toBe(0)
  })

  it('ends when the client leaves', async () => {
    const { cluster, client } = start()
    const leave = new AbortController()
    const reading = (async () => { for await (const event of client.events({ signal: leave.signal })) throw new Error(event.type) })()
    while (cluster.listeners === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    leave.abort(new Error('left'))
    await expect(reading).rejects.toThrow('left')
    await expect.poll(() => cluster.listeners).toBe(0)
  })
})

describe('server-sent events', () => {
  it('are read as they were written, however they are cut', async () => {
    const event = fc.record({ type: fc.stringMatching(/^[a-z:]{1,12}$/), data: fc.string().filter((text) => !/[\r\n]/.test(text)) })
    await fc.assert(fc.asyncProperty(fc.array(event, { maxLength: 8 }), fc.integer({ min: 1, max: 9 }), async (events, step) => {
      const parts = events.flatMap((each) => [encodeComment('x'), encodeSentEvent(each)])
      const whole = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer())
      const cut = async function * (): AsyncGenerator<Uint8Array> { for (let at = 0; at < whole.length; at += step) yield whole.subarray(at, at + step) }
      const read = []
      for await (const each of sentEvents(cut())) read.push(each)
      expect(read).toEqual(events)
    }))
  })

  it('never break on other bytes', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 200 })), async (chunks) => {
      for await (const { data } of sentEvents((async function * () { yield * chunks })())) expect(typeof data).toBe('string')
    }))
  })

  it('end with an error where one event does not end', async () => {
    const endless = (async function * () { for (let i = 0; i < 20; i++) yield new Uint8Array(2 ** 20).fill(97) })()
    await expect((async () => { for await (const each of sentEvents(endless)) throw new Error(each.type) })()).rejects.toThrow('too long')
  })
})
