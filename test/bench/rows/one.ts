/** One allocation, asked for again and again: while nothing else happens, and while somebody reads whole listings. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { end } from '../../processes.ts'
import { onConnections } from '../connection.ts'
import { median, quantile } from '../load.ts'
import type { ServerRow } from './row.ts'

/** Ms of asking: several listings should pass meanwhile, and what is between them. */
const span = 3000

async function times (base: string, cid: string): Promise<number[]> {
  const all: number[] = []
  await onConnections(base, 1, async (connection) => {
    for (const end = performance.now() + span; performance.now() < end;) {
      const { status, total } = await connection.ask('GET', `/allocations/${cid}`)
      if (status !== 200) throw new Error(`GET /allocations/${cid} answered ${status}`)
      all.push(total)
    }
  })
  return all
}

export const one: ServerRow = {
  name: 'one',
  measure: async ({ note }, { base }, sample) => {
    note('one', median(await times(base, sample)))
    // In a process of its own: the client that is measured should not wait for itself.
    const reader = spawn(process.execPath, [join(import.meta.dirname, '../list-reader.ts'), base, '/pins?local=true'], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      await once(reader.stdout, 'data')
      const busy = await times(base, sample)
      note('oneBusy', median(busy))
      note('oneBusyWorst', quantile(busy, 0.99))
    } finally { await end(reader) }
  }
}
