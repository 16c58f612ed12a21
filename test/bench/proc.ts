/** What /proc says of a process. */
import { readFileSync } from 'node:fs'

const field = (pid: number, name: string): number | undefined => {
  try {
    const kilobytes = new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024 / 1e6
  } catch { return undefined } // Between two lives of a server there is no process.
}

/** MB a process has in memory; undefined where there is none, or no /proc. */
export const residentMemory = (pid: number): number | undefined => field(pid, 'VmRSS')
/** The most it ever had. */
export const peakMemory = (pid: number): number | undefined => field(pid, 'VmHWM')

/** Seconds of processor all threads of a process have used; NaN where there is none. Linux counts them in hundredths. */
export function processorTime (pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch { return Number.NaN }
}

/** Who takes part in a run, by name; absent where the process is not known. */
export type Parties = Readonly<Record<string, (() => number) | undefined>>

/** Runs it, and says how many seconds of processor each party has used meanwhile. */
export async function withCosts<T> (parties: Parties, run: () => Promise<T>): Promise<{ readonly result: T, readonly seconds: ReadonlyMap<string, number> }> {
  const used = (): Map<string, number> => new Map(Object.entries(parties).flatMap(([name, pid]) => pid === undefined ? [] : [[name, processorTime(pid())]]))
  const before = used()
  const result = await run()
  return { result, seconds: new Map([...used()].map(([name, after]) => [name, after - (before.get(name) ?? Number.NaN)])) }
}

/** `server 0.50, client 0.06`: milliseconds of each for one of `count`. */
export const costText = (seconds: ReadonlyMap<string, number>, count: number): string => [...seconds].map(([name, spent]) => `${name} ${(spent / count * 1000).toFixed(2)}`).join(', ')
