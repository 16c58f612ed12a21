import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openLevelStore } from '../../node/store/level-store.ts'
import { silentLogger } from '../../src/component.ts'
import { Replica } from '../../src/consensus/crdt/replica.ts'
import { collect, testCid } from '../contract/values.ts'

it('keeps every acknowledged pin when the process is killed, and nothing by halves', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-kill-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (let round = 0; round < 3; round++) {
    const acknowledged = new Set<number>()
    const child = fork(join(import.meta.dirname, 'crdt-writer-process.ts'), [folder, String(round)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    child.on('message', (number) => {
      acknowledged.add(Number(number))
      if (acknowledged.size === 300) child.kill('SIGKILL')
    })
    await once(child, 'exit')
    expect(acknowledged.size).toBeGreaterThanOrEqual(300)
    const store = await openLevelStore(folder)
    try {
      const replica = new Replica({ store, logger: silentLogger.forComponent('crdt') })
      await replica.open()
      for (const number of acknowledged) expect(await replica.pinset.has(testCid(number)), `round ${round}, pin ${number}`).toBe(true)
      expect((await collect(replica.pinset.lines())).flat().length).toBe(replica.pinset.count())
      expect((await collect(store.keys({ gte: '/c/b/', lt: '/c/b0' }))).flat().length).toBe(replica.blocks)
      expect([replica.dirty, replica.heads.size, [...replica.heads.values()][0]?.height]).toEqual([false, 1, replica.blocks])
    } finally {
      await store.close()
    }
  }
})
