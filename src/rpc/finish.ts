/** The end of a call: both sides close, and one that does not is not waited for. */
import type { Clock } from '../component.ts'
import type { ByteStream } from '../transport/transport.ts'
import type { ValueReader } from './value-reader.ts'

/** Resets the stream unless `work` ends within `ms`. */
export async function within<T> (clock: Clock, ms: number, stream: ByteStream, work: () => Promise<T>): Promise<T> {
  const done = new AbortController()
  clock.sleep(ms, { signal: done.signal }).then(() => { stream.abort(new Error(`rpc: no progress for ${ms} ms`)) }, () => {})
  try { return await work() } finally { done.abort() }
}

/** Closes our side and reads the other to its end; whatever goes wrong now only ends the stream sooner. */
export async function finish (clock: Clock, ms: number, stream: ByteStream, reader: ValueReader): Promise<void> {
  try {
    await within(clock, ms, stream, async () => {
      await stream.closeWrite()
      await reader.drain()
    })
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error(String(error)))
  }
}
