/** The short form of `npm run test:chaos -- --only processes`: one seed. */
import { expect, test } from 'vitest'
import { runProcesses } from './process-run.ts'

test('processes under faults agree, and lose nothing that was acknowledged', async () => {
  const { failures, trace, acknowledged } = await runProcesses(9)
  expect(failures, trace.join('\n')).toEqual([])
  expect(acknowledged).toBeGreaterThan(0)
})
