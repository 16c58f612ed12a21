/** Results in bulk: to stdout, or to a file. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { doing } from './context.ts'
import type { ServiceContext } from './context.ts'

async function writeFile (path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const file = createWriteStream(path, { mode: 0o600 })
  const failed = once(file, 'error').then(([error]: unknown[]) => { throw error })
  failed.catch(() => {})
  await Promise.race([once(file, 'open'), failed])
  for await (const chunk of chunks) if (!file.write(chunk)) await Promise.race([once(file, 'drain'), failed])
  file.end()
  await Promise.race([once(file, 'close'), failed])
}

/** Writes at the pace of whoever takes it; `what` names it in errors. */
export async function writeOut (context: ServiceContext, path: string | undefined, what: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  if (path !== undefined) await doing(`writing ${what}`, async () => { await writeFile(path, chunks) })
  else for await (const chunk of chunks) await context.write(chunk)
}
