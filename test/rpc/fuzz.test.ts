import fc from 'fast-check'
import { fromHex, toHex } from 'multiformats/bytes'
import { expect, it } from 'vitest'
import { rpcProtocol } from '../../src/cluster/types.ts'
import { callHeader, methodSchemas } from '../../src/rpc/method-schemas.ts'
import live from '../vectors/wire/live-capture.json' with { type: 'json' }
import streams from '../vectors/wire/rpc-streams.json' with { type: 'json' }
import { openPair, openServed, readAll } from './peers.ts'
import type { RpcMethodName } from '../../src/rpc/methods.ts'
import type { RpcHandlers } from '../../src/rpc/rpc.ts'

const methods = Object.keys(methodSchemas) as RpcMethodName[]
const requests = [...streams.map(({ client_to_server_hex: hex }) => hex), ...live.calls_probe_to_go.map(({ request_hex: hex }) => hex)].map(fromHex)
const answers = [...streams.map(({ server_to_client_hex: hex }) => hex), ...live.calls_probe_to_go.map(({ response_hex: hex }) => hex)].filter((hex) => hex !== '').map(fromHex)

const joined = (...parts: Uint8Array[]): Uint8Array => fromHex(parts.map(toHex).join(''))
/** Valid bytes with a byte changed, cut off, or with anything after them. */
const spoiled = (valid: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> => fc.tuple(fc.constantFrom(...valid), fc.nat(), fc.nat(255), fc.nat(), fc.uint8Array({ maxLength: 20 })).map(([bytes, at, byte, cut, more]) => {
  const changed = bytes.with(at % bytes.length, byte)
  return joined(cut % 3 === 0 ? changed.subarray(0, cut % bytes.length) : changed, cut % 3 === 1 ? more : new Uint8Array())
})
const oversized = fc.tuple(fc.constantFrom(...methods), fc.constantFrom('dbffffffff', 'c6ffffffff', 'ddffffffff', 'dfffffffff', 'c9ffffffff01', '81a163ddffffffff')).map(([method, hex]) => joined(callHeader(method), fromHex(hex)))
const anyArgument = fc.tuple(fc.constantFrom(...methods), fc.uint8Array({ maxLength: 60 })).map(([method, bytes]) => joined(callHeader(method), bytes))
const input = fc.oneof(fc.uint8Array({ maxLength: 100 }), spoiled(requests), oversized, anyArgument)

const drained = async function * (values: AsyncIterable<unknown>): AsyncGenerator<never> {
  for await (const value of values) expect(value).toBeDefined()
  yield * []
}
const handlers = Object.fromEntries(methods.map((method) => [method, methodSchemas[method].kind === 'stream' ? drained : async () => { throw new Error('called') }])) as RpcHandlers

it('the server answers any bytes or ends the stream, and goes on serving', async () => {
  const served = await openServed({ ...handlers, 'Cluster.Version': async () => 'alive' }, { patient: true, network: { chunkSize: [1, 64] } })
  await fc.assert(fc.asyncProperty(input, fc.constantFrom('close', 'reset'), async (bytes, end) => {
    const stream = await served.caller.openStream(served.callee.peerId, rpcProtocol)
    await stream.write(bytes).catch(() => {})
    if (end === 'reset') stream.abort(new Error('fuzz'))
    else await stream.closeWrite()
    await readAll(stream).catch(() => '')
    expect(await served.client.call(served.callee.peerId, 'Cluster.Version', {})).toBe('alive')
  }), { numRuns: 400 })
}, 30_000)

it('the client takes any bytes for a value or a typed error', async () => {
  const pair = await openPair({ chunkSize: [1, 64] })
  let answer: Uint8Array = new Uint8Array()
  await pair.callee.handle(rpcProtocol, (stream) => {
    stream.write(answer).then(async () => {
      await stream.closeWrite()
      await readAll(stream)
    }).catch(() => {})
  })
  await fc.assert(fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 100 }), spoiled(answers)), async (bytes) => {
    answer = bytes
    const outcomes = await Promise.allSettled([
      pair.client.call(pair.callee.peerId, 'Cluster.ID', {}),
      pair.client.call(pair.callee.peerId, 'IPFSConnector.SwarmPeers', {}),
      (async () => { for await (const info of pair.client.stream(pair.callee.peerId, 'PinTracker.StatusAll', [0])) expect(info.cid).toBeDefined() })()
    ])
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ name: expect.stringMatching(/^(RpcError|DecodeError)$/) as string })
  }), { numRuns: 300 })
}, 30_000)
