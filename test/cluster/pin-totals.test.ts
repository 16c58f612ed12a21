import * as raw from 'multiformats/codecs/raw'
import { CID } from 'multiformats/cid'
import { expect, test } from 'vitest'
import { PinTotals } from '../../src/cluster/pin-totals.ts'
import { testCid } from '../contract/values.ts'

/** Totals over roots that can be added later; `settled` resolves when every question is answered. */
function setUp () {
  const blocks = new Map<string, Uint8Array>()
  const asked: string[] = []
  let running: Promise<void> = Promise.resolve()
  const totals = new PinTotals({
    connector: { blockGetLocal: async (cid) => { asked.push(cid.toString()); return blocks.get(cid.toString()) } },
    spawn: (_name, work) => { running = Promise.all([running, work({})]).then(() => {}) }
  })
  return { blocks, asked, totals, settled: async () => { await running } }
}
const rawCid = (number: number): CID => CID.createV1(raw.code, testCid(number).multihash)

test('the total comes with the first progress after the root is here, and the root is read once', async () => {
  const { blocks, asked, totals, settled } = setUp()
  const cid = rawCid(1)
  expect(totals.complete({ cid, blocks: 1, bytes: 10 })).toEqual({ cid, blocks: 1, bytes: 10 })
  await settled()
  blocks.set(cid.toString(), new Uint8Array(50))
  totals.complete({ cid, blocks: 2, bytes: 20 })
  await settled()
  for (let bytes = 30; bytes <= 50; bytes += 10) expect(totals.complete({ cid, blocks: bytes / 10, bytes })).toEqual({ cid, blocks: bytes / 10, bytes, totalBytes: 50 })
  expect(asked).toHaveLength(2)
  totals.forget(cid)
  expect(totals.complete({ cid, blocks: 6, bytes: 60 }).totalBytes).toBeUndefined()
})

test('progress without bytes asks for nothing, and many pins are not remembered for ever', async () => {
  const { asked, blocks, totals, settled } = setUp()
  totals.complete({ cid: rawCid(1), blocks: 1 })
  expect(asked).toEqual([])
  for (let number = 1; number <= 1500; number++) {
    blocks.set(rawCid(number).toString(), new Uint8Array(number))
    totals.complete({ cid: rawCid(number), blocks: 1, bytes: 1 })
  }
  await settled()
  expect(totals.complete({ cid: rawCid(1500), blocks: 1, bytes: 1 }).totalBytes).toBe(1500)
  expect(totals.complete({ cid: rawCid(1), blocks: 1, bytes: 1 }).totalBytes).toBeUndefined()
})
