import { publicKeyFromProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromString } from '@libp2p/peer-id'
import fc from 'fast-check'
import { fromHex, toHex } from 'multiformats/bytes'
import { describe, expect, it } from 'vitest'
import { decodeMetric, encodeMetric } from '../../src/monitor/metric-codec.ts'
import { decodePingValue, encodePingValue } from '../../src/monitor/ping-value.ts'
import { peerIdFromBytes } from '../../src/pin/peer-ids.ts'
import { messageId } from '../../src/transport/message-id.ts'
import live from '../vectors/wire/live-capture.json' with { type: 'json' }
import vectors from '../vectors/wire/pubsub.json' with { type: 'json' }

const peer = peerIdFromString(vectors.from_peer_id)

describe('metric codec', () => {
  const golden = [vectors.metric.data_hex, ...live.pubsub_from_go.filter(({ topic }) => topic === 'monitor.metrics').map(({ data_hex: hex }) => hex)]

  it('reads and writes the metrics of Go', () => {
    for (const hex of golden) expect(toHex(encodeMetric(decodeMetric(fromHex(hex))))).toBe(hex)
  })

  it('reads every value of a live metric', () => {
    for (const { metric: json, data_hex: hex } of live.pubsub_from_go) {
      if (json === undefined) continue
      const { name, value, expire, valid, weight, partitionable, peer: id } = decodeMetric(fromHex(hex))
      const printed = `{"name":${JSON.stringify(name)},"peer":"${id.toString()}","value":${JSON.stringify(value)},"expire":${expire},"valid":${valid},"weight":${weight},"partitionable":${partitionable},"received_at":0}`
      expect(printed).toBe(json)
    }
  })

  it('reads the old prefix', () => {
    const prefix = '09' + toHex(new TextEncoder().encode('/msgpack\n'))
    expect(decodeMetric(fromHex(prefix + vectors.metric.data_hex))).toEqual(decodeMetric(fromHex(vectors.metric.data_hex)))
  })

  it('answers any bytes with a metric or a DecodeError', () => {
    const bytes = fromHex(vectors.metric.data_hex)
    fc.assert(fc.property(fc.oneof(fc.uint8Array(), fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)).map(([at, byte]) => bytes.with(at, byte)), fc.nat(bytes.length - 1).map((end) => bytes.slice(0, end))), (input) => {
      try { decodeMetric(input) } catch (error) { expect(error).toMatchObject({ name: 'DecodeError' }) }
    }), { numRuns: 1000 })
    expect(() => decodeMetric(new Uint8Array(2 << 20))).toThrow(expect.objectContaining({ name: 'DecodeError' }))
  })
})

describe('ping value', () => {
  it('is that of Go, both ways', () => {
    for (const text of [vectors.ping_value_json, vectors.ping_value_empty]) expect(encodePingValue(decodePingValue(text))).toBe(text)
    expect(decodePingValue(decodeMetric(fromHex(vectors.metric.data_hex)).value).peerName).toBe('peer-a')
  })

  it('drops what does not parse and refuses what is no object', () => {
    expect(decodePingValue('{"peer_name":7,"ipfs_id":"x","ipfs_addresses":["nope",1,"/ip4/1.2.3.4/tcp/1","/nope/1"]}')).toMatchObject({ peerName: '', ipfsId: undefined, ipfsAddresses: [expect.objectContaining({})] })
    for (const text of ['', 'null', '[]', '1', '{', 'x'.repeat(300_000)]) expect(() => decodePingValue(text), text.slice(0, 9)).toThrow(expect.objectContaining({ name: 'DecodeError' }))
  })

  it('answers any text with a value or a DecodeError', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json(), fc.jsonValue().map((value) => JSON.stringify({ peer_name: value, ipfs_id: value, ipfs_addresses: value }))), (text) => {
      try { encodePingValue(decodePingValue(text)) } catch (error) { expect(error).toMatchObject({ name: 'DecodeError' }) }
    }))
  })
})

describe('pubsub messages of Go', () => {
  for (const [name, message] of Object.entries({ broadcast: vectors.crdt_broadcast, metric: vectors.metric })) {
    it(`${name}: id`, () => {
      expect(toHex(messageId(peer, BigInt('0x' + message.seqno_hex)))).toBe(message.message_id_hex)
      expect(message.message_id_hex).toHaveLength(48)
    })

    it(`${name}: signature over the message without signature and key`, async () => {
      const signature = fromHex(message.message_hex.slice(-128))
      const signed = fromHex(message.signed_bytes_hex)
      expect(message.signed_bytes_hex).toBe(toHex(new TextEncoder().encode('libp2p-pubsub:')) + message.message_hex.slice(0, -132))
      const key = peer.publicKey
      if (key === undefined) throw new Error('the key is inlined in an Ed25519 peer ID')
      expect(await key.verify(signed, signature)).toBe(true)
      expect(await key.verify(signed, signature.with(0, (signature[0] ?? 0) ^ 1))).toBe(false)
      expect(publicKeyFromProtobuf(peerIdFromBytes(peer.toMultihash().bytes).toMultihash().digest).equals(key)).toBe(true)
    })
  }
})
