import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addedFromJson, addedToJson, bandwidthFromJson, bandwidthToJson, graphFromJson, graphToJson, repoGcFromJson, repoGcToJson } from '../../src/api/json/cluster.ts'
import { encodeJson, parseJson } from '../../src/api/json/json.ts'
import { alertFromJson, alertToJson, metricFromJson, metricToJson } from '../../src/api/json/metric.ts'
import { peerInfoFromJson, peerInfoToJson } from '../../src/api/json/peer.ts'
import { globalPinInfoFromJson, globalPinInfoToJson } from '../../src/api/json/status.ts'
import { stringifyGo } from '../../src/pin/go-json.ts'
import { MemoryCluster } from './memory-cluster.ts'
import recorded from '../vectors/rest/rest-api.json' with { type: 'json' }
import type { Json } from '../../src/api/json/json.ts'

const linesOf = (name: string): readonly string[] => recorded.find((each) => each.name === name)?.body.split('\n').filter((line) => line !== '') ?? []
/** Times here have milliseconds. */
const inMs = (line: string): string => line.replaceAll(/(\.\d{3})\d*Z/g, (_, ms: string) => `${ms.replace(/0+$/, '').replace(/^\.$/, '')}Z`)
/** Null and empty lists are the same to every reader, and we never write null where the state writes a list. */
const nilAsEmpty = (line: string): string => line.replaceAll(/"(origins|allocations)":null/g, '"$1":[]')

/** One codec both ways over one line: the same bytes again. */
const both = <T>(decode: (value: Json) => T, encode: (value: T) => Json) => (line: string): string => encodeJson(encode(decode(parseJson(line))))
const each = <T>(decode: (value: Json) => T, encode: (value: T) => Json) => (line: string): string => encodeJson((parseJson(line) as readonly Json[]).map((item) => encode(decode(item))))

test.each([
  ['id', both(peerInfoFromJson, peerInfoToJson)], ['peers', both(peerInfoFromJson, peerInfoToJson)],
  ['status all', both(globalPinInfoFromJson, globalPinInfoToJson)], ['status filter error,queued', both(globalPinInfoFromJson, globalPinInfoToJson)], ['status of unknown cid', both(globalPinInfoFromJson, globalPinInfoToJson)],
  ['metrics ping', each(metricFromJson, metricToJson)], ['metrics freespace', each(metricFromJson, metricToJson)], ['metrics tag', each(metricFromJson, metricToJson)],
  ['graph', both(graphFromJson, graphToJson)], ['bandwidth', both(bandwidthFromJson, bandwidthToJson)], ['gc', both(repoGcFromJson, repoGcToJson)],
  ['add cidv1 raw leaves progress', both(addedFromJson, addedToJson)], ['add wrap', both(addedFromJson, addedToJson)]
])('recorded %s: decoded and encoded again, the bytes are the same', (name, again) => {
  expect(linesOf(name).length).toBeGreaterThan(0)
  for (const line of linesOf(name)) expect(again(line)).toBe(nilAsEmpty(inMs(line)))
})

test('an alert both ways', () => {
  const alert = { ...new MemoryCluster().alert(), expire: 1795381494414991086n, triggeredAt: 1795381497123 }
  expect(encodeJson(alertToJson(alert))).toContain('"expire":1795381494414991086,')
  expect(alertFromJson(parseJson(encodeJson(alertToJson(alert))))).toEqual(alert)
})

const leaf = fc.oneof(fc.string({ unit: 'binary' }), fc.boolean(), fc.constant(null), fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }).filter((value) => !Number.isSafeInteger(Number(value))))
const json = fc.letrec<{ value: Json }>((tie) => ({ value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(fc.string().filter((key) => key !== '__proto__'), tie('value'), { maxKeys: 4, noNullPrototype: true })) })).value

test('int64 stays exact, and the text is what JSON.stringify with Go escapes writes', () => {
  fc.assert(fc.property(json, (value) => { expect(parseJson(encodeJson(value))).toEqual(value) }))
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    expect(encodeJson(value as Json)).toBe(stringifyGo(value))
    expect(JSON.parse(encodeJson(value as Json, '    '))).toEqual(JSON.parse(JSON.stringify(value)))
  }))
  expect(encodeJson({ a: [], b: {}, c: [1, { d: '<&>' }] }, '    ')).toBe('{\n    "a": [],\n    "b": {},\n    "c": [\n        1,\n        {\n            "d": "\\u003c\\u0026\\u003e"\n        }\n    ]\n}')
})

test('values of another shape name the field', () => {
  const decoders = [peerInfoFromJson, globalPinInfoFromJson, metricFromJson, alertFromJson, graphFromJson, bandwidthFromJson, repoGcFromJson, addedFromJson]
  fc.assert(fc.property(json, (value) => {
    for (const decode of decoders) try { decode(value) } catch (error) { expect(error).toMatchObject({ name: 'InvalidValueError' }) }
  }))
  expect(() => globalPinInfoFromJson({ cid: 'x' })).toThrow('cid: invalid cid')
  expect(() => peerInfoFromJson({ id: '' })).toThrow('id: not a peer ID')
  expect(() => metricFromJson({ peer: linesOf('id')[0]?.slice(7, 59) ?? '', expire: 1.5 })).toThrow('expire: not an integer')
})
