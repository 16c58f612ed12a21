/**
 * npm run test:soak -- [--minutes 30] [--rate 80] [--json FILE]: two Go peers and two of ours under load, one of each killed and restarted every minute.
 * Ends with 0 when, after the load, all four pinsets are equal and hold what was acknowledged. What a Go peer acknowledged just before its own kill -9
 * and lost is counted apart. One line of figures a minute; `--json` keeps them as lines of JSON, too.
 */
import { appendFile, readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { pinnedAt, startMixed } from './members.ts'
import type { Member, MixedCluster } from './members.ts'
import { goPresent } from './programs.ts'
import { SoakLedger } from './soak/ledger.ts'
import { SoakWriter } from './soak/load.ts'
import type { Candidates } from './soak/load.ts'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '30' }, rate: { type: 'string', default: '80' }, json: { type: 'string' } } })
/** How long the pinsets may take to become equal after the load. */
const patience = 15 * 60_000

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
  say(`minute ${minute}: ${rows.reduce((sum, row) => sum + row.acknowledged, 0)} acknowledged | ` + rows.map(({ name, acknowledged, failed, p99, pins, rss }) => `${name}: ${acknowledged} ops, ${failed} unanswered, p99 ${Math.round(p99)} ms, ${pins} pins, ${rss} MiB`).join(' | '))
  if (values.json !== undefined) await appendFile(values.json, JSON.stringify({ minute, rows }) + '\n')
}

/** Until all pinsets are equal, told from their CIDs; undefined when they do not become so. */
async function agreement (members: readonly Member[]): Promise<{ readonly after: number, readonly pinsets: ReadonlyArray<ReadonlySet<string>>, readonly equal: boolean }> {
  const begin = performance.now()
  for (let told = begin; ; await sleep(1000)) {
    const lists = await Promise.all(members.map(async (member) => await pinnedAt(member).catch(() => [])))
    const texts = lists.map((list) => list.join('\n'))
    const equal = texts.every((text) => text === texts[0])
    const after = performance.now() - begin
    if (equal || after > patience) return { after, pinsets: lists.map((list) => new Set(list)), equal }
    if (performance.now() - told > 15_000) {
      told = performance.now()
      say(`not yet equal: ${members.map(({ name }, i) => `${name} ${lists[i]?.length ?? 0}`).join(', ')}`)
    }
  }
}

async function soak (cluster: MixedCluster, minutes: number, rate: number): Promise<boolean> {
  const ledger = new SoakLedger()
  const candidates: Candidates = []
  const writers = cluster.members.map((member) => new SoakWriter(member, ledger, candidates))
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
  const sinceRestart = (performance.now() - restarted) / 1000
  const { after, pinsets, equal } = await agreement(cluster.members)
  const verdicts = pinsets.map((pinset) => ledger.judge(pinset))
  say(equal ? `all four pinsets are equal: ${pinsets[0]?.size ?? 0} pins, ${(after / 1000).toFixed(1)} s after the load, ${(sinceRestart + after / 1000).toFixed(1)} s after the last restart` : `the pinsets did not become equal within ${patience / 60_000} min: ${pinsets.map(({ size }) => size).join(', ')}`)
  let good = equal
  for (const [i, { lost, lostByGo, unknown }] of verdicts.entries()) {
    say(`${cluster.members[i]?.name ?? ''}: ${lost.length} acknowledged operations lost, ${lostByGo} that a killed Go peer had acknowledged just before, ${unknown.length} pins nobody asked for`)
    for (const text of [...lost, ...unknown].slice(0, 20)) say(`  ${text}`)
    if (lost.length + unknown.length > 0) good = false
  }
  return good
}

async function main (): Promise<number> {
  if (!goPresent) {
    process.stdout.write('skipped: the soak needs the Go cluster programs (GO_CLUSTER_BIN names their folder)\n')
    return 0
  }
  const [minutes, rate] = [Number(values.minutes), Number(values.rate)]
  if (!(minutes > 0) || !(rate > 0)) throw new Error('--minutes and --rate take numbers above 0')
  const cluster = await startMixed([{ name: 'go-1', side: 'go', ipfs: 'stand-in' }, { name: 'ours-1', side: 'ours', ipfs: 'stand-in' }, { name: 'go-2', side: 'go', ipfs: 'stand-in' }, { name: 'ours-2', side: 'ours', ipfs: 'stand-in' }])
  try {
    const good = await soak(cluster, minutes, rate)
    if (!good) for (const { name, log } of cluster.members) process.stderr.write(`--- the end of the log of ${name}\n${log().slice(-5000)}\n`)
    say(good ? 'passed' : 'FAILED')
    return good ? 0 : 1
  } finally { await cluster.close() }
}

process.exitCode = await main()
