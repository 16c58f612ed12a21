import { peerIdFromString } from '@libp2p/peer-id'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { stringifyGo } from '../../src/pin/go-json.ts'
import { nilList, nilMap } from '../../src/pin/nil.ts'
import { encodePinLine, pinFromJson, pinToJson } from '../../src/pin/pin-json.ts'
import { decodePin, encodePin } from '../../src/pin/pin-proto.ts'
import { pinWith } from '../../src/pin/pin.ts'
import rest from '../vectors/wire/live-capture.json' with { type: 'json' }
import vectors from '../vectors/wire/pin-proto.json' with { type: 'json' }

const text = new TextDecoder()
const cid = CID.parse('bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq')

describe('pin JSON', () => {
  for (const { name, pin, decoded } of vectors) {
    const whole = JSON.stringify(pin).replaceAll('.123456789Z', '.123Z')
    it(`prints ${name} as it was read`, () => { expect(text.decode(encodePinLine(pinFromJson(pin)))).toBe(whole) })
    it(`prints ${name} as the state keeps it`, () => { expect(text.decode(encodePinLine(pinFromJson(pin), { fromState: true }))).toBe(JSON.stringify(decoded)) })
    it(`prints ${name} read from the state alike`, () => { expect(text.decode(encodePinLine(decodePin(encodePin(pinFromJson(pin)))))).toBe(JSON.stringify(decoded)) })
  }

  it('prints what a live Go peer answered', () => {
    const [line = ''] = rest[`REST POST /pins/${cid.toString() as 'bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq'}?name=probe-pin&replication-min=-1&replication-max=-1`]
    expect(stringifyGo(pinToJson(pinFromJson(JSON.parse(line))))).toBe(line.replace('.280650092Z', '.28Z'))
  })

  it('escapes as Go does and sorts metadata', () => {
    const line = text.decode(encodePinLine(pinWith(cid, { name: 'a<b>&\u2028"\\\u0001', metadata: { b: '1', a: '2' } })))
    expect(line).toContain('"name":"a\\u003cb\\u003e\\u0026\\u2028\\"\\\\\\u0001"')
    expect(line).toContain('"metadata":{"a":"2","b":"1"}')
  })

  it('tells nil from empty', () => {
    const line = (userAllocations: readonly [] | typeof nilList, metadata: Readonly<Record<string, string>>): unknown => JSON.parse(text.decode(encodePinLine(pinWith(cid, { userAllocations, metadata }))))
    expect(line(nilList, nilMap)).toMatchObject({ user_allocations: null, metadata: null })
    expect(line([], {})).toMatchObject({ user_allocations: [], metadata: {} })
  })

  it('names the field that is wrong', () => {
    const json = { cid: cid.toString() }
    const wrong: ReadonlyArray<readonly [string, unknown]> = [
      ['pin', []], ['pin', 'x'], ['pin', null], ['cid', {}], ['cid', { cid: 'nope' }], ['cid', { cid: 7 }], ['name', { ...json, name: 1 }], ['replication_factor_min', { ...json, replication_factor_min: 1.5 }],
      ['replication_factor_max', { ...json, replication_factor_max: 2 ** 40 }], ['shard_size', { ...json, shard_size: -1 }], ['user_allocations', { ...json, user_allocations: ['x'] }],
      ['allocations', { ...json, allocations: {} }], ['allocations', { ...json, allocations: [1] }], ['origins', { ...json, origins: ['1.2.3.4'] }], ['expire_at', { ...json, expire_at: '' }],
      ['timestamp', { ...json, timestamp: '2023-02-30T00:00:00Z' }], ['metadata', { ...json, metadata: { a: 1 } }], ['metadata', { ...json, metadata: [] }], ['type', { ...json, type: 'all' }],
      ['pin_update', { ...json, pin_update: 'x' }], ['reference', { ...json, reference: 'x' }], ['max_depth', { ...json, max_depth: -2 }]
    ]
    for (const [field, value] of wrong) expect(() => pinFromJson(value), field).toThrow(expect.objectContaining({ name: 'InvalidValueError', field }))
  })

  it('reads what is absent as the default', () => {
    expect(pinFromJson({ cid: cid.toString(), mode: 'direct', extra: 1, metadata: null })).toEqual({ ...pinWith(cid, { mode: 'direct' }), expireAt: undefined, pinUpdate: undefined, reference: undefined, timestamp: undefined })
  })

  it('reads again what it prints', () => {
    const peers = ['12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5', '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq'].map((id) => peerIdFromString(id))
    const options = fc.record({
      name: fc.string({ unit: 'grapheme' }), mode: fc.constantFrom('recursive', 'direct'), shardSize: fc.maxSafeNat(), userAllocations: fc.subarray(peers),
      metadata: fc.dictionary(fc.string(), fc.string()), expireAt: fc.integer({ min: 1000, max: 4e12 }), replicationFactorMin: fc.integer({ min: -1, max: 9 }), replicationFactorMax: fc.integer({ min: -1, max: 9 })
    })
    fc.assert(fc.property(options, (values) => {
      const pin = { ...pinWith(cid, values), pinUpdate: cid, reference: undefined, timestamp: undefined }
      expect(pinFromJson(JSON.parse(text.decode(encodePinLine(pin))))).toEqual(pin)
    }))
  })
})
