/** Questions on the terminal. */
import type { Readable } from 'node:stream'
import { createInterface } from 'node:readline'
import type { Streams } from './context.ts'

const readers = new WeakMap<Readable, AsyncIterator<string>>()

/** Lines of a stream. Everybody who asks for the same stream goes on where the last one stopped, so that nothing is lost between two questions. */
export function linesOf (stream: Readable): AsyncIterator<string> {
  const known = readers.get(stream)
  if (known !== undefined) return known
  const lines = createInterface({ input: stream, terminal: false })[Symbol.asyncIterator]()
  readers.set(stream, lines)
  return lines
}

/** The next line; undefined at the end of the stream. */
export async function nextLine ({ stdin }: Streams): Promise<string | undefined> {
  const line = await linesOf(stdin).next()
  return line.done === true ? undefined : line.value
}

/** `[y/n]`, up to three tries; nothing, or no answer, is no. */
export async function confirm (streams: Streams, question: string): Promise<boolean> {
  for (let tries = 0; tries < 3; tries++) {
    streams.out(`${question} Continue? [y/n]: `)
    const answer = (await nextLine(streams) ?? '').trim().toLowerCase()
    if (answer === 'y' || answer === 'yes') return true
    if (answer === '' || answer === 'n' || answer === 'no') return false
  }
  return false
}
