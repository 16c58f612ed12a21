/** One upload of random bytes to a cluster of two, each with a kubo stand-in; and to ours with its own store. */
import { addRun, call } from '../load.ts'
import { nameProfile } from '../profile.ts'
import { costText, withCosts } from '../proc.ts'
import { newSecret } from '../../interop/programs.ts'
import { withServer } from '../server.ts'
import type { Server } from '../server.ts'
import type { OwnRow, Stage } from './row.ts'

async function untilTwo ({ base }: Server): Promise<void> {
  while ((await call(base, 'GET', '/peers')).lines < 2 || (await call(base, 'GET', '/monitor/metrics/freespace')).body.split('"peer"').length < 3) await new Promise((resolve) => setTimeout(resolve, 100))
}

/** One upload, and on stderr what it cost whom. */
async function upload ({ note, say, settings }: Stage, figure: 'add' | 'addLocal' | 'addHelia', { base, pid, control }: Server, second?: Server): Promise<void> {
  const parties = { server: pid, second: second?.pid, 'kubo stand-in': control?.standIn?.pid, client: () => process.pid }
  const { result, seconds } = await withCosts(parties, async () => await addRun(base, settings.addMebibytes, figure !== 'add'))
  note(figure, result)
  say(`processor, ms a MiB: ${costText(seconds, settings.addMebibytes)}`)
}

async function toTwo (stage: Stage): Promise<void> {
  const secret = newSecret()
  const { profile } = stage.settings
  const named = async (name: string): Promise<void> => { if (profile !== undefined) await nameProfile(profile, name) }
  await withServer(stage.open({ secret, profile }), async (server) => {
    const address = await server.control?.address() ?? ''
    await withServer(stage.open({ secret, role: 'second', join: address, profile }), async (second) => {
      await untilTwo(server)
      await upload(stage, 'add', server, second)
      await upload(stage, 'addLocal', server, second)
    })
    await named('add-second')
  })
  await named('add')
}

export const add: OwnRow = {
  name: 'add',
  measureOwn: async (stage) => {
    if (!stage.kind.controlled) return
    await toTwo(stage)
    if (stage.kind.ours) await withServer(stage.open({ helia: true, role: 'with Helia' }), async (server) => { await upload(stage, 'addHelia', server) })
  }
}
