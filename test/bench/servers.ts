/** Runs the rows over the servers, in rounds: each server alone on the machine, fresh in each round, the order turned each time. */
import { newSecret } from '../interop/programs.ts'
import { MemoryLog } from './memory.ts'
import type { FigureName } from './figures.ts'
import type { ServerBenchOptions } from './options.ts'
import { nameProfile } from './profile.ts'
import { accept } from './rows/accept.ts'
import { add } from './rows/add.ts'
import { list } from './rows/list.ts'
import { memory } from './rows/memory.ts'
import { joinAll, newcomer } from './rows/newcomer.ts'
import { one } from './rows/one.ts'
import { restart } from './rows/restart.ts'
import type { OwnRow, ServerRow, Stage } from './rows/row.ts'
import { withServer } from './server.ts'
import type { Kind, Server } from './server.ts'

/** By server, then by figure: a number or what was reached instead, for each round. */
export type Results = ReadonlyMap<string, ReadonlyMap<FigureName, ReadonlyArray<number | string>>>

export interface ServerBench { readonly results: Results, readonly memory: MemoryLog }

const onServer: readonly ServerRow[] = [list, one, memory, restart]
const onTheirOwn: readonly OwnRow[] = [newcomer, add]

/** Opens a server and watches it, and its kubo, until it is closed. */
async function watched (log: MemoryLog, opening: Promise<Server>): Promise<Server> {
  const server = await opening
  const { pid, control } = server
  const ends = [...pid === undefined ? [] : [log.watch(server.label, pid)], ...control?.standIn === undefined ? [] : [log.watch(`kubo stand-in of ${server.label}`, control.standIn.pid)]]
  return { ...server, close: async () => { for (const end of ends) end(); await server.close() } }
}

async function round (options: ServerBenchOptions, kind: Kind, number: number, log: MemoryLog, note: Stage['note']): Promise<void> {
  const { rows, pins, clients, settings } = options
  let doing = ''
  const say = (text: string): void => { process.stderr.write(`${new Date().toISOString().slice(11, 19)} round ${number}, ${kind.name}, ${doing}: ${text}\n`) }
  const stage: Stage = {
    kind, pins, clients, settings, say,
    open: async (opening, other = kind) => await watched(log, other.open(opening)),
    note: (figure, value) => { note(figure, value); say(`${figure} ${typeof value === 'number' ? value.toFixed(1) : value}`) }
  }
  const phase = (name: string): void => { doing = name; log.phase(name) }

  log.begin(`${kind.name}, round ${number}`)
  phase('start')
  if (rows.has('accept') || onServer.some(({ name }) => rows.has(name))) {
    const profile = kind.ours ? settings.profile : undefined
    const secret = newSecret()
    await withServer(stage.open({ profile, secret }), async (server) => {
      /** Ends a profile, with the process, and begins the next. */
      const profiled = async (name: string): Promise<void> => {
        if (profile === undefined) return
        await server.control?.stop()
        await nameProfile(profile, name)
        await server.control?.start()
      }
      phase('accept')
      const sample = await accept(stage, server)
      await profiled('accept')
      for (const row of onServer) {
        if (!rows.has(row.name)) continue
        phase(row.name)
        await row.measure(stage, server, sample)
        await profiled(row.name)
      }
      if (settings.joinRound && rows.has('newcomer')) {
        phase('newcomer')
        await joinAll(stage, server, secret)
      }
    })
  }
  for (const row of onTheirOwn) {
    if (!rows.has(row.name) || settings.joinRound && row === newcomer) continue
    phase(row.name)
    await row.measureOwn(stage)
  }
}

/** Runs it all; what was measured until a failure is lost, because a table with holes would hide it. */
export async function benchServers (options: ServerBenchOptions): Promise<ServerBench> {
  const memory = new MemoryLog()
  const results = new Map(options.kinds.map((kind) => [kind.name, new Map<FigureName, Array<number | string>>()]))
  try {
    for (let number = 1; number <= options.rounds; number++) {
      for (const kind of number % 2 === 1 ? options.kinds : options.kinds.toReversed()) {
        const figures = results.get(kind.name)
        await round(options, kind, number, memory, (figure, value) => { figures?.set(figure, [...figures.get(figure) ?? [], value]) })
      }
    }
  } finally { memory.stop() }
  return { results, memory }
}
