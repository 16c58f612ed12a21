/** Resident memory once the load and the listings are over, and the most there ever was. */
import { peakMemory, residentMemory } from '../proc.ts'
import type { ServerRow } from './row.ts'

export const memory: ServerRow = {
  name: 'memory',
  measure: async ({ note }, { pid }) => {
    if (pid === undefined) return
    note('memory', residentMemory(pid()) ?? Number.NaN)
    note('memoryPeak', peakMemory(pid()) ?? Number.NaN)
  }
}
