import { Channel } from '../../src/adder/channel.ts'
import { batches } from '../../src/ipfs/batches.ts'
import { collect, each } from '../contract/ipfs-connector.ts'
import { expect, it } from 'vitest'

it('gives what was pushed, in order, and holds the writer at its limit', async () => {
  const channel = new Channel<number>(3)
  let pushed = 0
  const writing = (async () => {
    for (let index = 0; index < 10; index++) {
      await channel.push(index)
      pushed++
    }
    channel.end()
  })()
  await expect.poll(() => pushed).toBe(2)
  expect(channel.full).toBe(true)
  expect(await collect(channel)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  await writing
})

it('gives what is left before the error', async () => {
  const channel = new Channel<number>(10)
  await channel.push(1)
  channel.end(new Error('broken'))
  const seen: number[] = []
  await expect((async () => { for await (const item of channel) seen.push(item) })()).rejects.toThrow('broken')
  expect(seen).toEqual([1])
})

it('lets the writer go when nobody reads any more', async () => {
  const channel = new Channel<number>(1)
  const writing = channel.push(1)
  for await (const item of channel) if (item === 1) break
  await writing
  await channel.push(2)
  expect(channel.ended).toBe(true)
})

it('groups what came meanwhile, up to the limit', async () => {
  let given = 0
  const source = async function * (): AsyncGenerator<number> {
    for (let index = 0; index < 100; index++) {
      given++
      yield index
    }
  }
  const groups: number[] = []
  const items: number[] = []
  for await (const group of batches(source(), () => 1, 8)) {
    groups.push(group.length)
    items.push(...group)
    expect(given - items.length).toBeLessThanOrEqual(9)
    await new Promise((resolve) => { setTimeout(resolve, 1) })
  }
  expect(items).toEqual(Array.from({ length: 100 }, (_, index) => index))
  expect(Math.max(...groups)).toBe(8)
})

it('gives what came before an error, and ends the source when left early', async () => {
  const failing = async function * (): AsyncGenerator<number> {
    yield 1
    throw new Error('broken')
  }
  const seen: number[] = []
  await expect((async () => { for await (const group of batches(failing(), () => 1, 8)) seen.push(...group) })()).rejects.toThrow('broken')
  expect(seen).toEqual([1])
  let ended = false
  const endless = async function * (): AsyncGenerator<number> {
    try { for (;;) yield 1 } finally { ended = true }
  }
  for await (const group of batches(endless(), () => 1, 2)) if (group.length > 0) break
  await expect.poll(() => ended).toBe(true)
  expect(await collect(batches(each<number>([]), () => 1, 2))).toEqual([])
})
