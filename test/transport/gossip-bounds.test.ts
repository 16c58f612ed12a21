/** What is put between libp2p's streams and gossipsub, and around its caches. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { boundMessageCache, boundSeenCache, type MessageCache, type SeenCache } from '../../src/transport/gossip-caches.ts'
import { Intake } from '../../src/transport/gossip-intake.ts'

const megabyte = 1_048_576

/** As gossipsub keeps them: each message for one shift. */
function messageCache (): MessageCache & { readonly bytes: () => number } {
  const msgs: MessageCache['msgs'] = new Map()
  const cache: MessageCache = {
    msgs,
    put: ({ msgIdStr }, message) => {
      if (msgs.has(msgIdStr)) return false
      msgs.set(msgIdStr, { message })
      return true
    },
    shift: () => { msgs.clear() }
  }
  boundMessageCache(cache)
  return Object.assign(cache, { bytes: () => [...msgs.values()].reduce((sum, { message }) => sum + (message.data?.byteLength ?? 0), 0) })
}

const id = (number: number) => ({ msgId: Uint8Array.of(number), msgIdStr: String(number) })

it('keeps messages for those that missed them up to a number of bytes, and takes in new ones when old ones are gone', () => {
  const cache = messageCache()
  const data = new Uint8Array(megabyte)
  for (let number = 0; number < 1000; number++) expect(cache.put(id(number), { data })).toBe(true)
  expect(cache.bytes()).toBe(32 * megabyte)
  expect(cache.put(id(0), { data })).toBe(false)
  cache.shift()
  expect(cache.put(id(0), { data })).toBe(true)
  const small = messageCache()
  for (let number = 0; number < 60_000; number++) small.put(id(number), {})
  expect(small.msgs.size).toBe(50_000)
})

it('knows so many messages only, the newest', () => {
  const entries = new Map<string | number, unknown>()
  const seen: SeenCache = { entries, put: (key) => entries.has(key) || entries.set(key, 1).size < 0 }
  boundSeenCache(seen)
  for (let number = 0; number < 200_100; number++) seen.put(number, undefined)
  expect(entries.size).toBe(200_000)
  expect([entries.has(99), entries.has(100), entries.has(200_099)]).toEqual([false, true, true])
})

/** A stream whose other side sends as long as it is let, and a reader of frames that takes in whatever comes, as libp2p's do. */
function flood (lengths: readonly number[]) {
  let listener: (event: { data: Uint8Array }) => void = () => {}
  const total = lengths.reduce((sum, length) => sum + length + (length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : 4), 0)
  const state = { sent: 0, read: 0, most: 0 }
  let wake = Promise.withResolvers<void>()
  const stream = {
    readStatus: 'readable' as 'readable' | 'paused',
    addEventListener: ((_type: string, added: typeof listener) => { listener = added }) as never,
    pause: () => { stream.readStatus = 'paused' },
    resume: () => { stream.readStatus = 'readable'; send() }
  }
  const send = (): void => {
    while (stream.readStatus === 'readable' && state.sent < total) {
      const size = Math.min(10_000, total - state.sent)
      state.sent += size
      state.most = Math.max(state.most, state.sent - state.read)
      listener({ data: new Uint8Array(size) })
    }
    wake.resolve()
    wake = Promise.withResolvers<void>()
  }
  async function * frames (): AsyncGenerator<Uint8Array> {
    for (const length of lengths) {
      const size = length + (length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : 4)
      while (state.sent - state.read < size) await wake.promise
      state.read += size
      yield new Uint8Array(length)
    }
  }
  return { stream, send, frames, state }
}

it('takes a flood in piece by piece, whole and in order, however long each frame is and takes', async () => {
  const length = fc.oneof(fc.nat(200), fc.nat(20_000), fc.nat(megabyte))
  await fc.assert(fc.asyncProperty(fc.array(length, { maxLength: 40 }), fc.nat(3), async (lengths, slow) => {
    const { stream, send, frames, state } = flood(lengths)
    const intake = new Intake(stream)
    queueMicrotask(send)
    const got: number[] = []
    for await (const frame of intake.frames(frames(), async () => { for (let turn = 0; turn < slow; turn++) await Promise.resolve() })) got.push(frame.byteLength)
    expect(got).toEqual(lengths)
    expect(intake.unread).toBe(0)
    // One whole frame, and the end of what came at once.
    expect(state.most).toBeLessThanOrEqual(megabyte + 20_000)
  }), { numRuns: 60 })
})
