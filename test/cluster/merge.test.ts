import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergeListings } from '../../src/cluster/merge.ts'
import { standInInfo } from '../../src/cluster/pin-infos.ts'
import { RpcError } from '../../src/errors.ts'
import { cidKey } from '../../src/pin/keys.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { collect, testCid, testPeer } from '../contract/values.ts'
import type { Listing } from '../../src/cluster/merge.ts'
import type { PinInfo } from '../../src/pin/pin-info.ts'

const info = (peer: number, number: number): PinInfo => standInInfo(pinWith(testCid(number), { name: `pin ${number}` }), { peer: testPeer(peer), ping: undefined, status: 'pinned', now: 5 })
const inOrder = (numbers: readonly number[]): readonly number[] => [...numbers].sort((a, b) => cidKey(testCid(a)) < cidKey(testCid(b)) ? -1 : 1)

/** Yields the numbers, then throws if told to. */
async function * infosOf (peer: number, numbers: readonly number[], error?: Error): AsyncGenerator<PinInfo> {
  for (const number of numbers) yield info(peer, number)
  if (error !== undefined) throw error
}
const listing = (peer: number, infos: AsyncIterable<PinInfo>, sorted = true): Listing => ({ peer: testPeer(peer), infos, sorted, limit: 100 })

async function merged (listings: readonly Listing[]) {
  const failed: string[] = []
  const answers = await collect(mergeListings(listings, { latestPing: () => undefined, now: () => 7, onFailure: (peer) => { failed.push(peer.toString()) } }))
  const lines = answers.map(({ name, peerMap }) => `${name}: ${[...peerMap].map(([peer, { status }]) => `${[1, 2, 3].find((number) => testPeer(number).toString() === peer)} ${status}`).toSorted().join(', ')}`)
  return { failed, lines }
}

describe('joined listings', () => {
  it('have each CID once with everybody who knows it, whatever the orders', async () => {
    const numbers = fc.uniqueArray(fc.nat(60), { maxLength: 30 })
    const peers = fc.array(fc.record({ numbers, sorted: fc.boolean() }), { minLength: 1, maxLength: 3 })
    await fc.assert(fc.asyncProperty(peers, async (list) => {
      const expected = new Map<number, string[]>()
      for (const [index, peer] of list.entries()) for (const number of peer.numbers) expected.set(number, [...expected.get(number) ?? [], `${index + 1} pinned`])
      const { lines, failed } = await merged(list.map((peer, index) => listing(index + 1, infosOf(index + 1, peer.sorted ? inOrder(peer.numbers) : peer.numbers), peer.sorted)))
      expect(failed).toEqual([])
      expect(lines.toSorted()).toEqual([...expected].map(([number, who]) => `pin ${number}: ${who.join(', ')}`).toSorted())
    }))
  })

  it('show a peer that failed in every line from then on', async () => {
    const [first, second, third] = inOrder([1, 2, 3])
    const { lines, failed } = await merged([listing(1, infosOf(1, inOrder([1, 2, 3]))), listing(2, infosOf(2, [first ?? 0], new Error('gone'))), listing(3, infosOf(3, [], new Error('gone')))])
    expect(failed).toHaveLength(2)
    expect(lines).toEqual([`pin ${first}: 1 pinned, 2 pinned, 3 cluster_error`, `pin ${second}: 1 pinned, 2 cluster_error, 3 cluster_error`, `pin ${third}: 1 pinned, 2 cluster_error, 3 cluster_error`])
  })

  it('do not believe a peer that says it is in order and is not, or lists without end', async () => {
    const backwards = inOrder([1, 2, 3]).toReversed()
    const { lines, failed } = await merged([listing(1, infosOf(1, inOrder([1, 2, 3]))), listing(2, infosOf(2, backwards)), listing(3, infosOf(3, Array.from({ length: 200 }, (_, number) => number)), false)])
    expect(failed.toSorted()).toEqual([testPeer(2), testPeer(3)].map(String).toSorted())
    expect(lines).toHaveLength(3)
  })

  it('leave out a peer that does not let us ask, and fail when nobody answers', async () => {
    const denied = new RpcError('no', 'authorization')
    expect((await merged([listing(1, infosOf(1, [1])), listing(2, infosOf(2, [], denied))])).lines).toEqual(['pin 1: 1 pinned'])
    await expect(merged([listing(1, infosOf(1, [], new Error('one'))), listing(2, infosOf(2, [], new Error('two')))])).rejects.toThrow(/one|two/)
  })

  it('close every listing when they are left', async () => {
    const closed: number[] = []
    async function * endless (peer: number): AsyncGenerator<PinInfo> {
      try { for (const number of inOrder([1, 2, 3, 4])) yield info(peer, number) } finally { closed.push(peer) }
    }
    for await (const _ of mergeListings([listing(1, endless(1)), listing(2, endless(2))], { latestPing: () => undefined, now: () => 0, onFailure: () => {} })) break
    expect(new Set(closed)).toEqual(new Set([1, 2]))
  })
})
