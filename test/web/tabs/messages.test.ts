/** What tabs say to each other is checked before it is believed. */
import { decodeTabMessage, maxChunk, window } from '../../../web/tabs/messages.ts'
import type { TabMessage } from '../../../web/tabs/messages.ts'
import fc from 'fast-check'
import { expect, it } from 'vitest'

const headers = fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 5 })
const id = fc.uuid()
const message: fc.Arbitrary<TabMessage> = fc.oneof(
  fc.record({ kind: fc.constant('leader' as const), leader: id, cluster: fc.string() }),
  fc.record({ kind: fc.constantFrom('who' as const, 'left' as const) }),
  fc.record({ kind: fc.constant('request' as const), id, from: id, method: fc.constantFrom('GET' as const, 'POST' as const, 'DELETE' as const), url: fc.webUrl(), headers: fc.dictionary(fc.string(), fc.string()), body: fc.option(fc.string(), { nil: undefined }) }),
  fc.record({ kind: fc.constant('abort' as const), id }),
  fc.record({ kind: fc.constant('read' as const), id, chunks: fc.nat(window) }),
  fc.record({ kind: fc.constant('head' as const), id, leader: id, status: fc.integer({ min: 100, max: 599 }), headers }),
  fc.record({ kind: fc.constant('data' as const), id, bytes: fc.uint8Array() }),
  fc.record({ kind: fc.constant('end' as const), id, trailers: fc.option(headers, { nil: undefined }) }),
  fc.record({ kind: fc.constant('fail' as const), id, message: fc.string() })
)

it('knows every message', () => {
  fc.assert(fc.property(message, (sent) => { expect(decodeTabMessage(structuredClone(sent))).toEqual(sent) }))
})

it('takes nothing else for one, and never throws', () => {
  fc.assert(fc.property(fc.anything(), (value) => { expect(decodeTabMessage(value)).toBeUndefined() }))
  const wrong = fc.oneof(fc.constant(null), fc.boolean(), fc.double(), fc.object(), fc.constant('x'.repeat(70_000)))
  fc.assert(fc.property(message, fc.nat(), wrong, (sent, at, value) => {
    const fields = Object.keys(sent)
    const field = fields[at % fields.length] ?? 'kind'
    const decoded = decodeTabMessage({ ...sent, [field]: value })
    if (decoded === undefined) return
    // Where another value is allowed, it is one of the right kind.
    const read = decoded as unknown as Record<string, unknown>
    const expected = { chunks: 'number', status: 'number', body: 'string', headers: 'object', trailers: 'object' }[field]
    expect(typeof read[field]).toBe(expected)
  }))
})

it('has bounds', () => {
  const call = { id: 'a', from: 'b', method: 'GET', url: 'http://x/', headers: {} }
  expect(decodeTabMessage({ kind: 'request', ...call })).toBeDefined()
  expect(decodeTabMessage({ kind: 'request', ...call, url: `http://x/${'y'.repeat(70_000)}` })).toBeUndefined()
  expect(decodeTabMessage({ kind: 'request', ...call, method: 'PUT' })).toBeUndefined()
  expect(decodeTabMessage({ kind: 'request', ...call, headers: Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`h${index}`, ''])) })).toBeUndefined()
  expect(decodeTabMessage({ kind: 'data', id: 'a', bytes: new Uint8Array(maxChunk) })).toBeDefined()
  expect(decodeTabMessage({ kind: 'data', id: 'a', bytes: new Uint8Array(maxChunk + 1) })).toBeUndefined()
  expect(decodeTabMessage({ kind: 'read', id: 'a', chunks: window + 1 })).toBeUndefined()
})
