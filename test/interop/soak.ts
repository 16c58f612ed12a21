/**
 * npm run test:soak -- [--minutes 30] [--rate 80] [--go-datastore pebble] [--json FILE]: two Go peers and two of ours under load, one of each killed and restarted every minute.
 * Ends with 0 when, after the load, all four pinsets are equal and hold what was acknowledged. What a Go peer acknowledged just before its own kill -9
 * and lost is counted apart; a Go peer that does not catch up by itself is mended, and that is said. One line of figures a minute; `--json` keeps them as lines of JSON, too.
 */
import { createHash } from 'node:crypto'
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freshCid } from '../bench/load.ts'
import { pinnedAt, startMixed } from './members.ts'
import type { Member, MixedCluster } from './members.ts'
import { goPresent } from './programs.ts'
import { SoakLedger } from './soak/ledger.ts'
import { SoakWriter } from './soak/load.ts'
import type { Candidates } from './soak/load.ts'

const { values } = parseArgs({ options: { 'go-datastore': { type: 'string', default: 'pebble' }, minutes: { type: 'string', default: '30' }, rate: { type: 'string', default: '80' }, json: { type: 'string' } } })
/** How long nothing may change before pinsets that differ count as different. */
const patience = 150_000

const say = (text: string): void => { process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`) }
const sleep = async (ms: number): Promise<void> => { await new Promise((resolve) => setTimeout(resolve, ms)) }

async function residentMib (pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1024)
}

const sizeAt = async (member: Member): Promise<number> => await pinnedAt(member).then((pins) => pins.length, () => Number.NaN)

/** Kills this Go peer and this one of ours, and has them back some seconds later. */
async function restart (writers: readonly SoakWriter[], signal: 'SIGKILL' | 'SIGTERM', ledger: SoakLedger): Promise<void> {
  await Promise.all(writers.map(async (writer) => {
    const { member } = writer
    if (signal === 'SIGTERM') writer.pause()
    if (signal === 'SIGKILL') ledger.killed(member, Date.now())
    await member.stop(signal)
    writer.pause()
    await sleep(1000 + Math.random() * 5000)
    const begin = performance.now()
    await member.start()
    say(`${member.name} is back, ${((performance.now() - begin) / 1000).toFixed(1)} s after it was started (${signal})`)
    writer.resume()
  }))
}

async function report (minute: number, writers: readonly SoakWriter[]): Promise<void> {
  const rows = await Promise.all(writers.map(async (writer) => {
    const { member } = writer
    return { name: member.name, ...writer.take(), pins: await sizeAt(member), rss: await residentMib(member.pid()) }
  }))
  for (const { name } of rows.filter(({ rss }) => rss === 0)) say(`${name} is not running, and was not stopped from here`)
  say(`minute ${minute}: ${rows.reduce((sum, row) => sum + row.acknowledged, 0)} acknowledged | ` + rows.map(({ name, acknowledged, failed, p99, pins, rss }) => `${name}: ${acknowledged} ops, ${failed} unanswered, p99 ${Math.round(p99)} ms, ${pins} pins, ${rss} MiB`).join(' | '))
  if (values.json !== undefined) await appendFile(values.json, JSON.stringify({ minute, rows }) + '\n')
}

interface Settled { readonly after: number, readonly pinsets: ReadonlyArray<ReadonlySet<string>>, readonly equal: boolean }

/** Until all pinsets are equal, or until none has changed for a while. */
async function settle (members: readonly Member[]): Promise<Settled> {
  const begin = performance.now()
  let [told, changed, last] = [begin, begin, '']
  for (; ; await sleep(1000)) {
    const lists = await Promise.all(members.map(async (member) => await pinnedAt(member).catch(() => [])))
    const digests = lists.map((list) => createHash('sha256').update(list.join('\n')).digest('hex'))
    const now = performance.now()
    if (digests.join() !== last) [changed, last] = [now, digests.join()]
    const equal = new Set(digests).size === 1
    if (equal || now - changed > patience) return { after: (now - begin) / 1000, pinsets: lists.map((list) => new Set(list)), equal }
    if (now - told > 15_000) {
      told = now
      say(`not yet equal: ${members.map(({ name }, i) => `${name} ${lists[i]?.length ?? 0}`).join(', ')}`)
    }
  }
}

const differences = (one: ReadonlySet<string>, other: ReadonlySet<string>): number => [...one].filter((cid) => !other.has(cid)).length + [...other].filter((cid) => !one.has(cid)).length

/**
 * A Go peer that is killed while it walks the DAG has marked what it has merged and never walks what lies below (go-ds-crdt: a node is marked before its children are
 * queued, and the root becomes a head at the end only). Marked dirty it walks again from its heads: a new pin of ours brings it one that leads to all. On Pebble, Go's
 * default, `state crdt mark-dirty` of 1.1.6 says so and leaves no mark (written without a sync, never closed); what remains is to begin anew. And a pin that it had merged,
 * but neither linked from a head nor announced or acknowledged when it was killed, is seen by itself alone: unpinned there.
 */
async function mendGo (members: readonly Member[], { pinsets }: Settled, ledger: SoakLedger): Promise<void> {
  const writer = members.find(({ side }) => side === 'ours')
  if (writer === undefined) return
  const right = pinsets[members.indexOf(writer)] ?? new Set()
  const cid = freshCid()
  await writer.ctl('pin', 'add', '--no-status', cid)
  ledger.pinned(cid, writer, Date.now())
  for (const [i, member] of members.entries()) {
    const pinset = pinsets[i] ?? new Set()
    if (member.side !== 'go') continue
    const alone = [...pinset].filter((one) => !right.has(one) && ledger.isDoubtful(one))
    if (alone.length > 0) say(`${member.name} alone has ${alone.length} pins that it had not acknowledged when it was killed: unpinned`)
    for (const one of alone) await member.ctl('pin', 'rm', '--no-status', one)
    const count = differences(right, pinset) - alone.length
    if (count === 0) continue
    while (!(await pinnedAt(member)).includes(cid)) await sleep(1000)
    await member.stop()
    await member.service('state', 'crdt', 'mark-dirty')
    const marked = (await member.service('state', 'crdt', 'info')).includes('Dirty: true')
    if (!marked) await member.service('state', 'cleanup', '-f')
    say(`${member.name} differs in ${count} pins after its kills and does nothing about it: ${marked ? 'marked dirty' : 'its state is removed'}, started again`)
    await member.start()
  }
}

async function load (writers: readonly SoakWriter[], ledger: SoakLedger, minutes: number, rate: number): Promise<number> {
  for (const writer of writers) {
    writer.start(rate / writers.length)
    writer.resume()
  }
  const [goPeers, ourPeers] = [writers.filter(({ member }) => member.side === 'go'), writers.filter(({ member }) => member.side === 'ours')]
  let restarted = performance.now()
  for (let minute = 1; minute <= minutes; minute++) {
    const end = performance.now() + 60_000
    await sleep(15_000)
    const turn = Math.floor((minute - 1) / 2) % 2
    await restart([goPeers[turn], ourPeers[turn]].flatMap((writer) => writer ?? []), minute % 2 === 1 ? 'SIGKILL' : 'SIGTERM', ledger)
    restarted = performance.now()
    await sleep(Math.max(0, end - performance.now()))
    await report(minute, writers)
  }
  await Promise.all(writers.map(async (writer) => { await writer.stop() }))
  return (performance.now() - restarted) / 1000
}

async function soak ({ members }: MixedCluster, minutes: number, rate: number): Promise<boolean> {
  const ledger = new SoakLedger()
  const candidates: Candidates = []
  const sinceRestart = await load(members.map((member) => new SoakWriter(member, ledger, candidates)), ledger, minutes, rate)
  const ours = await settle(members.filter(({ side }) => side === 'ours'))
  say(ours.equal ? `the pinsets of ours are equal ${ours.after.toFixed(1)} s after the load, ${(sinceRestart + ours.after).toFixed(1)} s after the last restart` : 'the pinsets of ours did not become equal')
  let all = await settle(members)
  if (all.equal) say(`all four pinsets are equal: ${all.pinsets[0]?.size ?? 0} pins, ${(ours.after + all.after).toFixed(1)} s after the load, ${(sinceRestart + ours.after + all.after).toFixed(1)} s after the last restart`)
  else {
    await mendGo(members, all, ledger)
    all = await settle(members)
    say(all.equal ? `all four pinsets are equal: ${all.pinsets[0]?.size ?? 0} pins, ${all.after.toFixed(1)} s later` : `the pinsets did not become equal: ${all.pinsets.map(({ size }) => size).join(', ')}`)
  }
  let good = ours.equal && all.equal
  for (const [i, pinset] of all.pinsets.entries()) {
    const { lost, lostByGo, unknown } = ledger.judge(pinset)
    say(`${members[i]?.name ?? ''}: ${lost.length} acknowledged operations lost, ${lostByGo} that a killed Go peer had acknowledged just before, ${unknown.length} pins nobody asked for`)
    for (const text of [...lost, ...unknown].slice(0, 20)) say(`  ${text}`)
    if (lost.length + unknown.length > 0) good = false
  }
  return good
}

/** Where the logs of a soak that failed go. */
async function keepLogs (members: readonly Member[]): Promise<void> {
  const folder = join(import.meta.dirname, '../../test-results/soak')
  await mkdir(folder, { recursive: true })
  for (const { name, log } of members) await writeFile(join(folder, `${name}.log`), log())
  say(`logs: ${folder}`)
}

async function main (): Promise<number> {
  if (!goPresent) {
    process.stdout.write('skipped: the soak needs the Go cluster programs (GO_CLUSTER_BIN names their folder)\n')
    return 0
  }
  const [minutes, rate] = [Number(values.minutes), Number(values.rate)]
  if (!(minutes > 0) || !(rate > 0)) throw new Error('--minutes and --rate take numbers above 0')
  const cluster = await startMixed((['go-1', 'ours-1', 'go-2', 'ours-2'] as const).map((name) => ({ name, side: name.startsWith('go') ? 'go' as const : 'ours' as const, ipfs: 'stand-in' as const, datastore: values['go-datastore'] })))
  try {
    const good = await soak(cluster, minutes, rate)
    if (!good) await keepLogs(cluster.members)
    say(good ? 'passed' : 'FAILED')
    return good ? 0 : 1
  } finally { await cluster.close() }
}

process.exitCode = await main()
