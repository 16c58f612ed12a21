/** Whom they trust, in clusters of two Go peers and two of ours: followers of the other side, and writers that not everybody trusts. */
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { call, freshCid } from '../bench/load.ts'
import { pinnedAt, startMixed, statusOf, wait } from './members.ts'
import type { MixedCluster } from './members.ts'
import { goPresent, needs } from './programs.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })
const needed = needs([goPresent, 'Go cluster programs (GO_CLUSTER_BIN)'])

describe.runIf(goPresent)(`followers, Go's of ours and ours of Go's${needed}`, () => {
  let cluster: MixedCluster
  beforeAll(async () => {
    const env = (follows: boolean) => (ids: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({ CLUSTER_CRDT_TRUSTEDPEERS: `${ids['go']},${ids['ours']}`, CLUSTER_FOLLOWERMODE: String(follows) })
    cluster = await startMixed([
      { name: 'go', side: 'go', ipfs: 'stand-in', env: env(false) }, { name: 'ours', side: 'ours', ipfs: 'stand-in', env: env(false) },
      { name: 'go follower', side: 'go', ipfs: 'stand-in', env: env(true) }, { name: 'our follower', side: 'ours', ipfs: 'stand-in', env: env(true) }
    ], { trust: false })
    return async () => { await cluster.close() }
  })

  test('keep what either writes, and say so to those they trust', async () => {
    const pinned = { go: 'pinned', ours: 'pinned', 'go follower': 'pinned', 'our follower': 'pinned' }
    for (const writer of ['go', 'ours']) {
      const cid = freshCid()
      await cluster.member(writer).ctl('pin', 'add', '--no-status', '--name', `by ${writer}`, cid)
      await vi.waitFor(async () => { for (const asked of ['go', 'ours']) expect(await statusOf(cluster.member(asked), cid), asked).toEqual(pinned) }, wait)
      for (const follower of ['go follower', 'our follower']) expect(await statusOf(cluster.member(follower), cid)).toEqual({ [follower]: 'pinned' })
      await cluster.member(writer === 'go' ? 'ours' : 'go').ctl('pin', 'rm', '--no-status', cid)
      await vi.waitFor(async () => { for (const { base } of cluster.members) expect((await call(base, 'GET', `/allocations/${cid}`)).status).toBe(404) }, wait)
    }
  })

  test('write nothing, with one text', async () => {
    const cid = freshCid()
    const answers: string[] = []
    for (const name of ['go follower', 'our follower']) for (const method of ['POST', 'DELETE']) answers.push((await call(cluster.member(name).base, method, `/pins/${cid}`)).body.trim())
    expect(new Set(answers)).toEqual(new Set([expect.stringContaining('follower mode') as unknown]))
    expect((await call(cluster.member('go').base, 'GET', `/allocations/${cid}`)).status).toBe(404)
  })
})

describe.runIf(goPresent)(`writers that not everybody trusts${needed}`, () => {
  let cluster: MixedCluster
  /** Each trusts itself and these. */
  const trusts: Readonly<Record<string, readonly string[]>> = { go: ['ours'], ours: ['go'], 'go alone': ['go', 'ours'], 'our alone': ['go', 'ours', 'go alone'] }
  beforeAll(async () => {
    const env = (name: string) => (ids: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({ CLUSTER_CRDT_TRUSTEDPEERS: (trusts[name] ?? []).map((other) => ids[other] ?? '').join(',') })
    cluster = await startMixed([
      { name: 'go', side: 'go', ipfs: 'stand-in', env: env('go') }, { name: 'ours', side: 'ours', ipfs: 'stand-in', env: env('ours') },
      { name: 'go alone', side: 'go', ipfs: 'stand-in', env: env('go alone') }, { name: 'our alone', side: 'ours', ipfs: 'stand-in', env: env('our alone') }
    ], { trust: false })
    return async () => { await cluster.close() }
  })

  test('are ignored by exactly those', async () => {
    const byWriter = new Map<string, string>()
    for (const round of [1, 2]) {
      for (const { name, base } of cluster.members) {
        const cid = freshCid()
        byWriter.set(`${name} ${round}`, cid)
        expect((await call(base, 'POST', `/pins/${cid}?name=${encodeURIComponent(`${name} ${round}`)}`)).status).toBe(200)
      }
    }
    const expected = (reader: string): string[] => [reader, ...trusts[reader] ?? []].flatMap((writer) => [byWriter.get(`${writer} 1`) ?? '', byWriter.get(`${writer} 2`) ?? '']).toSorted()
    await vi.waitFor(async () => { for (const member of cluster.members) expect(await pinnedAt(member), member.name).toEqual(expected(member.name)) }, wait)
    // An unpin counts for those who trust it; what comes after it shows that the others have had it, too.
    const [kept, later] = [byWriter.get('go 1') ?? '', freshCid()]
    await cluster.member('go alone').ctl('pin', 'rm', '--no-status', kept)
    await vi.waitFor(async () => { expect(await pinnedAt(cluster.member('our alone'))).not.toContain(kept) }, wait)
    await cluster.member('go').ctl('pin', 'add', '--no-status', later)
    await vi.waitFor(async () => { for (const member of cluster.members) expect(await pinnedAt(member), member.name).toContain(later) }, wait)
    for (const member of cluster.members) {
      expect(await pinnedAt(member), member.name).toEqual([...expected(member.name), later].filter((cid) => cid !== kept || !member.name.endsWith('alone')).toSorted())
    }
    // Who is not trusted is not answered.
    const asked: Readonly<Record<string, readonly string[]>> = { go: ['go', 'ours', 'go alone', 'our alone'], ours: ['go', 'ours', 'go alone', 'our alone'], 'go alone': ['go alone', 'our alone'], 'our alone': ['our alone'] }
    await vi.waitFor(async () => {
      for (const member of cluster.members) expect(await statusOf(member, later), member.name).toEqual(Object.fromEntries((asked[member.name] ?? []).map((name) => [name, 'pinned'])))
    }, wait)
  })
})
