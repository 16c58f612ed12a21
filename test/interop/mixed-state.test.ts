/** State folders: what Go exports is imported here and exported again byte for byte, and the other way round. */
import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { call, freshCid } from '../bench/load.ts'
import { pinnedAt, startMixed, wait } from './members.ts'
import type { Member, MixedCluster } from './members.ts'
import { goPresent, needs } from './programs.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

describe.runIf(goPresent)(`export and import between Go's state and ours${needs([goPresent, 'Go cluster programs (GO_CLUSTER_BIN)'])}`, () => {
  let cluster: MixedCluster
  beforeAll(async () => {
    cluster = await startMixed([{ name: 'go a', side: 'go', ipfs: 'stand-in' }, { name: 'our a', side: 'ours', ipfs: 'stand-in' }, { name: 'go b', side: 'go', ipfs: 'stand-in' }, { name: 'our b', side: 'ours', ipfs: 'stand-in' }])
    return async () => { await cluster.close() }
  })

  const exportOf = async (member: Member): Promise<string> => {
    const file = join(tmpdir(), `pinswarm-export-${member.id}`)
    await member.service('state', 'export', '-f', file)
    const text = await readFile(file, 'utf8')
    await rm(file)
    return text
  }

  test('every export is the same, is imported by the other side, and comes out again byte for byte', async () => {
    const [first, second] = [freshCid(), freshCid()]
    const pins = [
      `${first}?name=${encodeURIComponent('a name with ünïcode <&>')}&meta-k=v&meta-${encodeURIComponent('another key')}=${encodeURIComponent('"quoted"\n')}`, `${second}?mode=direct`,
      `${freshCid()}?expire-at=2100-01-02T03:04:05Z`, `${freshCid()}?replication-min=1&replication-max=2`, `${freshCid()}?pin-update=${first}&name=next`, `${freshCid()}?origins=${encodeURIComponent(`/ip4/127.0.0.1/tcp/4001/p2p/${cluster.member('go a').id}`)}`,
      ...Array.from({ length: 200 }, freshCid)
    ]
    for (const [i, pin] of pins.entries()) {
      const answer = await call(cluster.members[i % 4]?.base ?? '', 'POST', `/pins/${pin}`)
      expect(answer.status, answer.body).toBe(200)
      if (i === 0) await vi.waitFor(async () => { for (const member of cluster.members) expect(await pinnedAt(member)).toContain(first) }, wait)
    }
    expect((await call(cluster.member('our b').base, 'DELETE', `/pins/${second}`)).status).toBe(200)
    const expected = await vi.waitFor(async () => {
      const [one, ...others] = await Promise.all(cluster.members.map(pinnedAt))
      expect(one).toHaveLength(pins.length - 1)
      for (const other of others) expect(other).toEqual(one)
      return one
    }, wait)

    for (const member of cluster.members) await member.stop()
    const exported = await exportOf(cluster.member('go a'))
    expect(exported.trim().split('\n')).toHaveLength(pins.length - 1)
    for (const member of cluster.members) expect(await exportOf(member), member.name).toBe(exported)

    // Each side imports what the other exported, and goes on with it in the same cluster.
    const file = join(tmpdir(), `pinswarm-import-${cluster.member('go a').id}`)
    for (const [from, to] of [['go a', 'our a'], ['our a', 'go a']] as const) {
      await cluster.member(from).service('state', 'export', '-f', file)
      await cluster.member(to).service('state', 'cleanup', '-f')
      expect(await exportOf(cluster.member(to))).toBe('')
      await cluster.member(to).service('state', 'import', '-f', file)
      expect(await exportOf(cluster.member(to)), to).toBe(exported)
      await rm(file)
    }
    for (const member of cluster.members) await member.start()
    const cid = freshCid()
    await cluster.member('our a').ctl('pin', 'add', '--no-status', cid)
    await vi.waitFor(async () => { for (const member of cluster.members) expect(await pinnedAt(member), member.name).toEqual([...expected ?? [], cid].toSorted()) }, wait)
  })
})
