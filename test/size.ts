/** npm run size: what `npm i` of the packed tarball puts on disk; fails above the limit, or when a program does not start. */
import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const limit = 150
const root = join(import.meta.dirname, '..')
const folder = await mkdtemp(join(tmpdir(), 'pinswarm-size-'))

const run = (command: string, args: readonly string[], cwd: string): string => {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${String(result.status)}`)
  return result.stdout
}

async function bytesBelow (path: string): Promise<number> {
  let total = 0
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) if (entry.isFile()) total += (await stat(join(entry.parentPath, entry.name))).size
  return total
}

try {
  const packed = JSON.parse(run('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', folder], root).replace(/^[^[{]*/, '')) as unknown
  const [{ filename, size }] = (Array.isArray(packed) ? packed : Object.values(packed as object)) as [{ readonly filename: string, readonly size: number }]
  const consumer = join(folder, 'consumer')
  run('mkdir', ['-p', consumer], folder)
  await writeFile(join(consumer, 'package.json'), '{"private":true}')
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', join(folder, filename)], consumer)
  const bytes = await bytesBelow(join(consumer, 'node_modules'))
  const disk = Number(run('du', ['-sk', 'node_modules'], consumer).split('\t')[0]) / 1024
  const packages = run('npm', ['ls', '--all', '--parseable'], consumer).trim().split('\n').length - 1
  for (const program of ['ipfs-cluster-service', 'ipfs-cluster-ctl']) process.stdout.write(run(process.execPath, [join(consumer, 'node_modules/.bin', program), '--version'], consumer))
  for (const door of ['pinswarm', 'pinswarm/node', 'pinswarm/client', 'pinswarm/web']) run(process.execPath, ['--input-type=module', '-e', `await import('${door}')`], consumer)
  process.stdout.write(`tarball ${(size / 1e6).toFixed(1)} MB; installed ${(bytes / 1e6).toFixed(0)} MB in ${packages} packages (${disk.toFixed(0)} MiB on disk); limit ${limit} MB\n`)
  if (Math.max(bytes / 1e6, disk * 1.048576) > limit) process.exitCode = 1
} finally { await rm(folder, { recursive: true, force: true }) }
