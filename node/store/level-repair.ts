/**
 * Mends a LevelDB folder. LevelDB's own repair does not compare checksums: what it makes of a damaged table can be no store, or end
 * the process. So damaged tables are taken out before, and what is whole in them is written back afterwards.
 */
import { mkdir, readdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { StoreError } from '../../src/store/errors.ts'
import { damagedError, openError } from './level-errors.ts'
import { markOpen } from './level-folder.ts'
import { readTable } from './level-table.ts'
import type { Table } from './level-table.ts'

/** LevelDB's own repair puts its leftovers there, too. */
const lostName = 'lost'
/** Entries that are written back at once. */
const together = 1000

/** Makes a store that can be opened of what is whole; the rest is moved to `lost` inside the folder. Old values may come back: what is derived must be made anew. */
export async function repairFolder (folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  if (names.length === 0) throw new StoreError('unavailable', `there is no store in ${folder}`)
  const lost = join(folder, lostName)
  try {
    await mkdir(lost, { recursive: true })
    // Those of an earlier repair that was cut off are written back, too.
    for (const name of names.filter(isTable)) if (await tableIn(join(folder, name)).then((table) => table?.isWhole !== true)) await rename(join(folder, name), join(lost, name))
    await ClassicLevel.repair(folder)
    await writeBack(folder, lost)
  } catch (error) {
    throw openError(folder, error)
  }
  await markOpen(folder, true)
}

/** Throws StoreError where a table has other bytes than LevelDB wrote. */
export async function checkTables (folder: string): Promise<void> {
  for (const name of (await readdir(folder).catch(() => [])).filter(isTable)) {
    const table = await tableIn(join(folder, name))
    if (table?.isWhole !== true) throw damagedError(folder, `the file ${name} has other bytes than were written`)
  }
}

const isTable = (name: string): boolean => /\.(ldb|sst)$/.test(name)

/** Undefined where nothing of it can be read. */
async function tableIn (path: string): Promise<Table | undefined> {
  const bytes = await readFile(path)
  try { return readTable(bytes) } catch { return undefined }
}

async function writeBack (folder: string, lost: string): Promise<void> {
  const database = new ClassicLevel<Uint8Array, Uint8Array>(folder, { keyEncoding: 'view', valueEncoding: 'view' })
  try {
    await database.open()
    for (const name of (await readdir(lost)).filter(isTable)) {
      const table = await tableIn(join(lost, name))
      if (table !== undefined) for (const entries of chunksOf(table)) await putMissing(database, entries)
    }
  } finally { await database.close() }
}

type Entry = readonly [key: Uint8Array, value: Uint8Array]

function * chunksOf (table: Table): Generator<readonly Entry[]> {
  let chunk: Entry[] = []
  for (const entry of table.entries()) {
    chunk.push(entry)
    if (chunk.length < together) continue
    yield chunk
    chunk = []
  }
  yield chunk
}

/** What is there already may be newer; of one key the first entry is the newest. */
async function putMissing (database: ClassicLevel<Uint8Array, Uint8Array>, entries: readonly Entry[]): Promise<void> {
  const here = await database.getMany(entries.map(([key]) => key))
  const missing = new Map(entries.flatMap(([key, value], at) => here[at] === undefined ? [[Buffer.from(key).toString('latin1'), { type: 'put', key, value }] as const] : []).toReversed())
  await database.batch([...missing.values()])
}
