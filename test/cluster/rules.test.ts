import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { describe, expect, it } from 'vitest'
import { DeadlineError, within } from '../../src/cluster/deadline.ts'
import { preparePin } from '../../src/cluster/pin-rules.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { createRpcClient } from '../../src/rpc/client.ts'
import { collect, ManualClock, settle, testCid, testPeer } from '../contract/values.ts'
import { runningCluster } from './test-cluster.ts'
import type { Pin } from '../../src/pin/pin.ts'

const everywhere = { replicationFactorMin: -1, replicationFactorMax: -1 }
const defaults = { replicationFactorMin: 2, replicationFactorMax: 3 }
const now = 1_000_000
const pin = (change: Partial<Pin> = {}): Pin => ({ ...pinWith(testCid(1), everywhere), ...change })

describe('rules of pins', () => {
  it('fill in the cluster\'s factors, each by itself', () => {
    expect(preparePin(pinWith(testCid(1)), undefined, defaults, now)).toMatchObject(defaults)
    expect(preparePin(pinWith(testCid(1), { replicationFactorMax: 5 }), undefined, defaults, now)).toMatchObject({ replicationFactorMin: 2, replicationFactorMax: 5 })
    expect(() => preparePin(pinWith(testCid(1), { replicationFactorMin: 5 }), undefined, defaults, now)).toThrow('replication_factor_min is larger')
    expect(() => preparePin(pinWith(testCid(1)), undefined, { replicationFactorMin: 0, replicationFactorMax: 0 }, now)).toThrow('cluster.replication_factor_min and max must be set')
    expect(() => preparePin(pin({ replicationFactorMin: -5, replicationFactorMax: -3 }), undefined, defaults, now)).toThrow('cluster.replication_factor_min is wrong')
  })

  it('keep preset allocations unless the pin is everywhere', () => {
    expect(preparePin(pin({ allocations: [testPeer(1)] }), undefined, defaults, now).allocations).toEqual([])
    expect(preparePin(pin({ ...defaults, allocations: [testPeer(1)] }), undefined, defaults, now).allocations).toHaveLength(1)
  })

  it.each<readonly [string, Partial<Pin>, Partial<Pin>]>([
    ['cannot repin CID with different tracking method, clear state with pin rm to proceed. New: pin. Was: shard-pin', {}, { type: 'shard-pin' }],
    ['data pins should not reference other pins', { reference: testCid(2) }, {}],
    ['must pin shards go depth 1', { type: 'shard-pin', maxDepth: 2 }, { type: 'shard-pin' }],
    ['must pin roots directly', { type: 'clusterdag-pin' }, { type: 'clusterdag-pin' }],
    ['clusterDAG pins should reference a Meta pin', { type: 'clusterdag-pin', maxDepth: 0, mode: 'direct' }, { type: 'clusterdag-pin', maxDepth: 0, mode: 'direct' }],
    ['metaPins should reference a ClusterDAG', { type: 'meta-pin' }, { type: 'meta-pin' }],
    ['meta pin should not specify allocations', { type: 'meta-pin', ...defaults, allocations: [testPeer(1)] }, { type: 'meta-pin' }],
    ['unrecognized pin type', { type: 'bad-type' }, { type: 'bad-type' }]
  ])('refuse: %s', (reason, requested, existing) => {
    expect(() => preparePin(pin(requested), pin(existing), defaults, now)).toThrow(reason)
  })
})

describe('sharded content', () => {
  it('goes as a whole, and no part of it by itself', async () => {
    const cluster = await runningCluster(1)
    const { peer, connector } = cluster.at(0)
    const shards = [testCid(10), testCid(11)]
    const bytes = dagCbor.encode({ 0: shards[0], 1: shards[1] })
    const clusterDag = CID.createV1(dagCbor.code, await sha256.digest(bytes))
    connector.addBlock({ cid: clusterDag, bytes })
    const root = testCid(1)
    const { log } = peer.consensus
    for (const shard of shards) await log.put({ ...pinWith(shard, everywhere), type: 'shard-pin', maxDepth: 1 })
    await log.put({ ...pinWith(clusterDag, { ...everywhere, mode: 'direct' }), type: 'clusterdag-pin', reference: root })
    await log.put({ ...pinWith(root, everywhere), type: 'meta-pin', reference: clusterDag })
    expect([...(await peer.status(root)).peerMap.values()].map(({ status }) => status)).toEqual(['sharded'])
    await expect(peer.unpin(testCid(10))).rejects.toThrow('cannot unpin a shard directly. Unpin content root CID instead')
    await expect(peer.unpin(clusterDag)).rejects.toThrow('cannot unpin a Cluster DAG directly. Unpin content root CID instead')
    await expect(peer.pin(testCid(2), { pinUpdate: root })).rejects.toThrow('this pin type cannot be updated')
    expect((await peer.unpin(root)).type).toBe('meta-pin')
    expect(await collect(peer.pins())).toEqual([])
  })
})

describe('what a peer serves', () => {
  it('is every open and trusted method', async () => {
    const cluster = await runningCluster(2)
    const [caller, served] = [cluster.at(0), cluster.at(1)]
    const rpc = createRpcClient({ transport: caller.transport, local: {}, clock: cluster.clock })
    const to = served.id
    await caller.peer.pin(testCid(1))
    await cluster.until(async () => { expect((await rpc.call(to, 'PinTracker.Status', testCid(1))).status).toBe('pinned') })
    expect(await rpc.call(to, 'Cluster.Version', {})).toBe(served.peer.version())
    expect((await rpc.call(to, 'Cluster.ID', {})).peerName).toBe('peer-2')
    expect((await rpc.call(to, 'Cluster.PeerAdd', caller.id)).id.equals(caller.id)).toBe(true)
    expect(await collect(rpc.stream(to, 'Cluster.Peers', []))).toHaveLength(2)
    expect(await collect(rpc.stream(to, 'Cluster.IDStream', []))).toHaveLength(1)
    for (const filters of [[], [0], [16]]) expect(await collect(rpc.stream(to, 'PinTracker.StatusAll', filters))).toHaveLength(1)
    expect(await collect(rpc.stream(to, 'PinTracker.StatusAll', [256]))).toEqual([])
    expect((await rpc.call(to, 'IPFSConnector.RepoStat', {})).storageMax).toBeGreaterThan(0n)
    expect(await rpc.call(to, 'IPFSConnector.SwarmPeers', {})).toEqual([])
    expect((await rpc.call(to, 'Cluster.RepoGCLocal', {})).peerName).toBe('peer-2')
    served.connector.losePin(testCid(1))
    expect((await collect(rpc.stream(to, 'Cluster.RecoverAllLocal', []))).map(({ cid }) => cid.equals(testCid(1)))).toEqual([true])
    await cluster.until(async () => { expect((await rpc.call(to, 'PinTracker.Recover', testCid(1))).status).toBe('pinned') })
    expect((await rpc.call(to, 'Cluster.RecoverLocal', testCid(1))).status).toBe('pinned')
    await expect(rpc.call(to, 'Cluster.RecoverLocal', testCid(2))).rejects.toThrow('pin is not part of the pinset')
    await expect(collect(rpc.stream(to, 'IPFSConnector.BlockStream', []))).rejects.toThrow('none were sent')
    await rpc.call(to, 'Consensus.LogPin', pinWith(testCid(3), everywhere))
    expect(served.peer.pinCount()).toBe(2)
    await rpc.call(to, 'Consensus.LogUnpin', pinWith(testCid(3)))
    expect(served.peer.pinCount()).toBe(1)
    await rpc.call(to, 'Consensus.AddPeer', testPeer(9))
    await expect(rpc.call(to, 'Consensus.RmPeer', testPeer(9))).rejects.toThrow('crdt consensus component cannot remove peers')
    await expect(rpc.call(to, 'Cluster.PeerRemove', testPeer(9))).rejects.toThrow('crdt consensus component cannot remove peers')
  })

  it('is little for who is not trusted, and no garbage collection on followers', async () => {
    const cluster = await runningCluster(2, { followerMode: true, crdt: { trustedPeers: [] } })
    const rpc = createRpcClient({ transport: cluster.at(0).transport, local: {}, clock: cluster.clock })
    const to = cluster.at(1).id
    await expect(rpc.call(to, 'Cluster.Version', {})).resolves.toBeDefined()
    await expect(rpc.call(to, 'PinTracker.Status', testCid(1))).rejects.toThrow('client does not have permissions to call PinTracker.Status')
    cluster.at(1).peer.consensus.trust.trust(cluster.at(0).id)
    await expect(rpc.call(to, 'PinTracker.Status', testCid(1))).resolves.toBeDefined()
    await expect(rpc.call(to, 'Cluster.RepoGCLocal', {})).rejects.toThrow('client does not have permissions to call Cluster.RepoGCLocal')
  })
})

describe('a deadline', () => {
  it('ends what takes too long, and its signal fires', async () => {
    const clock = new ManualClock()
    let signal: AbortSignal | undefined
    const late = within(clock, 1_000, {}, async (options) => { signal = options.signal; await new Promise<void>(() => {}) })
    const ended = expect(late).rejects.toThrow(DeadlineError)
    await clock.advance(1_000)
    await ended
    expect(signal?.aborted).toBe(true)
    expect(clock.waiting).toBe(0)
  })

  it('is not noticed by what is quick, and yields to the caller\'s signal', async () => {
    const clock = new ManualClock()
    expect(await within(clock, 1_000, {}, async () => 5)).toBe(5)
    const abort = new AbortController()
    const given = expect(within(clock, 1_000, { signal: abort.signal }, async () => { await new Promise<void>(() => {}) })).rejects.toThrow('enough')
    await settle()
    abort.abort(new Error('enough'))
    await given
    expect(clock.waiting).toBe(0)
  })
})
