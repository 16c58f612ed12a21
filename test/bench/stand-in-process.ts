/** The kubo stand-in as a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { end } from '../processes.ts'
import { call } from './load.ts'

export interface StandIn {
  readonly port: number
  readonly pid: () => number
  /** How many pins it has. */
  readonly pins: () => Promise<number>
  readonly stop: () => Promise<void>
}

export async function startStandIn (): Promise<StandIn> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'kubo-stand-in.ts'), '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout, 'data') as [Buffer]
  const port = Number(line.toString().trim())
  const pins = async (): Promise<number> => (JSON.parse((await call(`http://127.0.0.1:${port}`, 'POST', '/api/v0/stand-in/pins')).body) as { Pins: number }).Pins
  return { port, pid: () => child.pid ?? 0, pins, stop: async () => { await end(child) } }
}
