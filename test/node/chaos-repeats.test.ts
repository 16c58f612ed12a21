import { expect, test } from 'vitest'
import { simulate } from '../chaos/simulation/simulation.ts'

test('a seed of the simulation does the same every time', async () => {
  const [first, second] = [await simulate(25), await simulate(25)]
  expect(first.trace.length).toBeGreaterThan(50)
  expect(second).toEqual(first)
})
