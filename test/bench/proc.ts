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
