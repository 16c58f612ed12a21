/** The kubo stand-in as a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { end } from '../processes.ts'

export async function startStandIn (): Promise<{ readonly port: number, readonly stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'kubo-stand-in.ts'), '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout, 'data') as [Buffer]
  return { port: Number(line.toString().trim()), stop: async () => { await end(child) } }
}
