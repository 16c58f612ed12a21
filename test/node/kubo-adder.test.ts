/** The adder's CIDs against those of a real kubo, where there is an `ipfs` in PATH. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { createAdder } from '../../src/adder/unixfs.ts'
import { silentLogger } from '../../src/component.ts'
import { defaultPinOptions } from '../../src/pin/pin.ts'
import { collect, each } from '../contract/ipfs-connector.ts'
import { hasKubo, startKubo } from './kubo-daemon.ts'
import { peerIdFromString } from '@libp2p/peer-id'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { AddEntry, AddOptions } from '../../src/adder/adder.ts'
import type { KuboDaemon } from './kubo-daemon.ts'

const self = peerIdFromString('12D3KooWFykm5gndKjXgNgAF2shsNfKvoDhEunPQF2XeWSkQrX4H')
const run = promisify(execFile)

async function * entriesOf (base: string, path: string): AsyncGenerator<AddEntry> {
  for (const entry of await readdir(join(base, path), { withFileTypes: true })) {
    const below = `${path}/${entry.name}`
    if (entry.isDirectory()) {
      yield { kind: 'directory', path: below }
      yield * entriesOf(base, below)
    } else if (entry.isSymbolicLink()) yield { kind: 'symlink', path: below, target: await readlink(join(base, below)) }
    else yield { kind: 'file', path: below, content: each([new Uint8Array(await readFile(join(base, below)))]) }
  }
}

async function ours (base: string, options: Partial<AddOptions>): Promise<string> {
  const take = async function * (args: AsyncIterable<unknown>): AsyncGenerator<never> {
    yield * []
    await collect(args)
  }
  const adder = createAdder({ self, logger: silentLogger, allocate: () => [self], pin: async () => {}, rpc: { stream: (_peer, _method, args) => take(args as AsyncIterable<unknown>) as never } })
  const entries = async function * (): AsyncGenerator<AddEntry> {
    yield { kind: 'directory', path: 'root' }
    yield * entriesOf(base, 'root')
  }
  return String((await collect(adder.add(entries(), { pin: defaultPinOptions, ...options }))).at(-1)?.cid)
}

/** Numbers that look random and are the same each time. */
function * numbers (seed: number): Generator<number> {
  for (let state = seed; ;) yield state = (Math.imul(state, 1664525) + 1013904223) >>> 0
}
const noise = (length: number, seed: number): Uint8Array => {
  const source = numbers(seed)
  return Uint8Array.from({ length }, () => Number(source.next().value) >>> 24)
}

async function tree (files: Readonly<Record<string, Uint8Array | string>>, folders: readonly string[] = []): Promise<string> {
  const base = await mkdtemp(join(tmpdir(), 'pinswarm-add-'))
  onTestFinished(async () => { await rm(base, { recursive: true, force: true }) })
  for (const folder of ['', ...folders]) await mkdir(join(base, 'root', folder), { recursive: true })
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(base, 'root', path)), { recursive: true })
    await writeFile(join(base, 'root', path), content)
  }
  return base
}

describe.runIf(hasKubo)('CIDs of a real kubo', () => {
  let daemon: KuboDaemon
  beforeAll(async () => { daemon = await startKubo() })
  afterAll(async () => { await daemon.stop() })
  const kubos = async (base: string, ...flags: string[]): Promise<string> => (await run('ipfs', ['--api', daemon.api.toString(), 'add', '-Q', '-r', '--only-hash', ...flags, 'root'], { cwd: base, env: { ...process.env, IPFS_PATH: daemon.folder } })).stdout.trim()

  const variants: ReadonlyArray<readonly [name: string, options: Partial<AddOptions>, flags: readonly string[]]> = [
    ['defaults', {}, ['--cid-version=0', '--raw-leaves=false', '--chunker=size-262144']],
    ['raw leaves', { rawLeaves: true }, ['--cid-version=0', '--raw-leaves=true', '--chunker=size-262144']],
    ['CIDv1', { cidVersion: 1 }, ['--cid-version=1', '--chunker=size-262144']],
    ['CIDv1 without raw leaves', { cidVersion: 1, rawLeaves: false }, ['--cid-version=1', '--raw-leaves=false', '--chunker=size-262144']],
    ['small chunks', { chunker: 'size-1000' }, ['--cid-version=0', '--raw-leaves=false', '--chunker=size-1000']],
    ['trickle', { layout: 'trickle', chunker: 'size-1000' }, ['--cid-version=0', '--raw-leaves=false', '--chunker=size-1000', '--trickle']],
    ['trickle with raw leaves', { layout: 'trickle', chunker: 'size-1000', cidVersion: 1 }, ['--cid-version=1', '--chunker=size-1000', '--trickle']],
    ['rabin by sizes', { chunker: 'rabin-16384-32768-65536' }, ['--cid-version=0', '--raw-leaves=false', '--chunker=rabin-16384-32768-65536']],
    ['rabin by average', { chunker: 'rabin-60000' }, ['--cid-version=0', '--raw-leaves=false', '--chunker=rabin-60000']],
    ['rabin', { chunker: 'rabin' }, ['--cid-version=0', '--raw-leaves=false', '--chunker=rabin']],
    ['buzhash', { chunker: 'buzhash' }, ['--cid-version=0', '--raw-leaves=false', '--chunker=buzhash']],
    ['wrapped', { wrapWithDirectory: true }, ['--cid-version=0', '--raw-leaves=false', '--chunker=size-262144', '-w']]
  ]
  it.each(variants)('%s', async (_name, options, flags) => {
    const base = await tree({ 'big.bin': noise(1_500_000, 1), 'exact.bin': noise(262_144, 2), 'sub/a.txt': 'a', 'sub/deep/er/b.txt': 'b', 'empty.bin': '', 'ünï/cödé.txt': 'c' }, ['empty'])
    await symlink('../big.bin', join(base, 'root', 'sub', 'link'))
    expect(await ours(base, options)).toBe(await kubos(base, ...flags))
  })

  it('a folder that has to be sharded, with folders in it', async () => {
    const names = Array.from({ length: 4000 }, (_, index) => `${'name '.repeat(8)}${index}`)
    const base = await tree(Object.fromEntries(names.map((name, index) => [index % 10 === 0 ? `${name}/x` : name, name])))
    expect(await ours(base, {})).toBe(await kubos(base, '--cid-version=0', '--raw-leaves=false', '--chunker=size-262144'))
  })

  it('a folder of folders that has to be sharded', async () => {
    const names = Array.from({ length: 3500 }, (_, index) => `${'folder '.repeat(8)}${index}`)
    const base = await tree({ 'top.txt': 'x' }, names)
    expect(await ours(base, { cidVersion: 1 })).toBe(await kubos(base, '--cid-version=1', '--chunker=size-262144'))
  })
})
