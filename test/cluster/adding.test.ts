import { describe, expect, it } from 'vitest'
import { defaultPinOptions } from '../../src/pin/pin.ts'
import { collect, testCid } from '../contract/values.ts'
import { runningCluster, TestCluster } from './test-cluster.ts'
import type { CID } from 'multiformats/cid'
import type { AddEntry } from '../../src/adder/adder.ts'

const text = new TextEncoder()

async function * files (...names: readonly string[]): AsyncGenerator<AddEntry> {
  for (const name of names) {
    yield { kind: 'file', path: `folder/${name}`, content: (async function * () { for (let chunk = 0; chunk < 40; chunk++) yield text.encode(`${name} ${chunk} `.repeat(3000)) })() }
  }
}

describe('a cluster adds', () => {
  it('files to the peers that are to hold them, and to no other', async () => {
    const cluster = await runningCluster(3, { replicationFactorMin: 2, replicationFactorMax: 2 })
    const added = await collect(cluster.at(0).peer.add(files('a', 'b', 'c'), { pin: { ...defaultPinOptions, name: 'folder' } }))
    const root = added.at(-1)
    expect(root).toMatchObject({ name: 'folder' })
    if (root?.cid === undefined) throw new Error('no root')
    const pin = await cluster.at(1).peer.pinGet(root.cid).catch(async () => await cluster.until(() => cluster.at(1).peer.pinGet(root.cid ?? testCid(0))))
    expect(pin).toMatchObject({ name: 'folder', replicationFactorMin: 2, type: 'pin' })
    expect(pin.allocations.map(String)).toEqual(root.allocations.map(String))
    await cluster.until(async () => {
      const info = await cluster.at(2).peer.status(pin.cid)
      expect([...info.peerMap.values()].map(({ status }) => status).toSorted()).toEqual(['pinned', 'pinned', 'remote'])
    })
    for (const { id, connector } of cluster.members) {
      const holds = pin.allocations.some((peer) => peer.equals(id))
      expect(connector.blockCount > 4).toBe(holds)
    }
  })

  it('what any member can read back', async () => {
    const cluster = new TestCluster()
    const contents: AsyncIterable<Uint8Array>[] = []
    const fetch = async (cid: CID): Promise<Uint8Array | undefined> => {
      for (const { connector } of cluster.members) {
        const bytes = await connector.blockGetLocal(cid)
        if (bytes !== undefined) return bytes
      }
      return undefined
    }
    for (let number = 0; number < 3; number++) cluster.create({ replicationFactorMin: 1, replicationFactorMax: 1, fetch })
    await cluster.start()
    const added = await collect(cluster.at(0).peer.add(files('a', 'b'), { pin: defaultPinOptions }))
    const root = added.at(-1)?.cid ?? testCid(0)
    for (const { peer } of cluster.members) {
      const folder = await peer.content(`/ipfs/${root.toString()}`)
      if (folder.kind !== 'directory') throw new Error('no folder')
      expect((await collect(folder.entries())).map(({ name, kind }) => `${name} ${kind}`)).toEqual(['a file', 'b file'])
      const file = await peer.content(`/ipfs/${root.toString()}/b`)
      if (file.kind !== 'file') throw new Error('no file')
      contents.push(file.content({ offset: 0n, length: 8n }))
      await expect(peer.content(`/ipfs/${testCid(4).toString()}`)).rejects.toThrow()
    }
    for (const content of contents) expect(new TextDecoder().decode(Uint8Array.from((await collect(content)).flatMap((chunk) => [...chunk])))).toBe('b 0 b 0 ')
  })

  it('everywhere, leaving the allocations empty', async () => {
    const cluster = await runningCluster(2)
    const added = await collect(cluster.at(0).peer.add(files('a'), { pin: defaultPinOptions }))
    const cid = added.at(-1)?.cid ?? testCid(0)
    expect((await cluster.at(0).peer.pinGet(cid)).allocations).toEqual([])
    expect(cluster.at(0).connector.blockCount).toBe(cluster.at(1).connector.blockCount)
  })

  it('what one of two can store', async () => {
    const cluster = await runningCluster(2)
    cluster.at(1).connector.fail('blockPut', new Error('disk full'))
    const added = await collect(cluster.at(0).peer.add(files('a', 'b'), { pin: defaultPinOptions }))
    await expect(cluster.at(0).peer.pinGet(added.at(-1)?.cid ?? testCid(0))).resolves.toBeDefined()
    cluster.at(0).connector.fail('blockPut', new Error('disk full'))
    await expect(collect(cluster.at(0).peer.add(files('c'), { pin: defaultPinOptions }))).rejects.toThrow('failed to put block on all destinations')
  })
})
