import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergeListings } from '../../src/cluster/merge.ts'
import { RpcError } from '../../src/errors.ts'
import { cidKey } from '../../src/pin/keys.ts'
import { collect, testCid, testPeer } from '../contract/values.ts'
import type { Listing } from '../../src/cluster/merge.ts'
import type { PeerId } from '@libp2p/interface'

interface Item { readonly key: string, readonly number: number }
const item = (number: number): Item => ({ key: cidKey(testCid(number)), number })
const inOrder = (numbers: readonly number[]): readonly number[] => [...numbers].sort((a, b) => item(a).key < item(b).key ? -1 : 1)

/** Yields the numbers in chunks of up to three, then throws if told to. */
async function * itemsOf (numbers: readonly number[], error?: Error): AsyncGenerator<readonly Item[]> {
  for (let at = 0; at < numbers.length; at += 1 + at % 3) yield numbers.slice(at, at + 1 + at % 3).map(item)
  yield []
  if (error !== undefined) throw error
}
const listing = (peer: number, items: AsyncIterable<readonly Item[]>, sorted = true): Listing<Item> => ({ peer: testPeer(peer), items, sorted, limit: 100 })
const numberOf = (peer: PeerId): number => [1, 2, 3].find((number) => testPeer(number).equals(peer)) ?? 0

async function merged (listings: ReadonlyArray<Listing<Item>>) {
  const failed: number[] = []
  const chunks = await collect(mergeListings<Item, string>(listings, {
    join: (answers, failures) => `pin ${answers[0]?.[1].number}: ${[...answers.map(([peer, { number }]) => `${numberOf(peer)} has ${number}`), ...[...failures.keys()].map((peer) => `${numberOf(peer)} failed`)].toSorted().join(', ')}`,
    onFailure: (peer) => { failed.push(numberOf(peer)) }
  }))
  return { failed, lines: chunks.flat() }
}

describe('joined listings', () => {
  it('have each CID once with everybody who knows it, whatever the orders', async () => {
    const numbers = fc.uniqueArray(fc.nat(60), { maxLength: 30 })
    const peers = fc.array(fc.record({ numbers, sorted: fc.boolean() }), { minLength: 1, maxLength: 3 })
    await fc.assert(fc.asyncProperty(peers, async (list) => {
      const expected = new Map<number, string[]>()
      for (const [index, peer] of list.entries()) for (const number of peer.numbers) expected.set(number, [...expected.get(number) ?? [], `${index + 1} has ${number}`])
      const { lines, failed } = await merged(list.map((peer, index) => listing(index + 1, itemsOf(peer.sorted ? inOrder(peer.numbers) : peer.numbers), peer.sorted)))
      expect(failed).toEqual([])
      expect(lines.toSorted()).toEqual([...expected].map(([number, who]) => `pin ${number}: ${who.join(', ')}`).toSorted())
    }))
  })

  it('show a peer that failed in every line from then on', async () => {
    const [first, second, third] = inOrder([1, 2, 3])
    const { lines, failed } = await merged([listing(1, itemsOf(inOrder([1, 2, 3]))), listing(2, itemsOf([first ?? 0], new Error('gone'))), listing(3, itemsOf([], new Error('gone')))])
    expect(failed).toHaveLength(2)
    expect(lines).toEqual([`pin ${first}: 1 has ${first}, 2 has ${first}, 3 failed`, `pin ${second}: 1 has ${second}, 2 failed, 3 failed`, `pin ${third}: 1 has ${third}, 2 failed, 3 failed`])
  })

  it('do not believe a peer that says it is in order and is not, or lists without end', async () => {
    const backwards = inOrder([1, 2, 3]).toReversed()
    const { lines, failed } = await merged([listing(1, itemsOf(inOrder([1, 2, 3]))), listing(2, itemsOf(backwards)), listing(3, itemsOf(Array.from({ length: 200 }, (_, number) => number)), false)])
    expect(new Set(failed)).toEqual(new Set([2, 3]))
    expect(lines).toHaveLength(3)
  })

  it('leave out a peer that does not let us ask, and fail when nobody answers', async () => {
    const denied = new RpcError('no', 'authorization')
    expect((await merged([listing(1, itemsOf([1])), listing(2, itemsOf([], denied))])).lines).toEqual(['pin 1: 1 has 1'])
    await expect(merged([listing(1, itemsOf([], new Error('one'))), listing(2, itemsOf([], new Error('two')))])).rejects.toThrow(/one|two/)
  })

  it('close every listing when they are left', async () => {
    const closed: number[] = []
    async function * endless (peer: number): AsyncGenerator<readonly Item[]> {
      try { for (const number of inOrder([1, 2, 3, 4])) yield [item(number)] } finally { closed.push(peer) }
    }
    for await (const _ of mergeListings([listing(1, endless(1)), listing(2, endless(2))], { join: () => 0, onFailure: () => {} })) break
    expect(new Set(closed)).toEqual(new Set([1, 2]))
  })
})
