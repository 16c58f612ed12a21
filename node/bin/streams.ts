/** The process that a program runs in, as its commands see it. */
import { once } from 'node:events'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

// a closed pipe (`… | head`) is the reader's choice, not an error
process.stdout.on('error', (error: NodeJS.ErrnoException) => { if (error.code === 'EPIPE') process.exit(0); throw error })

export const processStreams = {
  stdin: process.stdin,
  environment: process.env,
  out: (text: string): void => { process.stdout.write(text) },
  write: async (bytes: Uint8Array): Promise<void> => { if (!process.stdout.write(bytes)) await once(process.stdout, 'drain') },
  tell: (text: string): void => { process.stderr.write(text) },
  onSignal: (listener: (signal: string) => void): (() => void) => {
    for (const signal of signals) process.on(signal, listener)
    return () => { for (const signal of signals) process.off(signal, listener) }
  },
  /** Ends now, whatever still runs. */
  exitNow: (code: number): void => { process.exit(code) }
} as const

/** Ends with this code once stdout is written. */
export const finish = (code: number): void => { process.stdout.write('', () => { process.exit(code) }) }
