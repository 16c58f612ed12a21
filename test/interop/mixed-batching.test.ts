/** Batching on one Go peer and one of ours, none on the two others: what is accepted becomes the pinset of all at once, and a clean stop leaves nothing behind. */
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { call, freshCid } from '../bench/load.ts'
import { pinnedAt, startMixed, wait } from './members.ts'
import type { Member, MixedCluster } from './members.ts'
import { goPresent, needs } from './programs.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

describe.runIf(goPresent)(`batching on either side${needs([goPresent, 'Go cluster programs (GO_CLUSTER_BIN)'])}`, () => {
  let cluster: MixedCluster
  const size = 40
  const pinned = new Set<string>()

  beforeAll(async () => {
    const batching = (): NodeJS.ProcessEnv => ({ CLUSTER_CRDT_BATCHING_MAXBATCHSIZE: String(size), CLUSTER_CRDT_BATCHING_MAXBATCHAGE: '1h' })
    cluster = await startMixed([
      { name: 'go batching', side: 'go', ipfs: 'stand-in', env: batching }, { name: 'our batching', side: 'ours', ipfs: 'stand-in', env: batching },
      { name: 'go', side: 'go', ipfs: 'stand-in' }, { name: 'ours', side: 'ours', ipfs: 'stand-in' }
    ])
    return async () => { await cluster.close() }
  })

  const pin = async (member: Member, count: number): Promise<string[]> => {
    const cids = Array.from({ length: count }, freshCid)
    await Promise.all(cids.map(async (cid) => { expect((await call(member.base, 'POST', `/pins/${cid}`)).status).toBe(200) }))
    return cids
  }
  const agree = async (): Promise<void> => {
    await vi.waitFor(async () => { for (const member of cluster.members) expect(await pinnedAt(member), member.name).toEqual([...pinned].toSorted()) }, wait)
  }

  test.each(['go batching', 'our batching'])('%s: nobody sees a batch before it is full, then everybody sees all of it', async (name) => {
    const member = cluster.member(name)
    const early = await pin(member, size - 1)
    for (const each of cluster.members) expect(await pinnedAt(each), each.name).toEqual([...pinned].toSorted())
    for (const cid of [...early, ...await pin(member, 1)]) pinned.add(cid)
    await agree()
  })

  test('both at once, with unbatched pins and unpins between', async () => {
    const made = await Promise.all(cluster.members.map(async (member) => await pin(member, size)))
    for (const cid of made.flat()) pinned.add(cid)
    await agree()
    // One batch of unpins by each batching member, of what the others pinned.
    for (const [i, name] of ['go batching', 'our batching'].entries()) {
      for (const cid of made[3 - i] ?? []) {
        expect((await call(cluster.member(name).base, 'DELETE', `/pins/${cid}`)).status).toBe(200)
        pinned.delete(cid)
      }
    }
    await agree()
  })

  test.each(['go batching', 'our batching'])('%s: a clean stop commits what waits', async (name) => {
    const member = cluster.member(name)
    const waiting = await pin(member, 7)
    expect(await pinnedAt(member)).toEqual([...pinned].toSorted())
    await member.stop()
    await member.start()
    for (const cid of waiting) pinned.add(cid)
    await agree()
  })
})
