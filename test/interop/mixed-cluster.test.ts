/** Two Go 1.1.6 peers and two of ours in one cluster, over TCP and over WebSocket, a kubo behind each (in one variant Helia behind one of ours): pins, and where they are put. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { closestOf, sides, startMixed, statusOf, wait } from './members.ts'
import type { Member, MixedCluster } from './members.ts'
import { goPresent, kuboProgram, needs } from './programs.ts'

vi.setConfig({ testTimeout: 240_000 })
const present = goPresent && kuboProgram !== undefined

interface Status { readonly cid: string, readonly peer_map: Record<string, { readonly peername: string, readonly status: string }> }
interface PinJson { readonly name: string, readonly allocations: string[], readonly metadata: Record<string, string> | null, readonly expire_at: string }

describe.runIf(present).each([
  { transport: 'tcp', last: 'kubo' }, { transport: 'ws', last: 'kubo' }, { transport: 'tcp', last: 'helia' }
] as const)(`two Go peers and two of ours over $transport, the last of ours on $last${needs([goPresent, 'Go cluster programs (GO_CLUSTER_BIN)'], [kuboProgram !== undefined, 'ipfs'])}`, ({ transport, last }) => {
  let cluster: MixedCluster
  let folder = ''
  const names = ['go a', 'our a', 'go b', 'our b']
  const everywhere = (status: string): Record<string, string> => Object.fromEntries(names.map((name) => [name, status]))
  const writers = ['go a', 'our a', 'go b', 'our b'] as const

  const file = async (bytes: Uint8Array): Promise<string> => {
    const path = join(folder, randomBytes(8).toString('hex'))
    await writeFile(path, bytes)
    return path
  }
  const add = async (member: Member, bytes: Uint8Array, ...args: string[]): Promise<string> => (await member.ctl('add', '-Q', ...args, await file(bytes))).trim()
  const pinOf = async (member: Member, cid: string): Promise<PinJson> => JSON.parse(await member.get(`/allocations/${cid}`)) as PinJson
  /** A question asked of every member, by Go's ctl and by ours. */
  const fromAll = async (check: (text: string, from: string) => void, ...args: string[]): Promise<void> => {
    for (const member of cluster.members) await Promise.all(sides.map(async (side) => { check(await cluster.ask(side, member, ...args), `${side} ctl at ${member.name}`) }))
  }
  /** Until every member reports this of every peer. */
  const agree = async (cid: string, expected: Record<string, string>): Promise<void> => {
    await vi.waitFor(async () => { for (const member of cluster.members) expect(await statusOf(member, cid), member.name).toEqual(expected) }, wait)
  }
  /** The bytes as the member's own kubo has them, without asking anybody; undefined when it has not all of them. A peer on Helia may ask others. */
  const held = async (member: Member, cid: string): Promise<Uint8Array | undefined> => {
    if (member.kubo !== undefined) return await member.kubo.cat(cid)
    const response = await fetch(`${member.base}/ipfs/${cid}`)
    return response.ok ? await response.bytes() : undefined
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pinswarm-mixed-'))
    const group = (name: string) => (): NodeJS.ProcessEnv => ({ CLUSTER_TAGS_TAGS: `group:${name}`, CLUSTER_BALANCED_ALLOCATEBY: 'tag:group,freespace' })
    cluster = await startMixed([
      { name: 'go a', side: 'go', ipfs: 'kubo', storageMax: '20GB', env: group('a') }, { name: 'our a', side: 'ours', ipfs: 'kubo', storageMax: '40GB', env: group('a') },
      { name: 'go b', side: 'go', ipfs: 'kubo', storageMax: '30GB', env: group('b') }, { name: 'our b', side: 'ours', ipfs: last, storageMax: '10GB', env: group('b') }
    ], { transport })
    await vi.waitFor(async () => {
      for (const name of ['freespace', 'tag:group']) for (const member of cluster.members) expect(JSON.parse(await member.get(`/monitor/metrics/${name}`))).toHaveLength(4)
    }, wait)
    return async () => {
      await cluster.close()
      await rm(folder, { recursive: true, force: true })
    }
  }, 240_000)

  test('peers ls and health graph are complete from everybody', async () => {
    await vi.waitFor(async () => {
      await fromAll((text, from) => {
        expect(text.match(/ \| (go|our) [ab] \| Sees 3 other peers/g), `${from}: ${text}`).toHaveLength(4)
        expect(text).not.toContain('ERROR')
      }, 'peers', 'ls')
      await fromAll((text, from) => {
        expect(new Set(text.match(/^[CT]\d -> [CT]\d/gm)).size, `${from}: ${text}`).toBe(12)
        expect(text.match(/^[CT]\d -> I\d/gm)).toHaveLength(4)
        for (const name of names) expect(text).toContain(` ${name} `)
      }, 'health', 'graph')
    }, wait)
  })

  test('what anybody adds is on every IPFS byte for byte, and everybody says so; an unpin by the other side removes it', async () => {
    for (const [i, name] of writers.entries()) {
      const bytes = randomBytes(700_000)
      const cid = await add(cluster.member(name), bytes, '--name', `from ${name}`, '--metadata', `by=${name}`)
      await agree(cid, everywhere('pinned'))
      for (const member of cluster.members) expect(Buffer.from(await held(member, cid) ?? []).equals(bytes), `${name}'s at ${member.name}`).toBe(true)
      const line = await cluster.member('go a').ctl('pin', 'ls', cid)
      expect(line).toContain(`from ${name}`)
      await fromAll((text) => { expect(text).toBe(line) }, 'pin', 'ls', cid)
      for (const member of cluster.members) expect(await pinOf(member, cid)).toMatchObject({ name: `from ${name}`, metadata: { by: name }, allocations: [] })
      await cluster.member(writers[(i + 1) % 4] ?? 'go a').ctl('pin', 'rm', '--no-status', cid)
      await agree(cid, everywhere('unpinned'))
      for (const { kubo } of cluster.members) if (kubo !== undefined) await expect(kubo.call(`pin/ls?arg=${cid}`)).rejects.toThrow('not pinned')
    }
  })

  test('a pin update by either side is a copy of the pin, pinned everywhere; the old one stays', async () => {
    for (const name of ['go a', 'our a'] as const) {
      const member = cluster.member(name)
      const [old, next] = [await add(member, randomBytes(1000), '--name', 'v1', '--metadata', 'k=v'), await add(member, randomBytes(1000), '--no-pin')]
      await agree(old, everywhere('pinned'))
      await member.ctl('pin', 'update', '--no-status', '--name', 'v2', old, next)
      await agree(next, everywhere('pinned'))
      for (const each of cluster.members) expect(await pinOf(each, next)).toMatchObject({ name: 'v2', metadata: { k: 'v' }, pin_update: old })
      await agree(old, everywhere('pinned'))
    }
  })

  test('expired pins are unpinned by the member that is closest to them, whoever pinned them', async () => {
    const cids: string[] = []
    for (const name of [...writers, ...writers]) cids.push(await add(cluster.member(name), randomBytes(100), '--expire-in', '4s'))
    for (const cid of cids) await agree(cid, everywhere('unpinned'))
    for (const cid of cids) {
      const unpinned = cluster.members.filter(({ log }) => log().match(`Unpinning ${cid}: pin expired|unpinned: the pin expired ${cid}`) !== null)
      expect(unpinned.map(({ name }) => name), cid).toEqual([closestOf(cid, cluster.members).name])
    }
  })

  test('two copies of four: one in each group, where most space is free, whoever allocates; the content is there and nowhere else', async () => {
    const ids = ['our a', 'go b'].map((name) => cluster.member(name).id).toSorted()
    for (const name of writers) {
      const bytes = randomBytes(300_000)
      const cid = await add(cluster.member(name), bytes, '--replication-min', '2', '--replication-max', '2')
      await agree(cid, { 'our a': 'pinned', 'go b': 'pinned', 'go a': 'remote', 'our b': 'remote' })
      for (const member of cluster.members) expect((await pinOf(member, cid)).allocations.toSorted(), `${name}'s at ${member.name}`).toEqual(ids)
      for (const member of cluster.members) {
        if (member.kubo === undefined) continue
        const expected = ids.includes(member.id)
        expect(Buffer.from(await held(member, cid) ?? []).equals(bytes), `${name}'s at ${member.name}`).toBe(expected)
      }
    }
  })

  test('allocations that are asked for come first; more copies keep those that there are', async () => {
    for (const name of writers) {
      const member = cluster.member(name)
      const cid = await add(member, randomBytes(1000), '--replication-min', '1', '--replication-max', '1', '--allocations', cluster.member('our b').id)
      await agree(cid, { 'our b': 'pinned', 'go a': 'remote', 'our a': 'remote', 'go b': 'remote' })
      await member.ctl('pin', 'add', '--no-status', '--replication-min', '3', '--replication-max', '3', cid)
      await vi.waitFor(async () => { for (const each of cluster.members) expect((await pinOf(each, cid)).allocations).toHaveLength(3) }, wait)
      const allocations = (await pinOf(member, cid)).allocations
      expect(allocations).toContain(cluster.member('our b').id)
      for (const each of cluster.members) expect((await pinOf(each, cid)).allocations.toSorted()).toEqual(allocations.toSorted())
      await agree(cid, Object.fromEntries(cluster.members.map((each) => [each.name, allocations.includes(each.id) ? 'pinned' : 'remote'])))
    }
  })

  test('what only one kubo has, a member of each side fetches from it', async () => {
    for (const { kubo, name } of cluster.members) {
      if (kubo === undefined) continue
      const [bytes, source] = [randomBytes(600_000), cluster.member(name)]
      const holders = ['our b', 'go b', 'our a', 'go a'].filter((other) => other !== name).slice(0, 2)
      const cid = await add(source, bytes, '--local', '--no-pin')
      for (const holder of holders) expect(await cluster.member(holder).kubo?.cat(cid)).toBeUndefined()
      await cluster.member(name === 'our a' ? 'go a' : 'our a').ctl('pin', 'add', '--no-status', '--replication-min', '2', '--replication-max', '2', '--allocations', holders.map((holder) => cluster.member(holder).id).join(','), cid)
      await agree(cid, { ...everywhere('remote'), ...Object.fromEntries(holders.map((holder) => [holder, 'pinned'])) })
      for (const holder of holders) expect(Buffer.from(await held(cluster.member(holder), cid) ?? []).equals(bytes), `${name}'s at ${holder}`).toBe(true)
    }
  })

  test('what a kubo loses is seen from everybody, and a recover by the other side brings it back', async () => {
    const cid = await add(cluster.member('go b'), randomBytes(50_000))
    await agree(cid, everywhere('pinned'))
    for (const name of ['go a', 'our a']) await cluster.member(name).kubo?.call(`pin/rm?arg=${cid}`)
    await agree(cid, { ...everywhere('pinned'), 'go a': 'unexpectedly_unpinned', 'our a': 'unexpectedly_unpinned' })
    await cluster.member('our b').ctl('recover', cid)
    await agree(cid, everywhere('pinned'))
    for (const name of ['go a', 'our a']) await cluster.member(name).kubo?.call(`pin/rm?arg=${cid}`)
    await cluster.member('go b').ctl('recover')
    await agree(cid, everywhere('pinned'))
  })

  test('status of everything is the same from everybody', async () => {
    const listing = (text: string): string[] => text.split(/^\}\n?/m).filter((part) => part.trim() !== '').map((part) => {
      const { cid, peer_map: peers } = JSON.parse(`${part}}`) as Status
      return `${cid} ${Object.values(peers).map(({ peername, status }) => `${peername}: ${status}`).toSorted().join(', ')}`
    }).toSorted()
    const first = listing(await cluster.member('go a').ctl('--enc', 'json', 'status'))
    expect(first.length).toBeGreaterThan(8)
    await fromAll((text, from) => { expect(listing(text), from).toEqual(first) }, '--enc', 'json', 'status')
  })
})
