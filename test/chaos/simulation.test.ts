/** The short form of `npm run test:chaos`: a few seeds of the simulation. */
import { describe, expect, it } from 'vitest'
import { simulate } from './simulation/simulation.ts'

describe('a cluster under faults, simulated', () => {
  it.each([1, 3, 5, 7, 20, 30])('seed %i: all members agree, and nothing that was acknowledged is lost', async (seed) => {
    const { failures, trace, acknowledged } = await simulate(seed)
    expect(failures, trace.join('\n')).toEqual([])
    expect(acknowledged).toBeGreaterThan(0)
  }, 60_000)
})
