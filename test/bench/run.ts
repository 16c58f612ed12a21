/**
 * npm run bench -- [--pins 20000] [--clients 32] [--rounds 3] [--add 64] [--url name=http://host:port]… [--pid name=PID]… [--only-urls]
 * npm run bench -- --browser [--rounds 3] [--only member,pins,content,tabs,scroll,size] [--pins 20000,100000] [--profile FOLDER]   tabs instead (browser.ts)
 * npm run bench -- --sync [--rounds 3] [--pins 20000,100000] [--batch 1]   a pinset into a fresh Node member (sync.ts)
 * Measures a fresh pinswarm peer in front of a stand-in for kubo, and beside it every server of the same REST API given by --url, in turns.
 */
import { randomBytes } from 'node:crypto'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { benchBrowser } from './browser.ts'
import { addRun, call, median, pinRun } from './load.ts'
import { createPeerProcess } from '../processes.ts'
import { syncLines } from './sync.ts'
import { startStandIn } from './stand-in-process.ts'

const { values } = parseArgs({ options: {
  pins: { type: 'string' }, clients: { type: 'string', default: '32' }, rounds: { type: 'string', default: '3' }, add: { type: 'string', default: '64' },
  url: { type: 'string', multiple: true, default: [] }, pid: { type: 'string', multiple: true, default: [] }, 'only-urls': { type: 'boolean', default: false },
  browser: { type: 'boolean', default: false }, only: { type: 'string', default: '' }, profile: { type: 'string' }, sync: { type: 'boolean', default: false }, batch: { type: 'string', default: '1' }
} })
const machine = `machine: ${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, node ${process.version}`
const pinsARound = Number(values.pins ?? 20_000)

interface Target { readonly name: string, readonly base: string, readonly pid?: number | undefined, readonly figures: Map<string, number[]> }

const pair = (text: string): [string, string] => {
  const at = text.indexOf('=')
  if (at < 1) throw new Error(`expected name=value, got ${text}`)
  return [text.slice(0, at), text.slice(at + 1)]
}
const pids = new Map(values.pid.map(pair))
const targets: Target[] = values.url.map(pair).map(([name, base]) => ({ name, base, pid: pids.has(name) ? Number(pids.get(name)) : undefined, figures: new Map() }))

const note = (target: Target, figure: string, value: number): void => { target.figures.set(figure, [...target.figures.get(figure) ?? [], value]) }
const memory = async (pid: number): Promise<number> => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024

async function measure (target: Target): Promise<void> {
  const pins = await pinRun(target.base, pinsARound, Number(values.clients))
  note(target, 'pins accepted /s', pins.acceptedPerSecond)
  note(target, 'pins accepted and pinned /s', pins.pinnedPerSecond)
  note(target, 'pin answer p50 ms', pins.p50)
  note(target, 'pin answer p99 ms', pins.p99)
  for (const [figure, path] of [['GET /allocations', '/allocations?filter=all'], ['GET /pins?local=true', '/pins?local=true'], ['GET /pins', '/pins']] as const) {
    const answer = await call(target.base, 'GET', path)
    note(target, `${figure} first byte ms`, answer.firstByte)
    note(target, `${figure} total ms`, answer.total)
    note(target, `${figure} lines`, answer.lines)
  }
  const one: number[] = []
  for (let i = 0; i < 200; i++) one.push((await call(target.base, 'GET', `/allocations/${pins.sample}`)).total)
  note(target, 'GET /allocations/CID ms', median(one))
  note(target, `add ${values.add} MiB local, MiB/s`, await addRun(target.base, Number(values.add), true))
  if (target.pid !== undefined) note(target, 'resident memory MB', await memory(target.pid))
}

async function benchServers (): Promise<void> {
  const stop: Array<() => Promise<void>> = []
  try {
    if (!values['only-urls']) {
      const standIn = await startStandIn()
      stop.unshift(standIn.stop)
      const peer = await createPeerProcess({ name: 'bench', secret: randomBytes(32).toString('hex'), ipfs: standIn.port, env: { CLUSTER_MONITORPINGINTERVAL: '15s', IPFS_CLUSTER_LOG_LEVEL: 'error' } })
      stop.unshift(peer.remove)
      await peer.start()
      stop.unshift(peer.stop)
      const target: Target = { name: 'pinswarm', base: peer.base, pid: peer.pid(), figures: new Map() }
      note(target, 'start to ready ms', peer.readyAfter())
      targets.unshift(target)
    }
    for (let round = 0; round < Number(values.rounds); round++) for (const target of targets) await measure(target)
  } finally {
    for (const end of stop) await end()
  }

  console.log(`${machine}; ${pinsARound} pins a round (the pinset grows), ${values.clients} clients, medians of ${values.rounds} rounds`)
  const names = [...new Set(targets.flatMap((target) => [...target.figures.keys()]))]
  const width = Math.max(...names.map((name) => name.length))
  console.log([' '.repeat(width), ...targets.map((target) => target.name.padStart(14))].join(' '))
  for (const name of names) {
    console.log([name.padEnd(width), ...targets.map((target) => {
      const value = median(target.figures.get(name) ?? [])
      return (Number.isNaN(value) ? '-' : value >= 100 ? value.toFixed(0) : value.toFixed(2)).padStart(14)
    })].join(' '))
  }
}

if (values.browser) {
  const pins = (values.pins ?? '20000,100000').split(',').map(Number)
  const lines = await benchBrowser({ rounds: Number(values.rounds), only: values.only.split(',').filter((name) => name !== ''), pins, profile: values.profile })
  console.log([`${machine}; peers and a headless Chromium share it; medians`, ...lines].join('\n'))
} else if (values.sync) {
  const sizes = (values.pins ?? '20000,100000').split(',').map(Number)
  console.log([machine, ...await syncLines(sizes, Number(values.rounds), Number(values.batch))].join('\n'))
} else await benchServers()
