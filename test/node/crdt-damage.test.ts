/** What a power loss, a failing disk or a torn file leaves of a LevelDB folder, and what the replica makes of it. */
import { cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { repairState } from '../../node/repair-state.ts'
import { openLevelStore } from '../../node/store/level-store.ts'
import { silentLogger } from '../../src/component.ts'
import { damagedKeys } from '../../src/consensus/crdt/heal.ts'
import { layoutOf } from '../../src/consensus/crdt/layout.ts'
import { Replica } from '../../src/consensus/crdt/replica.ts'
import type { PinOperation } from '../../src/consensus/crdt/pin-operations.ts'
import type { DeltaBlock } from '../../src/crdt/block.ts'
import { cidKey } from '../../src/pin/keys.ts'
import { asStored } from '../../src/pin/pin-json.ts'
import { encodePin } from '../../src/pin/pin-proto.ts'
import type { Store } from '../../src/store/store.ts'
import { seededRandom } from '../../src/transport/random.ts'
import { testPin } from '../contract/consensus.ts'
import { collect, testCid } from '../contract/values.ts'
import { below, pick } from '../crdt/random-dag.ts'

const logger = silentLogger.forComponent('crdt')

async function newFolder (): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-damage-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const putOf = (number: number): PinOperation => {
  const pin = testPin(number, { name: `pin ${number}`, metadata: { text: String(number).repeat(50) } })
  return { kind: 'put', key: cidKey(pin.cid), value: encodePin(pin), pin: asStored(pin) }
}

interface Ack { readonly log: string, readonly size: number }

/** A folder that was being written to, as it lay on the disk at the end, and where its log ended at each acknowledgement. */
async function written (count: number, writeBufferSize?: number): Promise<{ readonly folder: string, readonly acks: readonly Ack[], readonly blocks: readonly DeltaBlock[] }> {
  const [live, folder] = [await newFolder(), await newFolder()]
  const store = await openLevelStore(live, { writeBufferSize })
  const replica = new Replica({ store, logger }, { sync: true })
  await replica.open()
  const acks: Ack[] = []
  const blocks: DeltaBlock[] = []
  for (let number = 0; number < count; number++) {
    const { block } = await replica.commit(() => [putOf(number), ...number % 5 === 4 ? [{ kind: 'delete', key: cidKey(testCid(number - 2)) } as const] : []])
    if (block !== undefined) blocks.push(block)
    const log = (await namesIn(live, /\.log$/)).at(-1) ?? ''
    acks.push({ log, size: (await stat(join(live, log))).size })
  }
  if (writeBufferSize === undefined) await cp(live, folder, { recursive: true })
  await store.close()
  if (writeBufferSize !== undefined) await cp(live, folder, { recursive: true })
  return { folder, acks, blocks }
}

/** Names of the pins that are there after the first `count` changes. */
const namesAfter = (count: number): readonly string[] => Array.from({ length: count }, (_, number) => number).filter((number) => number % 5 !== 2 || number + 2 >= count).map((number) => `pin ${number}`).toSorted()

const namesIn = async (folder: string, pattern: RegExp): Promise<readonly string[]> => (await readdir(folder)).filter((name) => pattern.test(name)).toSorted()

async function copyOf (folder: string): Promise<string> {
  const copy = await newFolder()
  await cp(folder, copy, { recursive: true })
  return copy
}

async function withReplica<T> (folder: string, use: (replica: Replica, store: Store) => Promise<T>): Promise<T> {
  const store = await openLevelStore(folder)
  try {
    const replica = new Replica({ store, logger })
    await replica.open()
    return await use(replica, store)
  } finally { await store.close() }
}

const namesOf = async (replica: Replica): Promise<readonly string[]> => (await collect(replica.pinset.pins())).map(({ name }) => name).toSorted()

/** Nothing by halves: counters, listings, heads and order say the same. */
async function expectWhole (replica: Replica, store: Store, hint: string): Promise<void> {
  expect((await collect(replica.pinset.lines())).flat().length, hint).toBe(replica.pinset.count())
  expect((await collect(replica.order())).flat().length, hint).toBe(replica.blocks)
  expect([...await damagedKeys(store, layoutOf('/c'))], hint).toEqual([])
}

async function change (path: string, random: () => number): Promise<void> {
  const bytes = await readFile(path)
  const at = below(random, bytes.length)
  const end = Math.min(bytes.length, at + 1 + below(random, 200))
  const kind = pick(random, ['cut', 'flip', 'zeros'])
  if (kind === 'cut') await truncate(path, at)
  else {
    for (let place = at; place < end; place++) bytes[place] = kind === 'zeros' ? 0 : (bytes[place] ?? 0) ^ 0x5a
    await writeFile(path, bytes)
  }
}

describe('after a power loss', () => {
  it('everything acknowledged is there, wherever the log was cut behind it', async () => {
    const { folder, acks } = await written(80)
    for (let seed = 1; seed <= 15; seed++) {
      const random = seededRandom(seed)
      const copy = await copyOf(folder)
      const acknowledged = below(random, acks.length)
      const { log, size } = acks[acknowledged] ?? { log: '', size: 0 }
      const end = (await stat(join(copy, log))).size
      await truncate(join(copy, log), size + below(random, end - size + 1))
      // What was being written when the power went may be there as anything.
      if (random() < 0.5) await writeFile(join(copy, log), Buffer.concat([await readFile(join(copy, log)), Buffer.from(Array.from({ length: below(random, 5000) }, () => below(random, 256)))]))
      await withReplica(copy, async (replica, store) => {
        const hint = `seed ${seed}, pin ${acknowledged}`
        await expectWhole(replica, store, hint)
        expect(replica.blocks, hint).toBeGreaterThan(acknowledged)
        expect(await namesOf(replica), hint).toEqual(namesAfter(replica.blocks))
        expect([replica.heads.size, replica.wanted.size, [...replica.heads.values()][0]?.height], hint).toEqual([1, 0, replica.blocks])
      })
    }
  })

  it('batches that are missing in the middle are noticed, and their blocks are wanted', async () => {
    const { folder, blocks } = await written(80)
    const whole = await withReplica(await copyOf(folder), namesOf)
    let missed = 0
    for (let seed = 1; seed <= 15; seed++) {
      const random = seededRandom(seed)
      const copy = await copyOf(folder)
      const log = join(copy, (await namesIn(copy, /\.log$/)).at(-1) ?? '')
      const bytes = await readFile(log)
      const at = below(random, bytes.length)
      bytes[at] = (bytes[at] ?? 0) ^ 0xff
      await writeFile(log, bytes)
      await withReplica(copy, async (replica, store) => {
        await expectWhole(replica, store, `seed ${seed}`)
        expect(replica.blocks, `seed ${seed}`).toBeLessThan(blocks.length)
        if (replica.wanted.size > 0) missed++
        await replica.merge(blocks)
        await expectWhole(replica, store, `seed ${seed}`)
        expect([await namesOf(replica), replica.blocks, replica.wanted.size], `seed ${seed}`).toEqual([whole, blocks.length, 0])
      })
    }
    expect(missed).toBeGreaterThan(3)
  })

  it('a folder that was open when the machine went down is counted through, one whose process was killed is not', async () => {
    const { folder } = await written(3)
    const opened = async (mark?: string): Promise<boolean | undefined> => {
      const copy = await copyOf(folder)
      if (mark !== undefined) await writeFile(join(copy, 'RUNNING'), mark)
      const store = await openLevelStore(copy)
      await store.close()
      expect(await namesIn(copy, /^RUNNING$/)).toEqual([])
      return store.mayHaveGaps
    }
    expect([await opened(), await opened('another boot'), await opened('gaps')]).toEqual([false, true, true])
  })
})

describe('a damaged folder', () => {
  it('says what is wrong and how to mend it, and mending keeps all that can be read', async () => {
    const { folder, blocks } = await written(120, 1 << 16)
    expect((await namesIn(folder, /\.ldb$/)).length).toBeGreaterThan(0)
    const whole = await withReplica(await copyOf(folder), namesOf)
    for (let seed = 1; seed <= 14; seed++) {
      const random = seededRandom(seed)
      const copy = await copyOf(folder)
      const name = pick(random, await namesIn(copy, /^(MANIFEST-.*|CURRENT|.*\.ldb|.*\.log)$/))
      const hint = `seed ${seed}, ${name}`
      if (random() < 0.2) await rm(join(copy, name))
      else if ((await stat(join(copy, name))).size > 0) await change(join(copy, name), random)
      // LevelDB may end the process over a damaged table: the way is to mend it first.
      const refused = name.endsWith('.ldb') ? undefined : await withReplica(copy, async (replica) => { await namesOf(replica) }).then(() => undefined, (error: unknown) => error)
      if (refused !== undefined) {
        expect(refused, hint).toMatchObject({ name: 'StoreError', reason: 'damaged', message: expect.stringMatching(/is damaged: .*state crdt repair/) as unknown })
      }
      const told: unknown[] = []
      const info = await repairState(copy, { namespace: '/c', logger: silentLogger, onDamage: (error) => { told.push(error) } })
      if (refused !== undefined) expect(told.length, hint).toBe(1)
      await withReplica(copy, async (replica, store) => {
        await expectWhole(replica, store, hint)
        expect([replica.blocks, replica.wanted.size], hint).toEqual([info.blocks, info.missing])
        if (!/ldb|log/.test(name)) expect(await namesOf(replica), hint).toEqual(whole)
        await replica.merge(blocks)
        expect([await namesOf(replica), replica.blocks, replica.wanted.size], hint).toEqual([whole, blocks.length, 0])
      })
    }
  })
})
