import { fromHex, toHex } from 'multiformats/bytes'
import { describe, expect, it } from 'vitest'
import { formatGoTime } from '../../src/pin/go-time.ts'
import { pinToJson } from '../../src/pin/pin-json.ts'
import * as m from '../../src/rpc/msgpack.ts'
import * as t from '../../src/rpc/types.ts'
import vectors from '../vectors/wire/msgpack.json' with { type: 'json' }
import tolerance from '../vectors/wire/decode-tolerance.json' with { type: 'json' }
import { kept } from './golden.ts'
import { globalPinInfoJson, ipfsIdJson, mapJson, metricJson, peerInfoJson, pinInfoJson, repoGcJson, shortJson, texts } from './json.ts'

interface Codec { readonly decode: (bytes: Uint8Array) => unknown, readonly json: (bytes: Uint8Array) => unknown, readonly again: (bytes: Uint8Array) => Uint8Array }
const codec = <T>(schema: m.Schema<T>, json: (value: T) => unknown = (value) => value): Codec => ({
  decode: (bytes) => m.decode(schema, bytes), json: (bytes) => json(m.decode(schema, bytes)), again: (bytes) => m.encode(schema, m.decode(schema, bytes))
})

const serviceJson = ({ name, method }: t.ServiceId): object => ({ Name: name, Method: method })
const codecs: Readonly<Record<string, Codec>> = {
  'struct{}': codec(m.empty), nil: codec(m.optional(m.str), (value) => value ?? null), 'api.Cid': codec(m.optional(m.cid), (value) => value?.toString() ?? null), 'peer.ID': codec(m.peerId, String),
  '[]peer.ID': codec(m.list(m.peerId), texts), 'api.Multiaddr': codec(m.multiaddr, String), 'api.TrackerStatus': codec(t.trackerStatus), int64: codec(m.int64, Number), uint64: codec(m.uint64, Number),
  string: codec(m.str), '[]string': codec(m.list(m.str)), '[]byte': codec(m.bytes, (bytes) => btoa(String.fromCharCode(...bytes))), 'time.Time': codec(m.time, formatGoTime),
  'api.Pin': codec(t.pin, pinToJson),
  'api.PinPath': codec(t.pinPath, ({ path, replicationFactorMin, replicationFactorMax, name }) => ({ path, name, replication_factor_min: replicationFactorMin, replication_factor_max: replicationFactorMax })),
  'api.Metric': codec(t.metric, metricJson), '[]api.Metric': codec(m.list(t.metric), (list) => list.map(metricJson)), 'api.ID': codec(t.peerInfo, peerInfoJson), 'api.IPFSID': codec(t.ipfsId, ipfsIdJson),
  'api.Version': codec(t.version, (version) => ({ version })), 'api.PinInfo': codec(t.pinInfo, pinInfoJson), 'api.GlobalPinInfo': codec(t.globalPinInfo, globalPinInfoJson), 'api.PinInfoShort': codec(t.pinInfoShort, shortJson),
  'api.IPFSRepoStat': codec(t.repoStat, ({ repoSize, storageMax }) => ({ RepoSize: Number(repoSize), StorageMax: Number(storageMax) })),
  'api.NodeWithMeta': codec(t.nodeWithMeta, ({ bytes, cid, cumulativeSize }) => ({ Data: btoa(String.fromCharCode(...bytes)), Cid: cid.toString(), CumSize: Number(cumulativeSize) })),
  'api.IPFSPinInfo': codec(t.ipfsPinInfo, ({ cid, status }) => ({ Cid: cid.toString(), Type: status })), 'api.IPFSPinStatus': codec(t.ipfsPinStatus),
  'api.RepoGC': codec(t.repoGc, repoGcJson), 'api.GlobalRepoGC': codec(t.globalRepoGc, ({ peerMap }) => ({ peer_map: mapJson(peerMap, repoGcJson) })),
  'api.ConnectGraph': codec(t.connectGraph, (graph) => ({
    cluster_id: graph.clusterId.toString(), id_to_peername: mapJson(graph.idToPeerName, String), ipfs_links: mapJson(graph.ipfsLinks, texts), cluster_links: mapJson(graph.clusterLinks, texts),
    cluster_trust_links: mapJson(graph.clusterTrustLinks, Boolean), cluster_to_ipfs: mapJson(graph.clusterToIpfs, String)
  })),
  'api.Alert': codec(t.alert, (alert) => ({ ...metricJson(alert), triggered_at: formatGoTime(alert.triggeredAt) })),
  'api.BandwidthByProtocol': codec(t.bandwidthByProtocol, (map) => mapJson(map, (value) => ({ total_in: Number(value.totalIn), total_out: Number(value.totalOut), rate_in: value.rateIn, rate_out: value.rateOut }))),
  'rpc.ServiceID': codec(t.serviceId, serviceJson), 'rpc.Response': codec(t.response, ({ service, error, errorType }) => ({ Service: serviceJson(service), Error: error, ErrType: errorType, Data: null }))
}

/** Values without the identity they are about, which nothing here can use. */
const refused = new Set(['peer-id-empty', 'metric-zero', 'id-zero', 'pin-zero'])

const keptJson = (json: unknown): unknown => JSON.parse(JSON.stringify(json).replaceAll('.123456789Z', '.123Z').replace(':59.000000005Z', ':59Z'))

describe('golden msgpack', () => {
  for (const { name, go_type: type, json, hex } of vectors) {
    const codecOf = codecs[type]
    if (codecOf === undefined) throw new Error(`no codec for ${type}`)
    if (refused.has(name)) {
      it(`refuses ${name}`, () => { expect(() => codecOf.decode(fromHex(hex))).toThrow(expect.objectContaining({ name: 'DecodeError' })) })
      continue
    }
    it(`reads ${name}`, () => {
      if (type === 'api.PinPath') expect(keptJson(json)).toMatchObject(codecOf.json(fromHex(hex)) as object)
      else expect(codecOf.json(fromHex(hex))).toEqual(keptJson(json))
    })
    it(`writes ${name} as Go does`, () => { expect(toHex(codecOf.again(fromHex(hex)))).toBe(kept(hex)) })
  }

  it('reads a metric without values as long as it names its peer, and skips keys it does not know', () => {
    const bytes = fromHex('83a16ea470696e67a37a7a7a8201a3616263920203c0a170da00260024080112208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c'.replace('a3616263920203c0', '92a361626302c301'))
    expect(m.decode(t.metric, bytes)).toMatchObject({ name: 'ping', value: '', expire: 0n, valid: false })
  })
})

describe('tolerance', () => {
  const schemaOf = (name: string): Codec => {
    const wanted: ReadonlyArray<readonly [RegExp, string]> = [[/^cid/, 'api.Cid'], [/^time/, 'time.Time'], [/^struct/, 'struct{}'], [/^status/, 'api.TrackerStatus'], [/^expire/, 'int64'], [/^pin keys/, 'api.Pin'], [/^multiaddr/, 'api.Multiaddr']]
    const found = codecs[wanted.find(([pattern]) => pattern.test(name))?.[1] ?? '']
    if (found === undefined) throw new Error(`no codec for ${name}`)
    return found
  }
  const peer = codec(m.optional(m.peerId), (value) => value?.toString() ?? '')
  const named = codec(m.struct<{ name: string }>('Metric', { name: ['n', m.str] }))

  for (const { Name: name, Hex: hex, Result: result } of tolerance) {
    const codecOf = name.startsWith('peer.ID') ? peer : name.startsWith('metric') ? named : schemaOf(name)
    if (result.startsWith('ERROR')) {
      it(`refuses ${name}`, () => { expect(() => codecOf.decode(fromHex(hex))).toThrow(expect.objectContaining({ name: 'DecodeError' })) })
    } else {
      it(`reads ${name}`, () => {
        const json = JSON.parse(result.slice(3)) as Record<string, unknown>
        const read = codecOf.json(fromHex(hex))
        if (name.startsWith('metric')) expect(json).toMatchObject(read as object)
        else expect(read).toEqual(json)
      })
    }
  }
})

describe('integers', () => {
  const hexOf = <T>(schema: m.Schema<T>, value: T): string => toHex(m.encode(schema, value))

  it('are written with the widths of Go', () => {
    expect([-32, -33, -128, -129, 127, 128, 255, 32_767, 32_768, -32_769, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1].map((value) => hexOf(m.int, value))).toEqual([
      'e0', 'd0df', 'd080', 'd1ff7f', '7f', 'd10080', 'd100ff', 'd17fff', 'd200008000', 'd2ffff7fff', 'd27fffffff', 'd30000000080000000', 'd280000000', 'd3ffffffff7fffffff'])
    expect([0, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32].map((value) => hexOf(m.uint, value))).toEqual(['00', '7f', 'cc80', 'ccff', 'cd0100', 'cdffff', 'ce00010000', 'ceffffffff', 'cf0000000100000000'])
    expect([2n ** 63n - 1n, -(2n ** 63n), -1n].map((value) => hexOf(m.int64, value))).toEqual(['d37fffffffffffffff', 'd38000000000000000', 'ff'])
    expect(hexOf(m.uint64, 2n ** 64n - 1n)).toBe('cfffffffffffffffff')
  })

  it('out of range are refused, both ways', () => {
    expect(() => m.encode(m.int64, 2n ** 63n)).toThrow(RangeError)
    expect(() => m.encode(m.uint64, -1n)).toThrow(RangeError)
    expect(() => m.encode(m.int, 1.5)).toThrow(RangeError)
    expect(() => m.encode(m.uint, -1)).toThrow(RangeError)
    const broken: ReadonlyArray<readonly [m.Schema<unknown>, string]> = [[m.int64 as m.Schema<unknown>, 'cfffffffffffffffff'], [m.int as m.Schema<unknown>, 'd37fffffffffffffff'], [m.uint as m.Schema<unknown>, 'ff'], [m.uint64 as m.Schema<unknown>, 'd0ff'], [m.int as m.Schema<unknown>, 'cb3ff8000000000000'], [m.int as m.Schema<unknown>, 'a131']]
    for (const [schema, hex] of broken) expect(() => m.decode(schema, fromHex(hex)), hex).toThrow(expect.objectContaining({ name: 'DecodeError' }))
  })
})
