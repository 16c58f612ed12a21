/**
 * npm run bench -- [--pins 20000] [--clients 32] [--rounds 3] [--only accept,list,one,memory,restart,newcomer,add] [--add 256]
 *   [--newcomer-pins 20000] [--newcomer-limit 150] [--url name=http://host:port]… [--pid name=PID]… [--only-urls] [--built] [--report FILE.html] [--profile FOLDER]
 *   A fresh peer before a stand-in for kubo, beside it Go's where GO_CLUSTER_BIN names its programs, and every server given by --url (servers.ts).
 * npm run bench -- --million [--go]   the same with 1,000,000 pins in one round, for ours alone unless asked; the newcomer joins the server that accepted them
 * npm run bench -- --browser [--rounds 3] [--only member,pins,content,tabs,scroll,size] [--pins 20000,100000] [--profile FOLDER]   tabs (browser.ts)
 * npm run bench -- --sync [--rounds 3] [--pins 20000,100000] [--batch 1]   a pinset into a fresh Node member (sync.ts)
 * npm run bench -- --costs   what nobody can go below here: signature, hash, fsync, round trip (costs.ts)
 */
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { mkdir, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { benchBrowser } from './browser.ts'
import { costLines } from './costs.ts'
import { closeAll } from './kinds.ts'
import { serverBenchOptions } from './options.ts'
import type { RawOptions } from './options.ts'
import { profileLines } from './profile.ts'
import { reportHtml } from './report.ts'
import { benchServers } from './servers.ts'
import { syncLines } from './sync.ts'
import { tableOf, tableText } from './table.ts'

const { values } = parseArgs({ options: {
  pins: { type: 'string' }, clients: { type: 'string', default: '32' }, rounds: { type: 'string' }, add: { type: 'string', default: '256' }, only: { type: 'string', default: '' },
  url: { type: 'string', multiple: true, default: [] }, pid: { type: 'string', multiple: true, default: [] }, 'only-urls': { type: 'boolean', default: false },
  'newcomer-pins': { type: 'string' }, 'newcomer-limit': { type: 'string' }, million: { type: 'boolean', default: false }, built: { type: 'boolean', default: false }, go: { type: 'boolean', default: false }, report: { type: 'string' },
  browser: { type: 'boolean', default: false }, profile: { type: 'string' }, sync: { type: 'boolean', default: false }, costs: { type: 'boolean', default: false }, batch: { type: 'string', default: '1' }
} })
const loadBefore = loadavg()[0]?.toFixed(1)
const machine = `machine: ${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, node ${process.version}, load ${loadBefore} before`

async function servers (raw: RawOptions): Promise<void> {
  let ending: Promise<void> | undefined
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { ending ??= closeAll() })
  const options = serverBenchOptions(raw)
  if (values.profile !== undefined) await mkdir(values.profile, { recursive: true })
  const { results, memory } = await benchServers(options).catch(async (error: unknown) => {
    await ending
    throw error
  })
  const { pins, clients, rounds, settings } = options
  const about = `${machine}; ours ${raw.built ? 'as built' : 'from sources'}; ${pins.toLocaleString('en')} pins, ${clients} clients, ${rounds === 1 ? 'one round' : `medians of ${rounds} rounds`}; ${settings.newcomerPins.toLocaleString('en')} pins to a newcomer, ${settings.addMebibytes} MiB added`
  const table = tableOf(results, options)
  console.log([about, ...tableText(table)].join('\n'))
  if (values.profile !== undefined) console.log((await profileLines(values.profile)).join('\n'))
  if (values.report !== undefined) await writeFile(values.report, reportHtml(about, table, memory.tracks))
}

if (values.browser) {
  const pins = (values.pins ?? '20000,100000').split(',').map(Number)
  const lines = await benchBrowser({ rounds: Number(values.rounds ?? 3), only: values.only.split(',').filter((name) => name !== ''), pins, profile: values.profile })
  console.log([`${machine}; peers and a headless Chromium share it; medians`, ...lines].join('\n'))
} else if (values.sync) {
  const sizes = (values.pins ?? '20000,100000').split(',').map(Number)
  console.log([machine, ...await syncLines(sizes, Number(values.rounds ?? 3), Number(values.batch))].join('\n'))
} else if (values.costs) console.log([machine, ...await costLines()].join('\n'))
else await servers(values)
