import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { readTable } from '../../node/store/level-table.ts'
import { openLevelStore } from '../../node/store/level-store.ts'
import { uncompress } from '../../node/store/snappy.ts'

/** A table that LevelDB wrote, with compressed blocks and others, and what is in it. */
async function written (): Promise<{ readonly table: Uint8Array, readonly entries: ReadonlyMap<string, string> }> {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-table-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const entries = new Map<string, string>()
  for (let number = 0; number < 600; number++) entries.set(`/key/${String(number).padStart(5, '0')}`, number % 3 === 0 ? `${number} `.repeat(80) : Buffer.from(crypto.getRandomValues(new Uint8Array(90))).toString('hex'))
  const first = await openLevelStore(folder)
  await first.batch([...entries].map(([key, value]) => ({ type: 'put', key, value: Buffer.from(value) })))
  await first.close()
  // The log becomes a table with the next start.
  await (await openLevelStore(folder)).close()
  const [name = ''] = (await readdir(folder)).filter((file) => file.endsWith('.ldb'))
  return { table: await readFile(join(folder, name)), entries }
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const entriesOf = (table: Uint8Array): ReadonlyMap<string, string> => new Map([...readTable(table).entries()].map(([key, value]) => [textOf(key), textOf(value)]))

it('reads what LevelDB wrote', async () => {
  const { table, entries } = await written()
  expect(readTable(table).isWhole).toBe(true)
  const found = new Map(entriesOf(table))
  found.delete('\0')
  expect(found).toEqual(entries)
})

it('knows every changed byte, and gives no other values for it', async () => {
  const { table, entries } = await written()
  let kept = 0
  const at = fc.oneof(fc.nat(table.length - 49), fc.nat(4000).map((back) => table.length - 49 - back))
  fc.assert(fc.property(at, fc.integer({ min: 1, max: 255 }), (at, change) => {
    const bytes = Uint8Array.from(table)
    bytes[at] = (bytes[at] ?? 0) ^ change
    let found: ReadonlyMap<string, string>
    try {
      expect(readTable(bytes).isWhole).toBe(false)
      found = entriesOf(bytes)
    } catch (error) {
      expect(error).toMatchObject({ name: 'DecodeError' })
      return
    }
    for (const [key, value] of found) expect(value).toBe(entries.get(key))
    expect(found.size).toBeGreaterThan(entries.size / 2)
    kept++
  }))
  expect(kept).toBeGreaterThan(50)
})

it('never does worse than a DecodeError', async () => {
  const { table } = await written()
  const attempt = (work: () => unknown): void => { try { work() } catch (error) { expect(error).toMatchObject({ name: 'DecodeError' }) } }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => { attempt(() => uncompress(bytes, 1 << 20)) }))
  fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (footer) => { attempt(() => [...readTable(Buffer.concat([table.subarray(0, -48), footer, Buffer.alloc(40 - footer.length), table.subarray(-8)])).entries()]) }))
  fc.assert(fc.property(fc.nat(table.length), (length) => { attempt(() => [...readTable(table.subarray(0, length)).entries()]) }))
})
