/** A fresh peer joins a server whose pins are deltas of their own: until it has the first, all of them, and until its kubo has all. */
import { call, pinRun } from '../load.ts'
import { newSecret } from '../../interop/programs.ts'
import { withServer } from '../server.ts'
import type { Kind, Server } from '../server.ts'
import type { OwnRow, Stage } from './row.ts'

const names = { ours: ['newcomerFirst', 'newcomer', 'newcomerPinned'], go: ['goNewcomerFirst', 'goNewcomer', 'goNewcomerPinned'] } as const

const pause = async (ms: number): Promise<void> => { await new Promise((resolve) => setTimeout(resolve, ms)) }

/** Notes the times; where the limit came first, how far it got. */
async function watchNewcomer ({ note, say, settings: { newcomerPins: pins, newcomerLimit } }: Stage, { base, control }: Server, begin: number, [first, all, pinned]: typeof names[keyof typeof names]): Promise<void> {
  const elapsed = (): number => (performance.now() - begin) / 1000
  let [kuboHas, has, nextCount, told] = [0, 0, 0, 0]
  let firstAt: number | undefined, allAt: number | undefined
  while ((allAt === undefined || kuboHas < pins) && elapsed() < newcomerLimit) {
    kuboHas = await control?.standIn?.pins() ?? 0
    // A listing costs the newcomer something: at most a tenth of the time goes into them.
    if (allAt === undefined && elapsed() >= nextCount) {
      const { lines, total } = await call(base, 'GET', '/allocations?filter=all')
      has = lines
      if (has >= pins) allAt = elapsed()
      nextCount = elapsed() + total / 100
    }
    if (has > 0 || kuboHas > 0) firstAt ??= elapsed()
    if (elapsed() - told > 5) { told = elapsed(); say(`${has} of ${pins} pins, ${kuboHas} pinned`) }
    await pause(20)
  }
  const seconds = elapsed()
  note(first, firstAt ?? `none in ${newcomerLimit}`)
  note(all, allAt ?? `${has} in ${newcomerLimit}`)
  note(pinned, kuboHas >= pins ? seconds : `${kuboHas} in ${newcomerLimit}`)
}

async function join (stage: Stage, source: Server, secret: string, newcomer: Kind): Promise<void> {
  const address = await source.control?.address() ?? ''
  // From its start: the time to come up is part of what an operator waits for.
  const begin = performance.now()
  await withServer(stage.open({ secret, role: `newcomer from ${stage.kind.name}`, join: address }, newcomer), async (server) => {
    await watchNewcomer(stage, server, begin, names[newcomer.ours ? 'ours' : 'go'])
  })
}

export const newcomer: OwnRow = {
  name: 'newcomer',
  measureOwn: async (stage) => {
    const { kind, settings, clients, say } = stage
    if (!kind.controlled) return
    const secret = newSecret()
    await withServer(stage.open(kind.ours ? { secret, role: 'source', unbatched: settings.newcomerPins } : { secret, role: 'source' }), async (source) => {
      const standIn = source.control?.standIn
      // Go makes each pin a delta; ours would group them, so its store was filled before it started, and its kubo has yet to follow.
      if (kind.ours) await call(source.base, 'POST', '/pins/recover?local=true')
      else await pinRun(source.base, settings.newcomerPins, clients, { standIn, progress: say })
      while (standIn !== undefined && await standIn.pins() < settings.newcomerPins) await pause(100)
      for (const each of settings.newcomers) { say(`newcomer of ${each.name}`); await join(stage, source, secret, each) }
    })
  }
}
