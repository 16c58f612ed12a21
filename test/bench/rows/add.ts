/** One upload of random bytes to a cluster of two, each with a kubo stand-in; and to ours with its own store. */
import { addRun, call } from '../load.ts'
import { newSecret } from '../../interop/programs.ts'
import { withServer } from '../server.ts'
import type { Server } from '../server.ts'
import type { OwnRow, Stage } from './row.ts'

async function untilTwo ({ base }: Server): Promise<void> {
  while ((await call(base, 'GET', '/peers')).lines < 2 || (await call(base, 'GET', '/monitor/metrics/freespace')).body.split('"peer"').length < 3) await new Promise((resolve) => setTimeout(resolve, 100))
}

async function toTwo ({ open, note, settings }: Stage): Promise<void> {
  const secret = newSecret()
  await withServer(open({ secret }), async (server) => {
    const address = await server.control?.address() ?? ''
    await withServer(open({ secret, role: 'second', join: address }), async () => {
      await untilTwo(server)
      note('add', await addRun(server.base, settings.addMebibytes, false))
      note('addLocal', await addRun(server.base, settings.addMebibytes, true))
    })
  })
}

export const add: OwnRow = {
  name: 'add',
  measureOwn: async (stage) => {
    if (!stage.kind.controlled) return
    await toTwo(stage)
    if (!stage.kind.ours) return
    await withServer(stage.open({ helia: true, role: 'with Helia' }), async ({ base }) => { stage.note('addHelia', await addRun(base, stage.settings.addMebibytes, true)) })
  }
}
