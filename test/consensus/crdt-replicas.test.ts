import type { CrdtCluster, CrdtMember } from './crdt-peers.ts'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { stopAll } from '../../src/component.ts'
import { decodeBlock, type DeltaBlock } from '../../src/crdt/block.ts'
import { seededRandom } from '../../src/transport/random.ts'
import { linesOf, testPin } from '../contract/consensus.ts'
import { ManualClock, settle, testCid, testPeer } from '../contract/values.ts'
import { Model } from '../crdt/model.ts'
import { below, pick } from '../crdt/random-dag.ts'
import { openCrdtCluster, type CrdtClusterOptions } from './crdt-peers.ts'

async function openCluster (count: number, options: CrdtClusterOptions): Promise<CrdtCluster> {
  const cluster = await openCrdtCluster(count, options)
  onTestFinished(() => stopAll(cluster.members.map(({ consensus }) => consensus)))
  return cluster
}

/** Everything a member knows that must be the same everywhere. */
async function digest ({ consensus }: CrdtMember): Promise<string> {
  const { heads, merged, missing } = consensus.stats()
  return JSON.stringify({ lines: await linesOf(consensus), count: consensus.log.pinset.count(), heads: heads.map(({ cid, height }) => `${height} ${cid}`), merged, missing })
}

/** What the hooks left a member with: names by CID. */
function followed ({ told }: CrdtMember): Map<string, string> {
  const pins = new Map<string, string>()
  for (const line of told) {
    const [what, cid = '', name = ''] = line.split(' ')
    if (what === 'pinned') pins.set(cid, name)
    else pins.delete(cid)
  }
  return pins
}

/** Every block below the heads, read from one member. */
async function history ({ consensus }: CrdtMember): Promise<DeltaBlock[]> {
  const blocks = new Map<string, DeltaBlock>()
  const queue = consensus.stats().heads.map(({ cid }) => cid)
  for (let cid = queue.shift(); cid !== undefined; cid = queue.shift()) {
    if (blocks.has(cid.toString())) continue
    const block = decodeBlock(cid, await consensus.blocks.get(cid) ?? new Uint8Array(0))
    blocks.set(cid.toString(), block)
    queue.push(...block.links)
  }
  return [...blocks.values()]
}

async function change (random: () => number, { consensus }: CrdtMember, step: number): Promise<void> {
  const number = below(random, 12)
  if (random() < 0.35) await consensus.log.delete(testCid(number))
  else await consensus.log.put(testPin(number, { name: `s${step}` }))
}

describe('several replicas on a bad network', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('come to one pinset with losses, repetitions, partitions and restarts, seed %i', async (seed) => {
    const random = seededRandom(seed)
    const clock = new ManualClock()
    const cluster = await openCluster(4, { clock, random, network: { loss: 0.5, duplicate: 0.2, random }, bulk: seed > 4 })
    const { members, network } = cluster
    for (let step = 0; step < 60; step++) {
      const dice = random()
      if (dice < 0.7) await Promise.all(Array.from({ length: 1 + below(random, 3) }, () => change(random, pick(random, members), step)))
      else if (dice < 0.78) network.partition([testPeer(1), testPeer(1 + below(random, 4))])
      else if (dice < 0.88) network.heal()
      else if (dice < 0.93) await pick(random, members).restart()
      else await clock.advance(30_000)
    }
    network.heal()
    const digests = async (): Promise<Set<string>> => new Set(await Promise.all(members.map(digest)))
    for (let round = 0; round < 60 && (await digests()).size > 1; round++) {
      await clock.advance(60_000)
      await network.settled()
      await settle()
    }
    expect((await digests()).size, `seed ${seed}`).toBe(1)
    const model = new Model()
    const blocks = await history(members[0] as CrdtMember)
    model.merge(blocks)
    for (const member of members) {
      const lines = await linesOf(member.consensus)
      expect(lines.length, `seed ${seed}`).toBe(Object.keys(model.state()).length)
      const names = new Map(lines.map((line) => { const pin = JSON.parse(line) as { readonly cid: string, readonly name: string }; return [pin.cid, pin.name] }))
      expect(followed(member), `seed ${seed}`).toEqual(names)
      expect(member.consensus.stats(), `seed ${seed}`).toMatchObject({ dirty: false, missing: 0, merged: blocks.length })
    }
  })

  it('bring a newcomer up to date, who hears of one head only', async () => {
    const { members, network } = await openCluster(2, { idle: true })
    const [author, newcomer] = members as [CrdtMember, CrdtMember]
    await author.transport.start()
    await author.consensus.start()
    const random = seededRandom(1)
    for (let step = 0; step < 300; step++) await change(random, author, step)
    await newcomer.transport.start()
    await newcomer.consensus.start()
    await network.connectAll()
    await author.consensus.log.put(testPin(100, { name: 'last' }))
    await vi.waitFor(async () => { expect(await digest(newcomer)).toBe(await digest(author)) }, { timeout: 10_000 })
    expect(followed(newcomer)).toEqual(followed(author))
  })

  it('keep out who is not trusted, until he is', async () => {
    const clock = new ManualClock()
    const { members } = await openCluster(3, { clock, consensus: { trustedPeers: [testPeer(1), testPeer(2)] } })
    const [one, two, stranger] = members as [CrdtMember, CrdtMember, CrdtMember]
    await stranger.consensus.log.put(testPin(1, { name: 'strange' }))
    await one.consensus.log.put(testPin(2, { name: 'ours' }))
    const counts = (): number[] => members.map(({ consensus }) => consensus.log.pinset.count())
    await vi.waitFor(() => { expect(counts()).toEqual([1, 1, 2]) })
    await clock.advance(300_000)
    expect(counts()).toEqual([1, 1, 2])
    one.consensus.trust.trust(testPeer(3))
    two.consensus.trust.trust(testPeer(3))
    await clock.advance(300_000)
    await vi.waitFor(() => { expect(counts()).toEqual([2, 2, 2]) })
  })

  it('let a concurrent pin win against an unpin, on every side', async () => {
    const clock = new ManualClock()
    const { members, network } = await openCluster(2, { clock })
    const [one, two] = members as [CrdtMember, CrdtMember]
    await one.consensus.log.put(testPin(1, { name: 'first' }))
    await vi.waitFor(() => { expect(two.consensus.log.pinset.count()).toBe(1) })
    network.partition([testPeer(1)], [testPeer(2)])
    await one.consensus.log.delete(testCid(1))
    await two.consensus.log.put(testPin(1, { name: 'again' }))
    expect(one.consensus.log.pinset.count()).toBe(0)
    network.heal()
    await clock.advance(300_000)
    await vi.waitFor(async () => { expect(await digest(one)).toBe(await digest(two)) })
    expect([followed(one), followed(two)]).toEqual([new Map([[testCid(1).toString(), 'again']]), new Map([[testCid(1).toString(), 'again']])])
  })
})
