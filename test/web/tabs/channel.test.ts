/** Calls between tabs over a real BroadcastChannel and real Web Locks. */
import type { Api } from '../../../src/api/api.ts'
import type { ClientRequest } from '../../../src/api/client/transport.ts'
import { ApiResponse } from '../../../src/api/response.ts'
import type { ApiRequest } from '../../../src/api/response.ts'
import { LeaderGoneError } from '../../../web/errors.ts'
import { tabChannel } from '../../../web/tabs/channel.ts'
import type { TabChannel } from '../../../web/tabs/channel.ts'
import { tabClient } from '../../../web/tabs/client.ts'
import type { TabClient } from '../../../web/tabs/client.ts'
import { elect } from '../../../web/tabs/election.ts'
import { maxChunk, window } from '../../../web/tabs/messages.ts'
import { serveTabs } from '../../../web/tabs/server.ts'
import { expect, it, onTestFinished, vi } from 'vitest'

const apiOf = (fetch: Api['fetch']): Api => ({ fetch, close: () => {} })
const newName = (): string => `test-tabs-${crypto.randomUUID()}`

function open (name: string): TabChannel {
  const channel = tabChannel(name)
  onTestFinished(() => { channel.close() })
  return channel
}

function client (name: string): TabClient {
  const tab = tabClient(open(name))
  onTestFinished(() => { tab.close() })
  return tab
}

function serve (name: string, fetch: Api['fetch'], leader = crypto.randomUUID()): () => void {
  const stop = serveTabs(open(name), apiOf(fetch), { leader, cluster: 'one' })
  onTestFinished(stop)
  return stop
}

const call = (part: Partial<ClientRequest> = {}): ClientRequest => ({ method: 'GET', url: 'http://tab.invalid/x', headers: {}, signal: new AbortController().signal, ...part })

async function textOf (body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array<ArrayBuffer>[] = []
  for await (const part of body) parts.push(new Uint8Array(part))
  return await new Blob(parts).text()
}

const echo = async (request: ApiRequest): Promise<ApiResponse> => new ApiResponse({
  status: 202, headers: [['Content-Type', 'text/plain']], trailers: Promise.resolve([['X-Stream-Error', 'none']]),
  body: `${request.method} ${request.url} ${request.headers.get('X-One') ?? ''} ${request.body === null ? '-' : await textOf(request.body)}`
})

it('carries calls there and answers back: status, headers, body, trailers; many at once', async () => {
  const name = newName()
  serve(name, echo)
  const { transport } = client(name)
  const answers = await Promise.all(Array.from({ length: 50 }, async (_, index) => {
    const answer = await transport(call({ method: 'POST', headers: { 'X-One': `h${index}` }, body: index % 2 === 0 ? `b${index}` : new Blob([`b${index}`]) }))
    return [answer.status, answer.header('content-type'), await textOf(answer.body), await answer.trailers]
  }))
  expect(answers).toEqual(answers.map((_, index) => [202, 'text/plain', `POST http://tab.invalid/x h${index} b${index}`, [['X-Stream-Error', 'none']]]))
})

it('carries streamed request bodies and large answers whole', async () => {
  const name = newName()
  serve(name, async ({ body }) => new ApiResponse({ status: 200, body: body ?? '' }))
  const { transport } = client(name)
  const sent = Array.from({ length: 40 }, (_, index) => new Uint8Array(maxChunk + 1000).fill(index))
  const { body } = await transport(call({ method: 'POST', body: (async function * () { yield * sent })() }))
  let read = 0
  for await (const part of body) for (const byte of part) if (byte !== Math.floor(read++ / (maxChunk + 1000))) throw new Error(`wrong byte at ${read}`)
  expect(read).toBe(40 * (maxChunk + 1000))
})

it('does not send more than the reader has room for', async () => {
  const name = newName()
  let made = 0
  serve(name, async () => new ApiResponse({ status: 200, body: (async function * () { while (true) { made++; yield new Uint8Array(10) } })() }))
  const { transport } = client(name)
  const { body } = await transport(call())
  await expect.poll(() => made).toBe(window + 1)
  const reader = body[Symbol.asyncIterator]()
  for (let read = 0; read < 100; read++) await reader.next()
  await expect.poll(() => made).toBeGreaterThan(100)
  expect(made).toBeLessThanOrEqual(100 + window + 1)
  await reader.return?.()
})

it('ends the work when the caller gives up, reads no further, or its tab is gone', async () => {
  const name = newName()
  const ended = vi.fn<(url: string) => void>()
  serve(name, async ({ url, signal }) => {
    signal.addEventListener('abort', () => { ended(url) })
    return new ApiResponse({ status: 200, body: (async function * () { while (!signal.aborted) { yield new Uint8Array(1); await new Promise((later) => setTimeout(later, 1)) } })() })
  })
  const { transport } = client(name)
  const abort = new AbortController()
  const given = await transport(call({ url: 'http://tab.invalid/given-up', signal: abort.signal }))
  abort.abort(new Error('enough'))
  await expect(textOf(given.body)).rejects.toThrow('enough')
  await expect.poll(() => ended.mock.calls.flat()).toContain('http://tab.invalid/given-up')

  const read = await transport(call({ url: 'http://tab.invalid/unread' }))
  for await (const _ of read.body) break
  await expect.poll(() => ended.mock.calls.flat()).toContain('http://tab.invalid/unread')

  // A tab that says nothing when it goes: only its lock tells.
  const frame = document.createElement('iframe')
  document.body.append(frame)
  const locks = frame.contentWindow?.navigator.locks
  if (locks === undefined) throw new Error('no locks in the frame')
  const lost = tabClient(open(name), locks)
  await lost.transport(call({ url: 'http://tab.invalid/crashed' }))
  expect(ended.mock.calls.flat()).not.toContain('http://tab.invalid/crashed')
  frame.remove()
  await expect.poll(() => ended.mock.calls.flat()).toContain('http://tab.invalid/crashed')
})

it('says what failed, in the call or in the middle of the answer', async () => {
  const name = newName()
  serve(name, async ({ url }) => {
    if (url.endsWith('/call')) throw new Error('no such thing')
    return new ApiResponse({ status: 200, body: (async function * () { yield new Uint8Array(1); throw new Error('half way') })() })
  })
  const { transport } = client(name)
  await expect(transport(call({ url: 'http://tab.invalid/call' }))).rejects.toThrow('no such thing')
  const { body } = await transport(call())
  await expect(textOf(body)).rejects.toThrow('half way')
})

it('waits for a leader; the next one is asked again what can be asked twice, and everything else fails', async () => {
  const name = newName()
  const { transport } = client(name)
  const early = transport(call())
  const never = async (): Promise<ApiResponse> => await new Promise<ApiResponse>(() => {})
  const stopFirst = serve(name, async (request) => request.url.endsWith('/now') ? new ApiResponse({ status: 200, body: (async function * () { yield new Uint8Array(1); await never() })() }) : request.url.endsWith('/x') && request.method === 'GET' && asked++ === 0 ? await echo(request) : await never())
  let asked = 0
  expect((await early).status).toBe(202)
  const read = transport(call())
  const change = transport(call({ method: 'DELETE' }))
  const begun = await transport(call({ url: 'http://tab.invalid/now' }))
  const rest = textOf(begun.body)
  const failures = Promise.allSettled([change, rest])
  stopFirst()
  serve(name, echo)
  expect(await textOf((await read).body)).toContain('GET')
  for (const result of await failures) expect(result).toEqual({ status: 'rejected', reason: expect.any(LeaderGoneError) as unknown })
})

it('one tab leads, and the next one when it resigns', async () => {
  const lock = newName()
  const [first, second, third] = [elect(lock), elect(lock), elect(lock)]
  expect([await first.immediate, await second.immediate, await third.immediate]).toEqual([true, false, false])
  const led: string[] = []
  void second.elected.then(() => led.push('second'))
  void third.elected.then(() => led.push('third'))
  first.resign()
  await second.elected
  expect(led).toEqual(['second'])
  second.resign()
  await third.elected
  third.resign()
  const fourth = elect(lock)
  await fourth.elected
  fourth.resign()
})
