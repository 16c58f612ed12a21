import { expect, it, vi } from 'vitest'
import { StoreError } from '../../src/store/errors.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { Model } from '../crdt/model.ts'
import { keyOf, valueOf } from '../crdt/random-dag.ts'
import { openLonePeer } from './lone-peer.ts'

it('what a full store cannot take is not fetched again and again, but when there is room again', async () => {
  const author = new Model()
  const blocks = [1, 2, 3].flatMap((number) => author.commit([[keyOf(number), valueOf(number, `n${number}`)]]) ?? [])
  const [below, , head] = blocks
  if (below === undefined || head === undefined) throw new Error('three blocks were expected')
  const store = new MemoryStore()
  const peer = await openLonePeer({ store })
  peer.has(...blocks.slice(1))
  peer.hear([head.cid])
  await peer.clock.advance(120_000)
  expect(peer.consensus.stats()).toMatchObject({ merged: 2, missing: 1 })
  const batch = store.batch.bind(store)
  let refused = 0
  store.batch = async () => {
    refused++
    throw new StoreError('full', 'no room')
  }
  peer.has(below)
  const before = peer.fetched.length
  await peer.clock.advance(3_600_000)
  expect(refused).toBeGreaterThan(1)
  expect(peer.fetched.length - before).toBeLessThan(300) // every 15 s at most
  store.batch = batch
  await peer.clock.advance(600_000)
  await vi.waitFor(() => { expect(peer.consensus.stats()).toMatchObject({ merged: 3, missing: 0 }) })
})
