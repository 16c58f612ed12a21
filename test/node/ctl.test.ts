/** `ipfs-cluster-ctl` as a process, against the API over a cluster in memory: the recorded runs of the reference, then what is ours. */
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { runCtl } from '../../node/commands/ctl/program.ts'
import { createHttpServer } from '../../node/http/server.ts'
import { createApi } from '../../src/api/api.ts'
import { silentLogger } from '../../src/component.ts'
import { version } from '../../src/version.ts'
import { MemoryCluster } from '../api/memory-cluster.ts'
import { run } from '../processes.ts'
import transcripts from '../vectors/ctl/transcripts.json' with { type: 'json' }
import type { HttpServer } from '../../node/http/server.ts'
import type { Output } from '../processes.ts'

const kept = 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o'
let folder = ''
let server: HttpServer
let cluster: MemoryCluster
let host = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pinswarm-ctl-'))
  await mkdir(join(folder, 'd/sub'), { recursive: true })
  await writeFile(join(folder, 'hello.txt'), 'hello world\n')
  await writeFile(join(folder, 'd/a.txt'), 'aaa')
  await writeFile(join(folder, 'd/sub/b.txt'), 'bbb')
})
afterAll(async () => { await rm(folder, { recursive: true, force: true }) })

beforeEach(async () => {
  cluster = new MemoryCluster()
  server = createHttpServer({ api: createApi(cluster), logger: silentLogger }, { listen: ['/ip4/127.0.0.1/tcp/0'], accessLog: () => {}, stopTimeout: 100 })
  await server.start()
  host = server.addresses()[0] ?? ''
  return async () => { await server.stop() }
})

/** The program as a process. */
const ctl = async (args: readonly string[], options: { readonly stdin?: Buffer, readonly env?: NodeJS.ProcessEnv } = {}): Promise<Output> => await run('ipfs-cluster-ctl', ['--host', host, ...args], { cwd: folder, ...options })

/** The same program inside this process: many runs in the time of one. */
async function inside (args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Output> {
  const stdout: Buffer[] = []
  let stderr = ''
  const before = process.cwd()
  process.chdir(folder)
  try {
    const code = await runCtl(['--host', host, ...args], {
      environment, out: (text) => { stdout.push(Buffer.from(text)) }, write: async (bytes) => { stdout.push(Buffer.from(bytes)) }, tell: (text) => { stderr += text },
      onSignal: () => () => {}, exitNow: (exit) => { throw new Error(`exit ${exit}`) }
    })
    return { code, stdout: Buffer.concat(stdout), stderr }
  } finally {
    process.chdir(before)
  }
}

/** What varies between runs. */
const masked = (text: string): string => text
  .replaceAll(/\b(?:Qm[1-9A-HJ-NP-Za-km-z]{44}|baf[a-z2-7]{56,})\b/g, 'CID')
  .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME').replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME')
  .replaceAll(/\d+ seconds from now/g, 'SOON').replaceAll(/ {4}- \/ip4\/.*\n/g, '').replaceAll(/"\/ip4\/.*",?\n\s*/g, '')

/** Recorded runs whose output is another cluster's, or prose that is ours: only the exit code is compared. */
const codeOnly = new Set([
  'add --replication 1 hello.txt', 'add --nopin hello.txt', '--enc json add hello.txt', '--enc json peers ls', '--version',
  'pin ls', '--enc json pin ls', 'pin ls --filter all', 'status', 'status --filter pinned', 'status --filter error,queued', 'status --local', 'recover', 'recover --local',
  'health metrics', 'health metrics ping', 'health bandwidth', 'ipfs gc', 'commands', '--host /ip4/127.0.0.1/tcp/1 id', '--basic-auth a:b id', 'pin add --mode direct bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
])
/** A filter that names nothing lists everything there; here it is an error. */
const stricter = new Set(['pin ls --filter bogus'])
/** Without the log lines of the reference. */
const talk = (stderr: string): string => stderr.split('\n').filter((line) => line !== '' && !/^\d{4}-\d\d-\d\dT/.test(line)).join('\n')

const recorded = transcripts.filter(({ program, args }) => program === 'ipfs-cluster-ctl' && !stricter.has(args.join(' ')))

test('the recorded runs of the reference end as recorded, and print the same', async () => {
  await cluster.pin(CID.parse(kept))
  for (const { args, stdout, stderr, exit } of recorded) {
    const line = args.join(' ')
    const output = await inside(args)
    expect(output.code, `${line}: ${output.stdout.toString()}${output.stderr}`).toBe(exit)
    if (codeOnly.has(line) || args.includes('--help')) continue
    expect(masked(output.stdout.toString()), line).toBe(masked(stdout))
    expect(talk(output.stderr), line).toBe(talk(stderr))
  }
})

test('the process prints what the program prints, and ends with its code', async () => {
  const cases: ReadonlyArray<readonly [args: readonly string[], code: number, stdout: string, stderr: string]> = [
    [['version'], 0, '1.1.6\n', ''], [['pin', 'rm', kept], 2, 'An error occurred:\n  Code: 404\n  Message: pin is not part of the pinset\n', ''],
    [['nosuch'], 3, '', "No help topic for 'nosuch'\n"], [['pin', 'add', 'x'], 1, '', 'error : invalid path "/ipfs/x": invalid cid: cid too short\n']
  ]
  for (const [args, code, stdout, stderr] of cases) {
    const output = await ctl(args)
    expect([output.code, output.stdout.toString(), output.stderr], args.join(' ')).toEqual([code, stdout, stderr])
  }
})

test('Ctrl-C ends what runs with 125, and a reader that leaves is no failure', async () => {
  cluster.statusOfPins = 'pinning'
  const program = join(import.meta.dirname, '../../node/bin/ipfs-cluster-ctl.ts')
  const waiting = spawn(process.execPath, [program, '--host', host, 'pin', 'add', '--wait', kept])
  await vi.waitFor(() => { expect(cluster.pinset.size).toBe(1) }, 20_000)
  waiting.kill('SIGINT')
  expect(await once(waiting, 'close')).toEqual([125, null])
  for (let i = 0; i < 3000; i++) await cluster.pin(CID.createV1(0x55, Digest.create(0x12, createHash('sha256').update(String(i)).digest())))
  const listing = spawn(process.execPath, [program, '--host', host, 'pin', 'ls'])
  let stderr = ''
  listing.stderr.on('data', (data: Buffer) => { stderr += data.toString() })
  listing.stdout.once('data', () => { listing.stdout.destroy() })
  expect([await once(listing, 'close'), stderr]).toEqual([[0, null], ''])
})

test('sizes, times and kinds of pins as the reference writes them', async () => {
  await cluster.pin(CID.parse(kept), { mode: 'direct', name: 'n', replicationFactorMin: 1, replicationFactorMax: 2, metadata: { k: 'v' }, expireAt: Date.parse('2099-01-01T00:00:00Z') })
  const text = async (...args: string[]): Promise<string> => (await inside(args)).stdout.toString()
  expect(masked(await text('pin', 'ls', kept))).toBe('CID | n | PIN-DIRECT | Repl. Factor: 1--2 | Allocations: [12D3KooWFykm5gndKjXgNgAF2shsNfKvoDhEunPQF2XeWSkQrX4H 12D3KooWRWTQEAfTUiRJnXDJ3gH6NP7jqgwFYSzrVmwKLMzV4Cay] | Direct | Metadata: yes | Exp: TIME | Added: TIME\n')
  expect(await text('health', 'bandwidth')).toContain('      /ipfs/bitswap/1.2.0: In:  4.2 kB. Out:  1.2 EB. RateIn: 4023.39B/s. RateOut: 7410.72B/s\n')
  expect(masked(await text('ipfs', 'gc'))).toBe('beta           \n  > CIDs:\nalpha          \n  > CIDs:\n    - CID\n')
  expect(await text('health', 'sync')).toBe('synced 7 of 9 (77.7 %) | pins: 1\nheads: 1 | height: 7 | queue: 2 | wanted: 1 | dirty: yes\npin_queued: 2 | pinning: 1 | pin_error: 0\n')
  expect(JSON.parse(await text('--enc', 'json', 'health', 'sync'))).toMatchObject({ synced: 7, known: 9, dirty: true })
  cluster.raised = [cluster.alert()]
  expect(await text('health', 'alerts')).toMatch(/^12D3KooWFykm\w+: ping\. Expired at: \d seconds ago\. Triggered at: \d seconds ago\n$/)
  expect(JSON.parse(await text('--enc', 'json', 'health', 'alerts'))).toHaveLength(1)
  expect(await text('--version')).toBe(`ipfs-cluster-ctl version ${version}\n`)
  cluster.statusOfPins = 'pin_error'
  expect(masked(await text('status', '--filter', 'error'))).toBe('CID | n:\n    > beta                 : PIN_ERROR: it went wrong | TIME | Attempts: 0 | Priority: false\n    > alpha                : PIN_ERROR: it went wrong | TIME | Attempts: 0 | Priority: false\n')
})

test('waiting ends when enough peers are there, when one fails, when time is over', async () => {
  cluster.statusOfPins = 'pinning'
  const late = await inside(['pin', 'add', '--wait', '--wait-timeout', '100ms', kept])
  expect([late.code, late.stderr]).toEqual([62, 'error waiting for pin status: context deadline exceeded: not pinned after 0.1 seconds\n'])
  cluster.onStatus = () => { cluster.statusOfPins = 'pinned' }
  expect((await inside(['pin', 'add', '-w', '-wl', '1', kept])).code).toBe(0)
  cluster.onStatus = () => {}
  cluster.statusOfPins = 'pin_error'
  const failed = await inside(['pin', 'add', '--wait', kept])
  expect([failed.code, failed.stderr]).toEqual([1, 'error waiting for pin status: error has occurred while attempting to reach status: pinned\n'])
  cluster.statusOfPins = 'pinned'
  expect((await inside(['add', '--wait', '-Q', 'hello.txt'])).code).toBe(0)
  expect((await inside(['pin', 'rm', '--wait', kept])).code).toBe(0)
})

test('directories come back as they were: links, empty files, dots, odd names', async () => {
  const tree = join(folder, 'tree')
  await mkdir(join(tree, 'inner dir', 'deep'), { recursive: true })
  const big = randomBytes(700_000)
  await writeFile(join(tree, 'big.bin'), big)
  await writeFile(join(tree, 'empty'), '')
  await writeFile(join(tree, 'inner dir', '100% & ünïcode?#.txt'), 'odd')
  await writeFile(join(tree, 'inner dir', 'deep', '.hidden'), 'hidden')
  await symlink('../big.bin', join(tree, 'inner dir', 'link'))
  const root = (await ctl(['add', '-r', '-H', '-Q', 'tree'])).stdout.toString().trim()
  expect((await ctl(['get', root, '-o', 'back'])).code).toBe(0)
  expect((await readdir(join(folder, 'back'), { recursive: true })).toSorted()).toEqual((await readdir(tree, { recursive: true })).toSorted())
  expect((await readFile(join(folder, 'back/big.bin'))).equals(big)).toBe(true)
  expect(await readFile(join(folder, 'back/inner dir/deep/.hidden'), 'utf8')).toBe('hidden')
  expect(await readlink(join(folder, 'back/inner dir/link'))).toBe('../big.bin')
  expect((await inside(['cat', `${root}/inner dir/100% & ünïcode?#.txt`])).stdout.toString()).toBe('odd')
  expect((await ctl(['cat', `/ipfs/${root}/big.bin`])).stdout.equals(big)).toBe(true)
  expect((await inside(['get', `${root}/empty`])).code).toBe(0)
  expect(await readFile(join(folder, 'empty'), 'utf8')).toBe('')
  const directory = await inside(['cat', root])
  expect([directory.code, directory.stderr]).toEqual([1, `error : /ipfs/${root} is a directory; use get\n`])
  expect((await inside(['add', '-r', 'tree'])).stdout.toString()).not.toContain('.hidden')
  const none = await inside(['get', `${root}/nope`, '-o', 'nothing'])
  expect([none.code, none.stdout.toString().split('\n')[1]]).toEqual([2, '  Code: 404'])
})

test('a hostile directory writes nothing outside of its folder', async () => {
  const root = (await inside(['add', '-r', '-Q', 'd'])).stdout.toString().trim()
  const stored = cluster.contents.get(root)
  if (stored?.kind !== 'directory') throw new Error('not a directory')
  const sub = stored.entries.find(({ kind }) => kind === 'directory')
  if (sub === undefined) throw new Error('no folder inside')
  cluster.contents.set(root, { kind: 'directory', entries: [{ ...sub, name: '../escaped' }] })
  const outside = await inside(['get', root, '-o', 'trap'])
  expect([outside.code, outside.stdout.toString()]).toEqual([1, expect.stringContaining('has an entry named "../escaped"') as string])
  expect(await readdir(folder)).not.toContain('escaped')
  // A link first, then a folder of the same name: what is below must not go where the link leads.
  const link = CID.createV1(0x70, Digest.create(0x12, new Uint8Array(32)))
  cluster.contents.set(link.toString(), { kind: 'symlink', target: folder })
  cluster.contents.set(root, { kind: 'directory', entries: [{ name: 'same', cid: link, size: 0n, kind: 'symlink' }, { ...sub, name: 'same' }] })
  expect((await inside(['get', root, '-o', 'trap'])).code).toBe(1)
  expect(await readdir(folder)).not.toContain('b.txt')
})

test('stdin, several paths, flags in the ways of Go', async () => {
  const piped = await ctl(['add', '-', '--name', 'from stdin'], { stdin: Buffer.from('piped') })
  expect(piped.stdout.toString()).toMatch(/^added baf\w+ from stdin\n$/)
  expect((await inside(['cat', piped.stdout.toString().split(' ')[1] ?? ''])).stdout.toString()).toBe('piped')
  expect((await inside(['add', 'hello.txt', 'd/a.txt'])).stdout.toString().trim().split('\n')).toHaveLength(3)
  for (const args of [['pin', 'add', '-replication=1', '-name', 'one dash', '--ns', kept], ['pin', 'add', '--rmin', '1', '--rmax=1', '-no-status=true', '--n=one dash', kept]]) {
    expect(masked((await inside(args)).stdout.toString())).toBe('CID | one dash | PIN | Repl. Factor: 1--1 | Allocations: [12D3KooWFykm5gndKjXgNgAF2shsNfKvoDhEunPQF2XeWSkQrX4H] | Recursive | Metadata: no | Exp: ∞ | Added: TIME\n')
  }
  expect((await inside(['pin', 'add', '-r', '-1', kept])).code).toBe(0)
  expect((await inside(['add', '--no-pin', '-Q', 'd/a.txt'])).code).toBe(0)
  for (const args of [['pin', 'add', '--metadata', 'novalue', kept], ['pin', 'add', '-r', 'x', kept], ['pin', 'add', '--expire-in', 'soon', kept], ['pin', 'add', '--allocations', 'nobody', kept], ['add'], ['add', '--format', 'car', '-w', 'hello.txt'], ['pin', 'ls', '--filter'], ['status', 'x']]) {
    const wrong = await inside(args)
    expect([wrong.code, wrong.stdout.toString(), wrong.stderr !== ''], args.join(' ')).toEqual([1, '', true])
  }
})

test('hosts: the next one when there is no connection; those that are not there yet are refused', async () => {
  expect((await inside(['--host', `/ip4/127.0.0.1/tcp/1,${host}`, 'version'])).stdout.toString()).toBe('1.1.6\n')
  expect((await inside(['--host', host.replace('/ip4/127.0.0.1', '/dns4/localhost'), 'version'])).stdout.toString()).toBe('1.1.6\n')
  for (const other of ['/ip4/127.0.0.1/tcp/9096/p2p/12D3KooWRWTQEAfTUiRJnXDJ3gH6NP7jqgwFYSzrVmwKLMzV4Cay', '/dnsaddr/cluster.example']) {
    const refused = await inside(['--host', other, 'id'])
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('not available yet') as string])
  }
  expect((await inside(['--secret', 'ab', 'id'])).code).toBe(1)
  for (const wrong of ['/ip4/999.0.0.1/tcp/1', '/ip4/127.0.0.1', '/ip4/127.0.0.1/udp/1', '/ip4/127.0.0.1/tcp/99999', '/foo/bar']) expect((await inside(['--host', wrong, 'id'])).stderr, wrong).toMatch(/^error parsing host multiaddress: failed to parse multiaddr /)
})

test('credentials from the flag and from the environment', async () => {
  await server.stop()
  server = createHttpServer({ api: createApi(cluster, { credentials: { ana: 'secret' } }), logger: silentLogger }, { listen: ['/ip4/127.0.0.1/tcp/0'], accessLog: () => {}, stopTimeout: 100 })
  await server.start()
  host = server.addresses()[0] ?? ''
  expect((await inside(['--force-http', '--basic-auth', 'ana:secret', 'version'])).code).toBe(0)
  expect((await inside(['-f', 'version'], { CLUSTER_CREDENTIALS: 'ana:secret' })).code).toBe(0)
  const wrong = await inside(['-f', '--basic-auth', 'ana:wrong', 'version'])
  expect([wrong.code, wrong.stdout.toString()]).toEqual([2, 'An error occurred:\n  Code: 401\n  Message: unauthorized: access denied\n'])
  const json = await inside(['--enc', 'json', 'version'])
  expect([json.code, JSON.parse(json.stdout.toString())]).toEqual([2, { code: 401, message: 'unauthorized: no auth provided' }])
})

test('every command explains itself, with an example', async () => {
  const names = (await inside(['commands'])).stdout.toString().trim().split('\n').map((line) => line.split(' ').slice(1))
  expect(names.length).toBeGreaterThan(20)
  for (const name of names.filter(([first]) => first !== 'commands' && first !== 'help')) {
    const help = await inside([...name, '--help'])
    expect([help.code, help.stderr], name.join(' ')).toEqual([0, ''])
    expect(help.stdout.toString(), name.join(' ')).toContain(`ipfs-cluster-ctl ${name.join(' ')}`)
    expect((await inside(['help', ...name])).stdout.equals(help.stdout)).toBe(true)
  }
  const unknown = await inside(['pin', 'nope'])
  expect([unknown.code, unknown.stderr]).toEqual([3, "No help topic for 'nope'\n"])
})

test('a listing that breaks is an error after what came', async () => {
  await cluster.pin(CID.parse(kept))
  await cluster.pin(CID.parse('QmX9skq5gAxy9CNxAtR66rw4paPNtTjkb5EmjkSqYPSZke'))
  cluster.breakAfter = 1
  const broken = await inside(['pin', 'ls'])
  expect([broken.code, masked(broken.stdout.toString()).replace(/^CID.*\n/, 'LINE\n')]).toEqual([2, 'LINE\nAn error occurred:\n  Code: 500\n  Message: the listing broke\n'])
})
