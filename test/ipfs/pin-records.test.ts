import { expect, it } from 'vitest'
import { PinRecords } from '../../src/ipfs/pin-records.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { collect, testCid } from '../contract/values.ts'

it('a damaged record keeps everything below its root, and stops no listing', async () => {
  const store = new MemoryStore()
  const records = new PinRecords(store)
  for (const [number, depth] of [[1, 0], [2, 3], [3, -1]] as const) await records.put(testCid(number), depth)
  await store.batch([{ type: 'put', key: `pin/${testCid(2)}`, value: Uint8Array.of(255, 0) }, { type: 'put', key: 'pin/no cid', value: Uint8Array.of(45, 49) }])
  expect((await collect(records.all())).map(({ cid, maxDepth }) => [cid.toString(), maxDepth])).toEqual([[1, 0], [2, -1], [3, -1]].map(([number = 0, depth]) => [testCid(number).toString(), depth]))
  expect(await records.get(testCid(2))).toBe(-1)
  expect([await records.delete(testCid(2)), await records.get(testCid(2))]).toEqual([true, undefined])
})
