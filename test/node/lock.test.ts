import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockFolder } from '../../node/lock.ts'

let folder = ''
beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'pinswarm-lock-')) })
afterEach(async () => { await rm(folder, { recursive: true, force: true }) })

const busy = (): string => `lock ${folder}/cluster.lock: someone else has the lock. If no other ipfs-cluster-service process is running, remove ${folder}/cluster.lock, or make sure that the config folder is writable for the user running ipfs-cluster-service.`
/** Another process that takes the lock, says so, and keeps it. */
const holder = () => spawn(process.execPath, ['--input-type=module', '-e', `const { lockFolder } = await import(${JSON.stringify(join(import.meta.dirname, '../../node/lock.ts'))}); await lockFolder(${JSON.stringify(folder)}); console.log('locked'); setInterval(() => {}, 1000)`], { stdio: ['ignore', 'pipe', 'inherit'] })

test('one at a time, and the file goes with the lock', async () => {
  const lock = await lockFolder(folder)
  await expect(lockFolder(folder)).rejects.toThrow(busy())
  await lock.release()
  await lock.release()
  expect(await readdir(folder)).toEqual([])
  await (await lockFolder(folder)).release()
})

test('another process is refused while it runs, and its lock is stale once it was killed', async () => {
  const child = holder()
  await once(child.stdout, 'data')
  await expect(lockFolder(folder)).rejects.toThrow(busy())
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  expect(await readdir(folder)).toEqual(['cluster.lock'])
  const lock = await lockFolder(folder)
  expect(await readFile(join(folder, 'cluster.lock'), 'utf8')).toContain(String(process.pid))
  await lock.release()
})

test('a process ID used again, an empty file and garbage do not count as held', async () => {
  for (const text of [JSON.stringify({ pid: process.ppid, started: '1@another boot' }), JSON.stringify({ pid: 2 ** 22 + 1, started: '' }), '', 'garbage', '{"pid":-1,"started":"x"}']) {
    await writeFile(join(folder, 'cluster.lock'), text)
    await (await lockFolder(folder)).release()
  }
  expect(await readdir(folder)).toEqual([])
})

test('of many at once exactly one gets it', async () => {
  const results = await Promise.allSettled(Array.from({ length: 20 }, async () => await lockFolder(folder)))
  const won = results.filter((result) => result.status === 'fulfilled')
  expect(won).toHaveLength(1)
  await won[0]?.value.release()
})

test('a folder that cannot be written says so', async () => {
  await expect(lockFolder(join(folder, 'none'))).rejects.toThrow(/cluster\.lock: ENOENT\. If no other/)
})
