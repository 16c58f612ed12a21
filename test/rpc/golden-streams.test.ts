import { CID } from 'multiformats/cid'
import { fromHex, toHex } from 'multiformats/bytes'
import { describe, expect, it } from 'vitest'
import { callHeader, methodSchemas } from '../../src/rpc/method-schemas.ts'
import { decode, encode, type Schema } from '../../src/rpc/msgpack.ts'
import { ValueReader } from '../../src/rpc/value-reader.ts'
import live from '../vectors/wire/live-capture.json' with { type: 'json' }
import streams from '../vectors/wire/rpc-streams.json' with { type: 'json' }
import { kept } from './golden.ts'
import { exchange, openPair, openServed, replay } from './peers.ts'
import type { RpcMethodName } from '../../src/rpc/methods.ts'
import type { RpcHandlers } from '../../src/rpc/rpc.ts'
import type { RpcClient } from '../../src/rpc/rpc.ts'
import type { PeerId } from '@libp2p/interface'

const cid = CID.parse('bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq')
const vector = (name: string): { readonly client: string, readonly server: string } => {
  const found = streams.find((stream) => stream.name.startsWith(name))
  if (found === undefined) throw new Error(`no vector ${name}`)
  return { client: found.client_to_server_hex, server: kept(found.server_to_client_hex) }
}

/** A handler's answer that takes all and gives nothing. */
async function * sink<T> (values: AsyncIterable<T>, take: (value: T) => void): AsyncGenerator<Record<string, never>> {
  for await (const value of values) take(value)
  yield * []
}

async function * once (bytes: Uint8Array): AsyncGenerator<Uint8Array> { yield bytes }

/** The replies of a golden answer. */
async function repliesOf<T> (hex: string, schema: Schema<T>): Promise<T[]> {
  const reader = new ValueReader(once(fromHex(hex)))
  const replies: T[] = []
  while (await reader.next(1 << 20) !== undefined) {
    const reply = await reader.next(1 << 20)
    if (reply !== undefined) replies.push(decode(schema, reply))
  }
  return replies
}

async function handlersOf (): Promise<RpcHandlers> {
  const [id] = await repliesOf(vector('Cluster.ID unary').server, methodSchemas['Cluster.ID'].reply)
  const infos = await repliesOf(vector('PinTracker.StatusAll').server, methodSchemas['PinTracker.StatusAll'].reply)
  const [info] = infos
  if (id === undefined || info === undefined) throw new Error('no vectors')
  return {
    'Cluster.ID': async () => id,
    'Cluster.IDStream': async function * () { yield id },
    'Cluster.PeerAdd': async () => id,
    'Cluster.Version': async () => '1.1.6',
    'PinTracker.StatusAll': async function * () { yield * infos },
    'PinTracker.Status': async () => info,
    'IPFSConnector.RepoStat': async () => ({ repoSize: 1000n, storageMax: 10_000_000_000n }),
    'IPFSConnector.SwarmPeers': async () => [],
    'IPFSConnector.BlockStream': (nodes) => sink(nodes, (node) => {
      expect(toHex(callHeader('IPFSConnector.BlockStream')) + toHex(encode(methodSchemas['IPFSConnector.BlockStream'].argument, node))).toBe(vector('IPFSConnector.BlockStream').client)
    })
  }
}

describe('our server, byte for byte', () => {
  for (const chunkSize of [1, 13, 65_536]) {
    for (const { name, client_to_server_hex: request, server_to_client_hex: answer } of streams) {
      it(`answers ${name} as Go does, in pieces of ${chunkSize}`, async () => {
        const served = await openServed(await handlersOf(), { trusted: !name.startsWith('auth error'), network: { chunkSize } })
        expect(await exchange(served, request, { halfClose: name.endsWith('streaming') })).toBe(kept(answer))
      })
    }
  }

  for (const { call, request_hex: request, response_hex: answer } of live.calls_probe_to_go) {
    const refused = answer.includes('a745727254797065')
    const fixed = /RepoStat|SwarmPeers|Version/.test(call)
    if (!refused && !fixed) continue
    it(`answers the live call ${call} as the live Go peer did`, async () => {
      expect(await exchange(await openServed(await handlersOf()), request, { halfClose: false })).toBe(answer)
    })
  }

  it('answers everything a live Go peer asked', async () => {
    const served = await openServed({ ...await handlersOf(), 'PinTracker.Recover': (await handlersOf())['PinTracker.Status'] as never, 'Cluster.RecoverAllLocal': async function * () {}, 'Cluster.Peers': async function * () {} })
    for (const { call, request_hex: request } of live.calls_go_to_probe) {
      if (call === 'Cluster.RepoGCLocal') continue
      const answer = await exchange(served, request, { halfClose: /IDStream|StatusAll|RecoverAll|Peers/.test(call) })
      expect(answer, call).not.toContain('a54572726f72')
    }
  })
})

type Calls = Readonly<Record<string, (client: RpcClient, peer: PeerId) => Promise<unknown>>>
const all = async <T>(values: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = []
  for await (const value of values) list.push(value)
  return list
}
const calls: Calls = {
  'Cluster.ID': async (client, peer) => await client.call(peer, 'Cluster.ID', {}),
  'Cluster.IDStream': async (client, peer) => await all(client.stream(peer, 'Cluster.IDStream', [])),
  'Cluster.Version': async (client, peer) => await client.call(peer, 'Cluster.Version', {}),
  'Cluster.PeerAdd': async (client, peer) => await client.call(peer, 'Cluster.PeerAdd', peer),
  'Cluster.Peers': async (client, peer) => await all(client.stream(peer, 'Cluster.Peers', [])),
  'Cluster.RecoverAllLocal': async (client, peer) => await all(client.stream(peer, 'Cluster.RecoverAllLocal', [])),
  'Cluster.RepoGCLocal': async (client, peer) => await client.call(peer, 'Cluster.RepoGCLocal', {}),
  'PinTracker.Status': async (client, peer) => await client.call(peer, 'PinTracker.Status', cid),
  'PinTracker.Recover': async (client, peer) => await client.call(peer, 'PinTracker.Recover', cid),
  'PinTracker.StatusAll': async (client, peer) => await all(client.stream(peer, 'PinTracker.StatusAll', [0])),
  'IPFSConnector.RepoStat': async (client, peer) => await client.call(peer, 'IPFSConnector.RepoStat', {}),
  'IPFSConnector.SwarmPeers': async (client, peer) => await client.call(peer, 'IPFSConnector.SwarmPeers', {})
}

describe('our client, byte for byte', () => {
  const unary = [...streams.filter(({ name }) => name.endsWith(' unary') && !name.startsWith('auth')).map((stream) => ({ call: stream.name, request: stream.client_to_server_hex, answer: stream.server_to_client_hex })),
    ...live.calls_probe_to_go.filter(({ call, request_hex: hex }) => calls[call.split(' ')[0] ?? ''] !== undefined && !hex.endsWith('c0') && !/Stream|All/.test(call)).map((stream) => ({ call: stream.call, request: stream.request_hex, answer: stream.response_hex }))]
  for (const { call, request, answer } of unary) {
    it(`${call}: asks as Go does, keeps its side open until the answer is in, and understands it`, async () => {
      const method = call.split(' ')[0] as RpcMethodName
      const pair = await openPair({ chunkSize: 17 })
      const recorded = await replay(pair, answer, request.length / 2)
      const argument = request.slice(toHex(callHeader(method)).length)
      const reply = method === 'Cluster.PeerAdd' ? await pair.client.call(pair.callee.peerId, method, decode(methodSchemas[method].argument, fromHex(argument))) : await calls[method]?.(pair.client, pair.callee.peerId)
      expect(recorded).toEqual({ sent: request, events: ['answer', 'end'] })
      const [expected] = await repliesOf(answer, methodSchemas[method].reply as Schema<unknown>)
      expect(reply).toEqual(expected)
    })
  }

  for (const name of ['Cluster.IDStream', 'PinTracker.StatusAll'] as const) {
    it(`${name}: asks as Go does, ends its side, and understands the answer`, async () => {
      const { client: request, server: answer } = vector(name)
      const pair = await openPair({ chunkSize: 17 })
      const recorded = await replay(pair, answer)
      expect(await calls[name]?.(pair.client, pair.callee.peerId)).toEqual(await repliesOf(answer, methodSchemas[name].reply as Schema<unknown>))
      expect(recorded).toEqual({ sent: request, events: ['end', 'answer'] })
    })
  }

  it('BlockStream: sends its blocks as Go does', async () => {
    const { client: request, server: answer } = vector('IPFSConnector.BlockStream')
    const pair = await openPair()
    const recorded = await replay(pair, answer)
    const node = decode(methodSchemas['IPFSConnector.BlockStream'].argument, fromHex(request.slice(toHex(callHeader('IPFSConnector.BlockStream')).length)))
    expect(await all(pair.client.stream(pair.callee.peerId, 'IPFSConnector.BlockStream', [node]))).toEqual([])
    expect(recorded.sent).toBe(request)
  })

  it('asks with the bytes a live Go peer asks with', async () => {
    for (const { call, request_hex: request } of live.calls_go_to_probe) {
      const pair = await openPair()
      const recorded = await replay(pair, 'c0', request.length / 2)
      await calls[call]?.(pair.client, pair.callee.peerId).catch(() => {})
      expect(recorded.sent.slice(0, request.length), call).toBe(request)
    }
  })

  it('names the kind of an error and drops the body after it', async () => {
    const refusals = live.calls_probe_to_go.filter(({ response_hex: hex }) => hex.includes('a745727254797065')).map(({ response_hex: hex }) => hex)
    expect(refusals).toHaveLength(3)
    for (const [index, answer] of [vector('auth error').server, ...refusals].entries()) {
      const pair = await openPair()
      await replay(pair, answer, 1)
      const wanted = { name: 'RpcError', kind: index < 2 ? 'authorization' : 'server', message: expect.stringMatching(/^client does not have permissions to call PinTracker\.|^rpc: can't find /) as string }
      await expect(calls['PinTracker.Status']?.(pair.client, pair.callee.peerId)).rejects.toMatchObject(wanted)
      await expect(calls['Cluster.IDStream']?.(pair.client, pair.callee.peerId)).rejects.toMatchObject(wanted)
    }
  })
})
