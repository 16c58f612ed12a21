/** A fresh peer joins a server whose pins are deltas of their own: until it has the first, all of them, and until its kubo has all. */
import { call, pinRun } from '../load.ts'
import { newSecret } from '../../interop/programs.ts'
import { withServer } from '../server.ts'
import type { Kind, Server } from '../server.ts'
import type { OwnRow, Stage } from './row.ts'

const names = { ours: ['newcomerFirst', 'newcomer', 'newcomerPinned'], go: ['goNewcomerFirst', 'goNewcomer', 'goNewcomerPinned'] } as const

const pause = async (ms: number): Promise<void> => { await new Promise((resolve) => setTimeout(resolve, ms)) }

const listed = async (base: string): Promise<number> => (await call(base, 'GET', '/allocations?filter=all')).lines

/** How many pins a newcomer has. Ours counts them; of others a listing is read, at the cost of a tenth of the time. */
function counter (base: string, ours: boolean): () => Promise<number> {
  let [has, next] = [0, 0]
  return async () => {
    const begin = performance.now()
    if (begin < next) return has
    has = ours ? (JSON.parse((await call(base, 'GET', '/sync')).body) as { pins: number }).pins : await listed(base)
    const now = performance.now()
    next = now + (now - begin) * 9
    return has
  }
}

/** Notes the times; where the limit came first, how far it got. */
async function watchNewcomer ({ note, say, settings: { newcomerPins: pins, newcomerLimit } }: Stage, { base, control }: Server, begin: number, ours: boolean): Promise<void> {
  const [first, all, pinned] = names[ours ? 'ours' : 'go']
  const count = counter(base, ours)
  const elapsed = (): number => (performance.now() - begin) / 1000
  let [kuboHas, has, told] = [0, 0, 0]
  let firstAt: number | undefined, allAt: number | undefined
  while ((allAt === undefined || kuboHas < pins) && elapsed() < newcomerLimit) {
    kuboHas = await control?.standIn?.pins() ?? 0
    if (allAt === undefined) {
      has = await count()
      if (has >= pins) allAt = elapsed()
    }
    if (has > 0 || kuboHas > 0) firstAt ??= elapsed()
    if (elapsed() - told > 5) { told = elapsed(); say(`${has} of ${pins} pins, ${kuboHas} pinned`) }
    await pause(20)
  }
  const seconds = elapsed()
  if (allAt !== undefined && await listed(base) !== pins) throw new Error(`${base} counts ${pins} pins and lists others`)
  note(first, firstAt ?? `none in ${newcomerLimit}`)
  note(all, allAt ?? `${has} in ${newcomerLimit}`)
  note(pinned, kuboHas >= pins ? seconds : `${kuboHas} in ${newcomerLimit}`)
}

async function join (stage: Stage, source: Server, secret: string, newcomer: Kind): Promise<void> {
  const address = await source.control?.address() ?? ''
  // From its start: the time to come up is part of what an operator waits for.
  const begin = performance.now()
  await withServer(stage.open({ secret, role: `newcomer from ${stage.kind.name}`, join: address }, newcomer), async (server) => {
    await watchNewcomer(stage, server, begin, newcomer.ours)
  })
}

/** One newcomer of each kind after another. */
export async function joinAll (stage: Stage, source: Server, secret: string): Promise<void> {
  for (const each of stage.settings.newcomers) { stage.say(`newcomer of ${each.name}`); await join(stage, source, secret, each) }
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
      await joinAll(stage, source, secret)
    })
  }
}
