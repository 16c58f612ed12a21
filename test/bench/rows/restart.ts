/** Stopped as an operator stops it, started on the same folder: until it answers for itself, with its IPFS identity. */
import { call } from '../load.ts'
import type { ServerRow } from './row.ts'

export const restart: ServerRow = {
  name: 'restart',
  measure: async ({ note }, { base, control }, sample) => {
    if (control === undefined) return
    await control.stop()
    note('restart', await control.start() / 1000)
    const { status } = await call(base, 'GET', `/allocations/${sample}`)
    if (status !== 200) throw new Error(`after the restart GET /allocations/${sample} answered ${status}`)
  }
}
