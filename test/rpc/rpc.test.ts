import { fromHex, toHex } from 'multiformats/bytes'
import { CID } from 'multiformats/cid'
import { describe, expect, it, vi } from 'vitest'
import { rpcProtocol } from '../../src/cluster/types.ts'
import { silentLogger } from '../../src/component.ts'
import { serveRpc } from '../../src/rpc/server.ts'
import { callHeader } from '../../src/rpc/method-schemas.ts'
import { rpcPolicy, type NodeWithMeta, type RpcMethodName } from '../../src/rpc/methods.ts'
import { exchange, openPair, openServed, readAll } from './peers.ts'
import type { PinInfo } from '../../src/pin/pin-info.ts'
import type { CallContext, RpcHandlers } from '../../src/rpc/rpc.ts'

const cid = CID.parse('bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq')
const all = async <T>(values: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = []
  for await (const value of values) list.push(value)
  return list
}

/** Rejects when the caller is gone. */
const untilGone = async ({ signal }: CallContext): Promise<never> => {
  if (!signal.aborted) await new Promise((resolve) => { signal.addEventListener('abort', resolve, { once: true }) })
  throw signal.reason
}

const infoOf = (peer: PinInfo['peer'], attemptCount: number): PinInfo => ({
  cid, name: 'n', allocations: [], origins: [], created: 1_700_000_000_000, metadata: {}, peer, peerName: 'p', ipfsId: undefined, ipfsAddresses: [], status: 'pinned', timestamp: 1_700_000_000_000, error: '', attemptCount, priorityPin: false
})

describe('unary calls', () => {
  it('carry values both ways and name the caller', async () => {
    const served = await openServed({ 'PinTracker.Status': async (asked, { caller }) => ({ ...infoOf(caller, 3), cid: asked }) })
    const info = await served.client.call(served.callee.peerId, 'PinTracker.Status', cid)
    expect(info).toEqual(infoOf(served.caller.peerId, 3))
  })

  it('to ourselves never touch the network and keep their errors', async () => {
    const failure = new TypeError('mine')
    const pair = await openPair({}, { 'Cluster.Version': async () => 'v', 'PinTracker.Status': async () => { throw failure } })
    const open = vi.spyOn(pair.caller, 'openStream')
    expect(await pair.client.call(pair.caller.peerId, 'Cluster.Version', {})).toBe('v')
    await expect(pair.client.call(pair.caller.peerId, 'PinTracker.Status', cid)).rejects.toBe(failure)
    await expect(pair.client.call(pair.caller.peerId, 'Cluster.ID', {})).rejects.toMatchObject({ name: 'RpcError', kind: 'server', message: "rpc: can't find method ID" })
    expect(open).not.toHaveBeenCalled()
  })

  it('bring the error of the method', async () => {
    const served = await openServed({ 'Cluster.Version': async () => { throw new Error('boom') } })
    await expect(served.client.call(served.callee.peerId, 'Cluster.Version', {})).rejects.toMatchObject({ name: 'RpcError', kind: 'application', message: 'boom' })
  })

  it('never bring an empty error text', async () => {
    const served = await openServed({ 'Cluster.Version': async () => { throw new Error('') } })
    await expect(served.client.call(served.callee.peerId, 'Cluster.Version', {})).rejects.toMatchObject({ name: 'RpcError', message: 'unknown error' })
  })

  it('fail with the reason of the signal, and cancel the method', async () => {
    const gone = Promise.withResolvers<unknown>()
    const called = Promise.withResolvers<void>()
    const served = await openServed({ 'Cluster.Version': async (_argument, context) => {
      called.resolve()
      return await untilGone(context).catch((error: unknown) => { gone.resolve(error); throw error })
    } })
    const abort = new AbortController()
    const call = served.client.call(served.callee.peerId, 'Cluster.Version', {}, { signal: abort.signal })
    await called.promise
    const reason = new Error('enough')
    abort.abort(reason)
    await expect(call).rejects.toBe(reason)
    expect(await gone.promise).toMatchObject({ name: 'RpcError' })
    await expect(served.client.call(served.callee.peerId, 'Cluster.Version', {}, { signal: abort.signal })).rejects.toBe(reason)
  })

  it('a caller that ends its side early still gets its answer', async () => {
    const served = await openServed({ 'Cluster.Version': async () => '1' })
    expect(await exchange(served, toHex(callHeader('Cluster.Version')) + '80', { halfClose: true })).toContain('a131')
  })

  it('that get no answer say so', async () => {
    const pair = await openPair()
    await pair.callee.handle(rpcProtocol, (stream) => { stream.closeWrite().catch(() => {}) })
    await expect(pair.client.call(pair.callee.peerId, 'Cluster.Version', {})).rejects.toMatchObject({ name: 'RpcError', kind: 'client' })
    await pair.callee.handle(rpcProtocol, (stream) => { stream.abort(new Error('no')) })
    await expect(pair.client.call(pair.callee.peerId, 'Cluster.Version', {})).rejects.toMatchObject({ name: 'StreamResetError' })
  })

  it('refuse replies that are broken, cut off or too large', async () => {
    const pair = await openPair()
    for (const answer of ['c1', '80' + '81a176', '80' + '81a17601', 'dbffffffff', '80' + 'c6ffffffff', '80']) {
      await pair.callee.unhandle(rpcProtocol)
      await pair.callee.handle(rpcProtocol, (stream) => { stream.write(fromHex(answer)).then(async () => { await stream.closeWrite() }).catch(() => {}) })
      await expect(pair.client.call(pair.callee.peerId, 'Cluster.Version', {}), answer).rejects.toMatchObject({ name: 'DecodeError' })
    }
  })
})

describe('access', () => {
  const methods = Object.entries(rpcPolicy)

  it('follows the table for every name, before any argument is read', async () => {
    const reached: string[] = []
    const handlers = Object.fromEntries(methods.map(([name]) => [name, () => { reached.push(name); throw new Error('reached') }])) as RpcHandlers
    for (const trusted of [false, true]) {
      const served = await openServed(handlers, { trusted })
      for (const [name, access] of methods) {
        const [service = '', method = ''] = name.split('.')
        const text = (value: string): string => toHex(Uint8Array.of(0xa0 | value.length, ...new TextEncoder().encode(value)))
        const stream = await served.caller.openStream(served.callee.peerId, rpcProtocol)
        await stream.write(fromHex('82a44e616d65' + text(service) + 'a64d6574686f64' + text(method)))
        const refused = access === 'closed' || (access === 'trusted' && !trusted)
        if (!refused) await stream.write(fromHex('c0')).then(async () => { await stream.closeWrite() })
        const answer = await readAll(stream)
        expect(answer.includes(toHex(new TextEncoder().encode(`client does not have permissions to call ${name}`))), `${name}, trusted: ${trusted}`).toBe(refused)
        await stream.closeWrite()
      }
    }
    expect(reached.filter((name) => rpcPolicy[name as RpcMethodName] !== 'open' && rpcPolicy[name as RpcMethodName] !== 'trusted')).toEqual([])
    expect(reached).toContain('Cluster.IDStream')
  })

  it('can be closed further', async () => {
    const served = await openServed({ 'Cluster.RepoGCLocal': async (_argument, { caller }) => ({ peer: caller, peerName: '', keys: [], error: '' }) }, { closed: ['Cluster.RepoGCLocal'] })
    await expect(served.client.call(served.callee.peerId, 'Cluster.RepoGCLocal', {})).rejects.toMatchObject({ kind: 'authorization', message: 'client does not have permissions to call Cluster.RepoGCLocal' })
  })

  it('tells a stream caller while it still sends', async () => {
    const served = await openServed({ 'IPFSConnector.BlockStream': async function * () { yield {} } }, { trusted: false, network: { window: 4096 } })
    let taken = 0
    let left = false
    function * endless (): Generator<NodeWithMeta> {
      try { for (;;) { taken++; yield { cid, bytes: new Uint8Array(65_536), cumulativeSize: 1n } } } finally { left = true }
    }
    await expect(all(served.client.stream(served.callee.peerId, 'IPFSConnector.BlockStream', endless()))).rejects.toMatchObject({ name: 'RpcError', kind: 'authorization' })
    await vi.waitFor(() => { expect(left).toBe(true) })
    expect(taken).toBeLessThan(100)
  })

  it('a method of the table that is not served does not exist', async () => {
    const served = await openServed({})
    await expect(served.client.call(served.callee.peerId, 'Consensus.AddPeer', served.caller.peerId)).rejects.toMatchObject({ kind: 'server', message: "rpc: can't find method AddPeer" })
    await expect(all(served.client.stream(served.callee.peerId, 'Cluster.Peers', []))).rejects.toMatchObject({ kind: 'server', message: "rpc: can't find method Peers" })
  })
})

describe('stream calls', () => {
  it('carry many values both ways', async () => {
    const served = await openServed({ 'PinTracker.StatusAll': async function * (filters, { caller }) { for await (const filter of filters) for (let i = 0; i < filter; i++) yield infoOf(caller, i) } }, { network: { chunkSize: [1, 3000], window: 10_000 } })
    const infos = await all(served.client.stream(served.callee.peerId, 'PinTracker.StatusAll', [1000, 0, 2000]))
    expect(infos.map(({ attemptCount }) => attemptCount)).toEqual([...Array(1000).keys(), ...Array(2000).keys()])
  })

  it('answer while arguments still come', async () => {
    const served = await openServed({ 'PinTracker.StatusAll': async function * (filters, { caller }) { for await (const filter of filters) yield infoOf(caller, filter) } })
    let answered = Promise.withResolvers<void>()
    async function * filters (): AsyncGenerator<number> {
      for (let i = 0; i < 3; i++) {
        answered = Promise.withResolvers<void>()
        yield i
        await answered.promise
      }
    }
    const counts: number[] = []
    for await (const { attemptCount } of served.client.stream(served.callee.peerId, 'PinTracker.StatusAll', filters())) {
      counts.push(attemptCount)
      answered.resolve()
    }
    expect(counts).toEqual([0, 1, 2])
  })

  it('bring values and then the error', async () => {
    const served = await openServed({ 'PinTracker.StatusAll': async function * (_filters, { caller }) { yield infoOf(caller, 1); throw new Error('half-way') } })
    const seen: number[] = []
    await expect((async () => { for await (const { attemptCount } of served.client.stream(served.callee.peerId, 'PinTracker.StatusAll', [0])) seen.push(attemptCount) })()).rejects.toMatchObject({ name: 'RpcError', kind: 'application', message: 'half-way' })
    expect(seen).toEqual([1])
  })

  it('reset when the caller leaves early, which cancels the method', async () => {
    const gone = Promise.withResolvers<void>()
    const served = await openServed({ 'PinTracker.StatusAll': async function * (_filters, { caller, signal }) {
      signal.addEventListener('abort', () => { gone.resolve() }, { once: true })
      for (let i = 0; ; i++) yield infoOf(caller, i)
    } })
    for await (const { attemptCount } of served.client.stream(served.callee.peerId, 'PinTracker.StatusAll', [0])) if (attemptCount === 10) break
    await gone.promise
  })

  it('end with the reason of the signal', async () => {
    const served = await openServed({ 'PinTracker.StatusAll': async function * (_filters, context) { yield infoOf(context.caller, 0); await untilGone(context) } })
    const abort = new AbortController()
    const reason = new Error('enough')
    await expect((async () => { for await (const _info of served.client.stream(served.callee.peerId, 'PinTracker.StatusAll', [0], { signal: abort.signal })) abort.abort(reason) })()).rejects.toBe(reason)
    await expect(all(served.client.stream(served.callee.peerId, 'PinTracker.StatusAll', [0], { signal: abort.signal }))).rejects.toBe(reason)
  })

  it('fail with the error of the arguments, which resets the stream', async () => {
    const ended = Promise.withResolvers<unknown>()
    const taken = Promise.withResolvers<void>()
    const served = await openServed({ 'IPFSConnector.BlockStream': async function * (nodes) {
      try { for await (const node of nodes) if (node.bytes.length === 3) taken.resolve() } catch (error) { ended.resolve(error) }
      yield * []
    } })
    const failure = new Error('disk gone')
    async function * nodes (): AsyncGenerator<NodeWithMeta> {
      yield { cid, bytes: Uint8Array.of(1, 2, 3), cumulativeSize: 3n }
      await taken.promise
      throw failure
    }
    await expect(all(served.client.stream(served.callee.peerId, 'IPFSConnector.BlockStream', nodes()))).rejects.toBe(failure)
    expect(await ended.promise).toBeInstanceOf(Error)
  })

  it('make the source of blocks wait for the peer that stores them', async () => {
    const size = 100_000
    const window = 300_000
    let [sent, stored, furthestAhead] = [0, 0, 0]
    const served = await openServed({ 'IPFSConnector.BlockStream': async function * (nodes) {
      for await (const node of nodes) {
        await new Promise((resolve) => { setTimeout(resolve, 0) })
        stored += node.bytes.length
      }
      yield * []
    } }, { network: { window } })
    function * nodes (): Generator<NodeWithMeta> {
      for (; sent < 50 * size; sent += size) {
        furthestAhead = Math.max(furthestAhead, sent - stored)
        yield { cid, bytes: new Uint8Array(size).fill(sent), cumulativeSize: BigInt(size) }
      }
    }
    expect(await all(served.client.stream(served.callee.peerId, 'IPFSConnector.BlockStream', nodes()))).toEqual([])
    expect(furthestAhead).toBeLessThanOrEqual(window + 3 * size)
    expect(stored).toBe(50 * size)
  })

  it('to ourselves never touch the network; leaving early ends the method', async () => {
    let left = false
    const pair = await openPair({}, { 'PinTracker.StatusAll': async function * (filters, { caller }) { try { for await (const filter of filters) yield infoOf(caller, filter) } finally { left = true } } })
    const open = vi.spyOn(pair.caller, 'openStream')
    const counts = (await all(pair.client.stream(pair.caller.peerId, 'PinTracker.StatusAll', [4, 5]))).map(({ attemptCount }) => attemptCount)
    expect([counts, left]).toEqual([[4, 5], true])
    left = false
    for await (const _info of pair.client.stream(pair.caller.peerId, 'PinTracker.StatusAll', [4, 5])) break
    expect(left).toBe(true)
    await expect(all(pair.client.stream(pair.caller.peerId, 'Cluster.IDStream', []))).rejects.toMatchObject({ name: 'RpcError', kind: 'server' })
    expect(open).not.toHaveBeenCalled()
  })

  it('refuse broken arguments and replies', async () => {
    const served = await openServed({ 'PinTracker.StatusAll': async function * (filters, { caller }) { for await (const filter of filters) yield infoOf(caller, filter) } })
    const answer = await exchange(served, toHex(callHeader('PinTracker.StatusAll')) + '05' + 'a178', { halfClose: true })
    expect(answer).toContain('a745727254797065' + '01' + 'c0')
    const pair = await openPair()
    await pair.callee.handle(rpcProtocol, (stream) => { stream.write(fromHex('8080')).then(async () => { await stream.closeWrite() }).catch(() => {}) })
    await expect(all(pair.client.stream(pair.callee.peerId, 'Cluster.Peers', []))).rejects.toMatchObject({ name: 'DecodeError' })
  })
})

describe('stopping', () => {
  it('resets what is running and serves no more', async () => {
    const called = Promise.withResolvers<void>()
    const served = await openServed({ 'Cluster.Version': async (_argument, context) => { called.resolve(); return await untilGone(context) } })
    const call = served.client.call(served.callee.peerId, 'Cluster.Version', {})
    const failed = expect(call).rejects.toMatchObject({ name: 'StreamResetError' })
    await called.promise
    await served.stop()
    await failed
    await expect(served.client.call(served.callee.peerId, 'Cluster.Version', {})).rejects.toMatchObject({ name: 'UnsupportedProtocolError' })
  })
})

describe('a caller that says nothing', () => {
  it('is cut off in time, so that its stream is free again', async () => {
    const pair = await openPair()
    const sleeps: Array<() => void> = []
    const stop = await serveRpc({
      transport: pair.callee, handlers: {}, trust: { isTrusted: () => true }, logger: silentLogger,
      clock: { now: () => 0, sleep: async (_ms, { signal } = {}) => {
        const { promise, resolve, reject } = Promise.withResolvers<void>()
        signal?.addEventListener('abort', () => { reject(new Error('aborted')) }, { once: true })
        sleeps.push(resolve)
        await promise
      } }
    })
    const stream = await pair.caller.openStream(pair.callee.peerId, rpcProtocol)
    await vi.waitFor(() => { expect(sleeps).toHaveLength(1) })
    sleeps[0]?.()
    await expect(readAll(stream)).rejects.toMatchObject({ name: 'StreamResetError' })
    await stop()
  })
})
