/** A Go member, then one of ours, dies in a cluster of two and two: everybody's alerts say so, the closest of those left finds new holders, and who comes back gives up what it lost. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { closestOf, sides, startMixed, statusOf, wait } from './members.ts'
import type { Member, MixedCluster } from './members.ts'
import { goPresent, kuboProgram, needs } from './programs.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })

describe.runIf(goPresent && kuboProgram !== undefined)(`a member of two Go peers and two of ours dies${needs([goPresent, 'Go cluster programs (GO_CLUSTER_BIN)'], [kuboProgram !== undefined, 'ipfs'])}`, () => {
  let cluster: MixedCluster
  const contents = new Map<string, Buffer>()

  beforeAll(async () => {
    const env = (): NodeJS.ProcessEnv => ({ IPFS_CLUSTER_LOG_LEVEL: 'info,cluster:debug', CLUSTER_REPLICATIONFACTORMIN: '2', CLUSTER_REPLICATIONFACTORMAX: '2' })
    cluster = await startMixed([
      { name: 'go a', side: 'go', ipfs: 'kubo', env }, { name: 'our a', side: 'ours', ipfs: 'kubo', env },
      { name: 'go b', side: 'go', ipfs: 'kubo', env }, { name: 'our b', side: 'ours', ipfs: 'kubo', env }
    ])
    return async () => { await cluster.close() }
  })

  const holders = async (from: Member, cid: string): Promise<string[]> => (JSON.parse(await from.get(`/allocations/${cid}`)) as { allocations: string[] }).allocations
  const nameOf = (id: string): string => cluster.members.find((member) => member.id === id)?.name ?? id

  /** Pins what `victim` and each of the others in turn hold, kills it, and brings it back. */
  const loses = async (victim: Member): Promise<void> => {
    const others = cluster.members.filter((member) => member !== victim)
    // Who lacks a metric is given no pins.
    await vi.waitFor(async () => {
      for (const member of cluster.members) for (const name of ['freespace', 'tag:group']) expect(JSON.parse(await member.get(`/monitor/metrics/${name}`))).toHaveLength(4)
    }, wait)
    const folder = await mkdtemp(join(tmpdir(), 'pinswarm-repin-'))
    const cids: string[] = []
    for (let i = 0; i < 9; i++) {
      const bytes = randomBytes(100_000)
      const [member, other] = [others[i % 3], others[(i + 1) % 3]]
      if (member === undefined || other === undefined) throw new Error('too few members')
      await writeFile(join(folder, 'file'), bytes)
      const cid = (await member.ctl('add', '-Q', '--allocations', `${victim.id},${other.id}`, join(folder, 'file'))).trim()
      contents.set(cid, bytes)
      cids.push(cid)
    }
    await rm(folder, { recursive: true })
    await vi.waitFor(async () => { for (const cid of cids) expect(await statusOf(others[0] as Member, cid), cid).toMatchObject({ [victim.name]: 'pinned' }) }, wait)
    const logged = new Map(others.map((member) => [member, member.log().length]))

    await victim.stop('SIGKILL')
    // Two copies again, on those that are left, as each of them sees it and as it is.
    await vi.waitFor(async () => {
      for (const cid of cids) {
        const now = await holders(others[0] as Member, cid)
        expect(now).not.toContain(victim.id)
        expect(now).toHaveLength(2)
        const expected = Object.fromEntries(others.map(({ id, name }) => [name, now.includes(id) ? 'pinned' : 'remote']))
        for (const member of others) expect(await statusOf(member, cid), `${cid} at ${member.name}`).toEqual(expected)
      }
    }, wait)
    for (const cid of cids) {
      for (const id of await holders(others[0] as Member, cid)) {
        const kubo = others.find((member) => member.id === id)?.kubo
        expect(Buffer.from(await kubo?.cat(cid) ?? []).equals(contents.get(cid) ?? Buffer.of(1)), `${cid} at ${nameOf(id)}`).toBe(true)
      }
      await vi.waitFor(() => {
        const repinned = others.filter((member) => member.log().slice(logged.get(member)).match(`repinning ${cid} from peer|re-allocated ${cid}`) !== null)
        expect(repinned.map(({ name }) => name), cid).toEqual([closestOf(cid, others).name])
      }, wait)
    }

    // Everybody left has every metric of it among the alerts, whoever asks.
    await vi.waitFor(async () => {
      for (const member of others) {
        for (const side of sides) {
          const alerts = await cluster.ask(side, member, 'health', 'alerts')
          for (const metric of ['ping', 'freespace', 'tag:group']) expect(alerts, `${side} ctl at ${member.name}`).toContain(`${victim.id}: ${metric}. Expired at: `)
        }
      }
    }, wait)

    await victim.start()
    await vi.waitFor(async () => {
      for (const member of cluster.members) expect((await member.get('/peers')).trim().split('\n'), member.name).toHaveLength(4)
      for (const cid of cids) {
        expect(await holders(victim, cid)).toEqual(await holders(others[0] as Member, cid))
        for (const member of cluster.members) expect(await statusOf(member, cid), `${cid} at ${member.name}`).toMatchObject({ [victim.name]: 'remote' })
        await expect(victim.kubo?.call(`pin/ls?arg=${cid}`)).rejects.toThrow('not pinned')
      }
    }, wait)
  }

  test('a Go member is killed', async () => { await loses(cluster.member('go b')) })
  test('one of ours is killed', async () => { await loses(cluster.member('our a')) })
})
