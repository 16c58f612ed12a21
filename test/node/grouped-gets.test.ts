import { expect, test } from 'vitest'
import { GroupedGets } from '../../node/store/grouped-gets.ts'

test('reads begin at once, and those that wait share one', async () => {
  const asked: number[][] = []
  const gates: Array<() => void> = []
  const gets = new GroupedGets<number, string>(async (keys) => {
    asked.push(keys)
    await new Promise<void>((resolve) => { gates.push(resolve) })
    return keys.map((key) => `value ${key}`)
  })
  const answers = Promise.all([1, 2, 3, 4, 5, 6].map((key) => gets.get(key)))
  expect(asked).toEqual([[1], [2], [3]])
  gates[1]?.()
  await expect.poll(() => asked).toEqual([[1], [2], [3], [4, 5, 6]])
  for (const open of gates) open()
  expect(await answers).toEqual([1, 2, 3, 4, 5, 6].map((key) => `value ${key}`))
})

test('a failure is that of its group alone', async () => {
  const gets = new GroupedGets<number, number>(async (keys) => {
    await Promise.resolve()
    if (keys.includes(3)) throw new Error('no')
    return keys
  })
  const settled = await Promise.allSettled([1, 2, 4, 3, 5].map((key) => gets.get(key)))
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'])
  expect(await gets.get(6)).toBe(6)
})
