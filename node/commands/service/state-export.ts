/** `ipfs-cluster-service state export`: the pinset, one JSON object a line (wire.md §8). */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { doing } from './context.ts'
import type { ServiceContext } from './context.ts'
import { withState } from './open-state.ts'

const encoder = new TextEncoder()
const lineEnd = encoder.encode('\n')

async function writeFile (path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const file = createWriteStream(path, { mode: 0o600 })
  const failed = once(file, 'error').then(([error]: unknown[]) => { throw error })
  failed.catch(() => {})
  await Promise.race([once(file, 'open'), failed])
  for await (const chunk of chunks) if (!file.write(chunk)) await Promise.race([once(file, 'drain'), failed])
  file.end()
  await Promise.race([once(file, 'close'), failed])
}

export async function stateExport (context: ServiceContext, path: string | undefined): Promise<void> {
  await withState(context, async (state) => {
    const chunks = async function * (): AsyncGenerator<Uint8Array> {
      for await (const lines of state.pinset.lines()) yield Buffer.concat(lines.flatMap((line) => [line, lineEnd]))
    }
    if (path !== undefined) await doing('writing the export', async () => { await writeFile(path, chunks()) })
    else for await (const chunk of chunks()) await context.write(chunk)
  })
  context.logger.forComponent('service').info('state successfully exported')
}
