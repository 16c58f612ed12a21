import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pinQuery } from '../../src/api/client/query.ts'
import { choice, cidParameter, cidsParameter, flag, peerParameter, pinOptions, pinTypesFilter, statusFilter } from '../../src/api/query.ts'
import { parseRange } from '../../src/api/range.ts'
import { alpha, beta } from './memory-cluster.ts'

const now = Date.parse('2026-11-22T20:00:00Z')
const parse = (query: string) => pinOptions(new URLSearchParams(query), now)
const cid = 'bafkreibpmsjuqdvcgjat6job2dyepgswvawrnlda6vlolommnivog6v5ky'

test('options are read as the reference reads them', () => {
  expect(parse('')).toMatchObject({ name: '', mode: 'recursive', replicationFactorMin: 0, replicationFactorMax: 0, shardSize: 0, userAllocations: [], metadata: {}, origins: [] })
  expect(parse('mode=direct').mode).toBe('direct')
  expect(parse('mode=else').mode).toBe('recursive')
  expect(parse('replication=3&replication-min=1&replication-max=2')).toMatchObject({ replicationFactorMin: 3, replicationFactorMax: 3 })
  expect(parse('replication-min=-1&replication-max=')).toMatchObject({ replicationFactorMin: -1, replicationFactorMax: 0 })
  expect(parse(`user-allocations=${alpha.toString()},nonsense,${beta.toString()}`).userAllocations.map(String)).toEqual([alpha.toString(), beta.toString()])
  expect(parse('expire-in=90m').expireAt).toBe(now + 5_400_000)
  expect(parse('expire-at=2027-01-01T00:00:00Z&expire-in=90m').expireAt).toBe(Date.parse('2027-01-01T00:00:00Z'))
  expect(parse('meta-b=2&meta-a=1&meta-=x&meta-a=9').metadata).toEqual({ a: '1', b: '2' })
  expect(parse(`pin-update=${cid}`).pinUpdate?.toString()).toBe(cid)
})

test('each wrong option has its own text', () => {
  const refused: Readonly<Record<string, string>> = {
    'replication-min=x': 'parameter replication-min invalid', 'replication-max=1.5': 'parameter replication-max invalid', 'replication=99999999999999999999': 'parameter replication invalid',
    'shard-size=-1': 'parameter shard_size is invalid', 'expire-at=yesterday': 'expire-at cannot be parsed', 'expire-in=1w': 'expire-in cannot be parsed', 'expire-in=10ms': 'expire-in duration too short',
    'pin-update=x': 'error decoding update option parameter: invalid cid: cid too short', 'origins=nope': 'error decoding multiaddress', 'origins=/ip4/1.2.3.4/tcp/1': 'multiaddress does not contain peer ID'
  }
  for (const [query, message] of Object.entries(refused)) expect(() => parse(query), query).toThrow(expect.objectContaining({ code: 400, message: expect.stringContaining(message) as string }))
})

test('what a client writes the server reads', () => {
  fc.assert(fc.property(fc.record({
    name: fc.string(), mode: fc.constantFrom('recursive' as const, 'direct' as const), replicationFactorMin: fc.integer({ min: -1, max: 1000 }), replicationFactorMax: fc.integer({ min: -1, max: 1000 }),
    shardSize: fc.nat(), metadata: fc.dictionary(fc.string({ minLength: 1 }), fc.string({ minLength: 1 })), userAllocations: fc.subarray([alpha, beta])
  }), (options) => {
    const read = pinOptions(new URLSearchParams(pinQuery(options).toString()), now)
    expect({ ...read, userAllocations: read.userAllocations.map(String), metadata: { ...read.metadata } }).toEqual({ ...options, name: options.name.toWellFormed(), userAllocations: options.userAllocations.map(String), metadata: { ...options.metadata }, expireAt: undefined, pinUpdate: undefined, origins: [] })
  }))
})

test('any query is read or refused with 400', () => {
  const names = fc.constantFrom('name', 'mode', 'replication', 'replication-min', 'shard-size', 'user-allocations', 'expire-at', 'expire-in', 'pin-update', 'origins', 'filter', 'cids', 'meta-x', 'local')
  const values = fc.oneof(fc.string(), fc.constantFrom('1', '-1', '1e3', '1h', cid, '/ip4/1.2.3.4/tcp/1', 'all', 'pinned', '2026-13-01T00:00:00Z'))
  fc.assert(fc.property(fc.array(fc.tuple(names, values), { maxLength: 8 }), (pairs) => {
    const query = new URLSearchParams(pairs)
    for (const read of [pinTypesFilter, statusFilter, cidsParameter, (each: URLSearchParams) => pinOptions(each, now), (each: URLSearchParams) => flag(each, 'local'), (each: URLSearchParams) => choice(each, 'mode', ['recursive', 'direct'])]) {
      try { read(query) } catch (error) { expect(error).toMatchObject({ name: 'ApiError', code: 400 }) }
    }
  }), { numRuns: 300 })
})

test('identifiers in paths', () => {
  const texts: Readonly<Record<string, string>> = { '': 'cid too short', x: 'cid too short', notacid: 'selected encoding not supported', xyz: 'selected encoding not supported' }
  for (const [text, reason] of Object.entries(texts)) expect(() => cidParameter(text)).toThrow(`error decoding Cid: invalid cid: ${reason}`)
  expect(cidParameter(cidParameter(cid).toV1().toString()).toString()).toBe(cid)
  expect(() => peerParameter('x')).toThrow('error decoding Peer ID: ')
  fc.assert(fc.property(fc.string(), (text) => { try { cidParameter(text) } catch (error) { expect(error).toMatchObject({ code: 400 }) } }), { numRuns: 300 })
})

test('ranges', () => {
  expect(parseRange('bytes=0-9', 100n)).toEqual({ offset: 0n, length: 10n })
  expect(parseRange('bytes=90-', 100n)).toEqual({ offset: 90n, length: 10n })
  expect(parseRange('bytes=-5', 100n)).toEqual({ offset: 95n, length: 5n })
  expect(parseRange('bytes=50-500', 100n)).toEqual({ offset: 50n, length: 50n })
  for (const beyond of ['bytes=100-', 'bytes=-0']) expect(parseRange(beyond, 100n)).toBe('unsatisfiable')
  for (const ignored of [null, 'bytes=1-2,4-5', 'items=0-1', 'bytes=9-1', 'bytes=-']) expect(parseRange(ignored, 100n)).toBeUndefined()
})
