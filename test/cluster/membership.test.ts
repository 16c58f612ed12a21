import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { isAnnounced } from '../../src/cluster/announced.ts'
import { collect, testCid, testPeer } from '../contract/values.ts'
import { runningCluster, TestCluster } from './test-cluster.ts'

const texts = (items: ReadonlyArray<{ toString: () => string }>): readonly string[] => items.map(String).toSorted()

describe('members', () => {
  it('tell who they are', async () => {
    const cluster = await runningCluster(3)
    const ids = texts(cluster.members.map(({ id }) => id))
    for (const { peer } of cluster.members) {
      const infos = await collect(peer.peers())
      expect(texts(infos.map(({ id }) => id))).toEqual(ids)
      for (const info of infos) {
        const number = cluster.members.findIndex(({ id }) => id.equals(info.id))
        expect(info).toMatchObject({ peerName: `peer-${number + 1}`, version: peer.version(), commit: '', rpcProtocolVersion: '/ipfscluster/1.0/rpc', error: '', ipfs: { error: '' } })
        expect(info.version).toMatch(/^1\.1\.6\+pinswarm\./)
        expect(info.ipfs?.id?.equals(cluster.at(number).ipfsId)).toBe(true)
        expect(texts(info.clusterPeers)).toEqual(ids)
        expect(info.clusterPeersAddresses).toHaveLength(2)
        expect(info.addresses.map(String).every((address) => address.endsWith(`/p2p/${info.id.toString()}`))).toBe(true)
      }
    }
  })

  it('say when their IPFS does not answer', async () => {
    const cluster = await runningCluster(1)
    cluster.at(0).connector.fail('id', new Error('connection refused'))
    expect(await cluster.at(0).peer.id()).toMatchObject({ error: '', ipfs: { addresses: [], error: 'connection refused' } })
  })

  it('let newcomers join', async () => {
    const cluster = await runningCluster(2)
    const newcomer = cluster.create()
    await newcomer.peer.start()
    await cluster.at(0).peer.pin(testCid(1))
    const [address] = cluster.at(0).transport.addresses()
    if (address === undefined) throw new Error('no address')
    await newcomer.peer.join(address)
    // Known at once, by a ping made up for it.
    expect(texts(newcomer.peer.metrics('ping').map(({ peer }) => peer))).toContain(cluster.at(0).id.toString())
    await cluster.until(async () => {
      for (const { peer } of cluster.members) expect(await collect(peer.peers())).toHaveLength(3)
      expect((await newcomer.peer.status(testCid(1))).peerMap.get(newcomer.id.toString())?.status).toBe('pinned')
    })
    const [own] = newcomer.transport.addresses()
    if (own !== undefined) await newcomer.peer.join(own)
    await expect(newcomer.peer.join(multiaddr('/ip4/127.0.0.1/tcp/1'))).rejects.toThrow('must end in /p2p/')
    await expect(newcomer.peer.join(multiaddr(`/memory/x/p2p/${testPeer(77).toString()}`))).rejects.toThrow('could not dial')
  })

  it('are added by their ID, and removed by none in a CRDT', async () => {
    const cluster = await runningCluster(2)
    const info = await cluster.at(0).peer.peerAdd(cluster.at(1).id)
    expect(info.id.equals(cluster.at(1).id)).toBe(true)
    expect(texts(info.clusterPeers)).toContain(cluster.at(0).id.toString())
    await expect(cluster.at(0).peer.peerAdd(testPeer(77))).rejects.toThrow()
    await expect(cluster.at(0).peer.peerRemove(cluster.at(1).id)).rejects.toThrow('crdt consensus component cannot remove peers')
  })

  it('give away the pins of one that is to be removed', async () => {
    const cluster = await runningCluster(3, { replicationFactorMin: 1, replicationFactorMax: 1, disableRepinning: false })
    await cluster.at(0).peer.pin(testCid(1), { userAllocations: [cluster.at(2).id] })
    await expect(cluster.at(0).peer.peerRemove(cluster.at(2).id)).rejects.toThrow('cannot remove peers')
    expect(texts((await cluster.at(0).peer.pinGet(testCid(1))).allocations)).not.toContain(cluster.at(2).id.toString())
  })

  it('draw the graph of who sees whom', async () => {
    const cluster = await runningCluster(3)
    cluster.at(0).connector.addSwarmPeer(testPeer(500))
    cluster.at(2).connector.fail('id', new Error('down'))
    const { clusterId, idToPeerName, clusterLinks, clusterTrustLinks, clusterToIpfs, ipfsLinks } = await cluster.at(1).peer.graph()
    const ids = texts(cluster.members.map(({ id }) => id))
    expect(clusterId.equals(cluster.at(1).id)).toBe(true)
    expect([...clusterLinks.keys()].toSorted()).toEqual(ids)
    for (const [id, seen] of clusterLinks) expect(texts(seen)).toEqual(ids.filter((other) => other !== id))
    expect(idToPeerName.get(cluster.at(0).id.toString())).toBe('peer-1')
    expect([...clusterTrustLinks.values()]).toEqual([true, true, true])
    expect([...clusterToIpfs.keys()].toSorted()).toEqual(texts([cluster.at(0).id, cluster.at(1).id]))
    for (const ipfs of clusterToIpfs.values()) expect(ipfsLinks.has(ipfs.toString())).toBe(true)
    expect(texts(ipfsLinks.get(cluster.at(0).ipfsId.toString()) ?? [])).toEqual([testPeer(500).toString()])
  })

  it('keep those that do not answer in the graph', async () => {
    const cluster = await runningCluster(3)
    await cluster.at(2).peer.stop()
    const { clusterLinks } = await cluster.at(0).peer.graph()
    expect(clusterLinks.get(cluster.at(2).id.toString())).toEqual([])
    for (const seen of clusterLinks.values()) for (const id of seen) expect(clusterLinks.has(id.toString())).toBe(true)
  })

  it('collect garbage one after another, and tell what failed', async () => {
    const cluster = await runningCluster(2)
    cluster.at(0).connector.addBlock({ cid: testCid(5), bytes: new Uint8Array(1) })
    cluster.at(1).connector.fail('repoGc', new Error('locked'))
    const collected = await cluster.at(0).peer.repoGc()
    expect(collected.get(cluster.at(0).id.toString())).toMatchObject({ peerName: 'peer-1', error: '', keys: [{ key: testCid(5), error: '' }] })
    expect(collected.get(cluster.at(1).id.toString())).toMatchObject({ peerName: 'peer-2', error: 'locked', keys: [] })
    expect([...(await cluster.at(1).peer.repoGc({ local: true })).keys()]).toEqual([cluster.at(1).id.toString()])
  })

  it('connect their IPFS to each other after joining', async () => {
    const cluster = new TestCluster()
    cluster.create({ connectSwarmsDelay: 1_000 })
    cluster.create()
    const { connector } = cluster.at(1)
    connector.id = async () => ({ id: cluster.at(1).ipfsId, addresses: [multiaddr('/ip4/10.0.0.2/tcp/4001')], error: '' })
    await cluster.start()
    await cluster.until(() => { expect(cluster.at(0).connector.calls).toContain('connected /ip4/10.0.0.2/tcp/4001') })
    expect(cluster.at(0).peer.metrics('ping').map(({ value }) => value).join()).toContain('/ip4/10.0.0.2/tcp/4001')
  })
})

describe('a peer', () => {
  it('answers before its IPFS does, and publishes nothing until then', async () => {
    const cluster = new TestCluster()
    const waiting = cluster.create()
    const other = cluster.create()
    waiting.connector.fail('id', new Error('connection refused'))
    await waiting.peer.start()
    await other.peer.start()
    await cluster.network.connectAll()
    await cluster.clock.advance(60_000)
    expect(waiting.peer.isReady).toBe(false)
    expect(other.peer.metrics('ping').map(({ peer }) => peer.toString())).toEqual([other.id.toString()])
    await waiting.peer.pin(testCid(1))
    expect((await waiting.peer.status(testCid(1), { local: true })).peerMap.get(waiting.id.toString())?.status).toBe('pin_queued')
    waiting.connector.fail('id')
    await cluster.until(async () => { expect((await waiting.peer.status(testCid(1), { local: true })).peerMap.get(waiting.id.toString())?.status).toBe('pinned') })
    await waiting.peer.ready()
    await cluster.until(() => { expect(other.peer.metrics('ping')).toHaveLength(2) })
  })

  it('keeps telling the last identity of an IPFS that went down, but offers no space', async () => {
    const cluster = await runningCluster(1)
    const { peer, connector, ipfsId } = cluster.at(0)
    connector.fail('id', new Error('gone'))
    connector.fail('repoStat', new Error('gone'))
    await cluster.clock.advance(60_000)
    expect(peer.metrics('ping')[0]?.value).toContain(ipfsId.toString())
    expect(peer.metrics('freespace')).toEqual([])
    connector.fail('repoStat')
    await cluster.clock.advance(15_000)
    expect(peer.metrics('freespace')).toHaveLength(1)
  })

  it('recovers at once when its IPFS is back', async () => {
    const cluster = await runningCluster(1)
    const { peer, connector } = cluster.at(0)
    connector.fail('id', new Error('gone'))
    connector.fail('pin', new Error('gone'))
    await peer.pin(testCid(1))
    await cluster.clock.advance(20_000)
    expect((await peer.status(testCid(1))).peerMap.get(peer.peerId.toString())?.status).toBe('pin_error')
    connector.fail('pin')
    connector.fail('id')
    await cluster.until(async () => { expect((await peer.status(testCid(1))).peerMap.get(peer.peerId.toString())?.status).toBe('pinned') }, 20_000)
  })

  it('tells of pins, statuses, peers and alerts', async () => {
    const cluster = await runningCluster(2)
    const seen: string[] = []
    const { peer } = cluster.at(0)
    peer.addEventListener('pin:added', ({ detail }) => { seen.push(`added ${detail.cid.equals(testCid(1))}`) })
    peer.addEventListener('pin:removed', ({ detail }) => { seen.push(`removed ${detail.equals(testCid(1))}`) })
    peer.addEventListener('status:changed', ({ detail }) => { seen.push(detail.status) })
    peer.addEventListener('pin:progressed', ({ detail }) => { seen.push(`progress ${detail.blocks}`) })
    peer.addEventListener('peer:disconnected', ({ detail }) => { seen.push(`left ${detail.equals(cluster.at(1).id)}`) })
    peer.addEventListener('alert:raised', ({ detail }) => { if (detail.name === 'ping') seen.push(`alert ${detail.peer.equals(cluster.at(1).id)}`) })
    cluster.at(0).connector.before('pin', (_cid, { onProgress }) => { onProgress?.(3) })
    await cluster.at(1).peer.pin(testCid(1))
    await cluster.until(() => { expect(seen).toEqual(['added true', 'pin_queued', 'pinning', 'progress 3', 'pinned']) })
    await cluster.at(1).peer.unpin(testCid(1))
    await cluster.until(() => { expect(seen.slice(5)).toEqual(['removed true', 'unpin_queued', 'unpinning', 'unpinned']) })
    await cluster.at(1).peer.stop()
    await cluster.until(() => { expect(seen.slice(9)).toEqual(['left true', 'alert true']) })
  })

  it('tells how much there is to fetch, once the root is here', async () => {
    const cluster = await runningCluster(1)
    const { peer, connector } = cluster.at(0)
    const seen: Array<readonly [bytes: number | undefined, total: number | undefined]> = []
    peer.addEventListener('pin:progressed', ({ detail: { bytes, totalBytes } }) => { seen.push([bytes, totalBytes]) })
    connector.addBlock({ cid: testCid(1), bytes: new Uint8Array(400) })
    connector.before('pin', async (_cid, { onProgress }) => {
      for (let bytes = 100; bytes <= 400; bytes += 100) {
        onProgress?.(bytes / 100, bytes)
        await cluster.clock.sleep(1_000)
      }
    })
    await peer.pin(testCid(1))
    await cluster.until(() => { expect(seen).toEqual([[100, undefined], [200, 400], [300, 400], [400, 400]]) })
  })

  it('stops in the middle of everything, twice, and leaves no timer behind', async () => {
    const cluster = await runningCluster(2)
    cluster.at(0).connector.before('pin', () => new Promise<void>(() => {}))
    await cluster.at(0).peer.pin(testCid(1))
    const waiting = cluster.create()
    waiting.connector.fail('id', new Error('never'))
    await waiting.peer.start()
    const ready = waiting.peer.ready()
    await waiting.peer.stop()
    await expect(ready).rejects.toThrow('the peer stops')
    for (const { peer } of cluster.members) {
      await peer.stop()
      await peer.stop()
    }
    expect(cluster.clock.waiting).toBe(0)
    await expect(cluster.at(0).peer.start()).rejects.toThrow('started once')
  })

  it('undoes a start that fails', async () => {
    const cluster = new TestCluster()
    const stopped: string[] = []
    const service = { start: async () => {}, stop: async () => { stopped.push('service') } }
    const { peer, transport, connector } = cluster.create({ components: { services: [service] } })
    connector.start = async () => { throw new Error('no disk') }
    await expect(peer.start()).rejects.toThrow('no disk')
    expect(stopped).toEqual(['service'])
    await expect(transport.connect(testPeer(9))).rejects.toThrow()
    expect(cluster.clock.waiting).toBe(0)
  })

  it('finds what it had after a restart', async () => {
    const cluster = await runningCluster(1)
    await cluster.at(0).peer.pin(testCid(1), { name: 'kept' })
    await cluster.at(0).peer.stop()
    const again = new TestCluster()
    again.create({ store: cluster.at(0).store })
    await again.start()
    expect((await again.at(0).peer.pinGet(testCid(1))).name).toBe('kept')
    await again.until(async () => { expect((await collect(again.at(0).peer.statusAll(16)))).toHaveLength(1) })
  })

  it('reaches known members by itself', async () => {
    const cluster = await runningCluster(1)
    let running = false
    const bootstrap = {
      bootstrap: async () => [await newcomer.transport.connect(cluster.at(0).id)],
      add: async () => {},
      start: async () => { running = true },
      stop: async () => { running = false }
    }
    const newcomer = cluster.create({ components: { bootstrap } })
    await newcomer.peer.start()
    await cluster.until(() => {
      expect(running).toBe(true)
      for (const { peer } of cluster.members) expect(peer.metrics('ping')).toHaveLength(2)
    })
    await newcomer.peer.stop()
    expect(running).toBe(false)
  })

  it('publishes its space after so many changes', async () => {
    const cluster = await runningCluster(1, { informerTriggerInterval: 3 })
    const { peer, connector } = cluster.at(0)
    const asked = (): number => connector.calls.filter((call) => call === 'repoStat').length
    const before = asked()
    for (const number of [1, 2, 3]) await peer.pin(testCid(number))
    await cluster.until(() => { expect(asked()).toBe(before + 1) }, 2_000)
  })
})

describe('addresses of an IPFS', () => {
  it('are told when they lead anywhere', () => {
    const told = ['/ip4/10.0.0.1/tcp/1', '/ip4/192.168.1.1/tcp/1', '/ip4/8.8.8.8/tcp/1', '/dns4/example.net/tcp/1', '/dnsaddr/example.net', '/ip6/2001:db8::1/tcp/1', '/ip6/fd00::1/tcp/1']
    const kept = ['/ip4/127.0.0.1/tcp/1', '/ip4/0.0.0.0/tcp/1', '/ip4/169.254.1.1/tcp/1', '/ip4/224.0.0.1/udp/1', '/ip4/255.255.255.255/udp/1', '/ip6/::1/tcp/1', '/ip6/::/tcp/1', '/ip6/fe80::1/tcp/1', '/ip6/ff02::1/udp/1', '/memory/x']
    expect(told.filter((address) => !isAnnounced(multiaddr(address)))).toEqual([])
    expect(kept.filter((address) => isAnnounced(multiaddr(address)))).toEqual([])
  })

})
