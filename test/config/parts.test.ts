import { describe, expect, test } from 'vitest'
import { sizeKind } from '../../src/config/kinds.ts'
import { fetchSource, parseDocument, sourceOf } from '../../src/config/source.ts'

test('sizes', () => {
  expect(sizeKind.decode('10GB')).toBe(10e9)
  expect(sizeKind.decode('512 MiB')).toBe(512 * 2 ** 20)
  expect(sizeKind.decode(1234)).toBe(1234)
  expect(sizeKind.encode(10e9)).toBe('10GB')
  expect(sizeKind.encode(1234)).toBe('1234B')
  for (const text of ['', 'GB', '10 parsecs', '-1GB']) expect(() => sizeKind.decode(text), text).toThrow('expected a size')
})

describe('remote configuration', () => {
  const answer = (body: string, status = 200): { readonly fetch: typeof fetch } => ({ fetch: async () => await Promise.resolve(new Response(body, { status })) })
  test('is fetched', async () => {
    expect(sourceOf({ Source: 'https://x/y' })).toBe('https://x/y')
    expect(await fetchSource('https://x/y', answer('{"cluster": {}}'))).toEqual({ cluster: {} })
  })
  test('its errors', async () => {
    expect(() => sourceOf({ source: 'ipfs://x' })).toThrow('source: must be an http or https URL')
    await expect(fetchSource('http://x/y', answer('gone', 404))).rejects.toThrow('unsuccessful request (404): gone')
    await expect(fetchSource('http://x/y', answer('{"source": "http://z"}'))).rejects.toThrow('a sourced configuration cannot point to another source')
    await expect(fetchSource('http://x/y', answer('{'))).rejects.toThrow('http://x/y: not valid JSON')
    await expect(fetchSource('http://x/y', answer('[]'))).rejects.toThrow('expected an object, found a list')
    await expect(fetchSource('http://x/y', { fetch: async () => await Promise.reject(new TypeError('refused')) })).rejects.toThrow('could not fetch configuration from source: http://x/y')
    await expect(fetchSource('http://x/y', answer('x'.repeat(5 * 2 ** 20)))).rejects.toThrow('is larger than')
  })
  test('broken JSON is reported by position, without its text', () => {
    expect(() => parseDocument('{"secret": "abcdef" oops', 'service.json')).toThrow(/^service\.json: not valid JSON at position 20/)
    expect(() => parseDocument('{"secret": "abcdef" oops', 'service.json')).not.toThrow(/abcdef/)
  })
})
