/** `ipfs-cluster-service state export`: the pinset, one JSON object a line (wire.md §8). */
import type { ServiceContext } from './context.ts'
import { withState } from './open-state.ts'
import { writeOut } from './output.ts'

const encoder = new TextEncoder()
const lineEnd = encoder.encode('\n')

export async function stateExport (context: ServiceContext, path: string | undefined): Promise<void> {
  await withState(context, async (state) => {
    const chunks = async function * (): AsyncGenerator<Uint8Array> {
      for await (const lines of state.pinset.lines()) yield Buffer.concat(lines.flatMap((line) => [line, lineEnd]))
    }
    await writeOut(context, path, 'the export', chunks())
  })
  context.logger.forComponent('service').info('state successfully exported')
}
