/** A progress bar on a terminal's stderr. */
import { humanBytes } from './format/humanize.ts'

const interval = 100
const width = 24

export interface Progress {
  readonly update: (bytes: number) => void
  /** Takes the bar away while something else is printed. */
  readonly clear: () => void
}

/** `total` in bytes, when it is known. */
export function progressBar (total: number | undefined, write: (text: string) => void, now: () => number = performance.now.bind(performance)): Progress {
  const begin = now()
  let last = 0
  let isShown = false
  return {
    update: (bytes) => {
      if (now() - last < interval) return
      last = now()
      isShown = true
      const rate = `${humanBytes(bytes / Math.max(0.001, (last - begin) / 1000))}/s`
      // The body has a few bytes more than its files.
      const done = total === undefined || total === 0 ? undefined : Math.min(1, bytes / total)
      write(`\r\u001b[K${humanBytes(bytes)}${total === undefined ? '' : ` / ${humanBytes(total)}`} ${done === undefined ? '' : `[${'#'.repeat(Math.floor(done * width)).padEnd(width, '.')}] ${Math.floor(done * 100)}% `}${rate}`)
    },
    clear: () => {
      if (isShown) write('\r\u001b[K')
      isShown = false
    }
  }
}
