/**
 * Looks into LevelDB's manifest before LevelDB does: it takes one that was cut off for the whole, forgets the tables that the lost part
 * names, and deletes them. The log that the manifest names as the current one tells: LevelDB removes a log only after the manifest
 * names a later one.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { varint } from 'multiformats'
import { readIfThere } from '../files.ts'

const blockLength = 32_768
const headerLength = 7

/** Payloads of a file in LevelDB's log format; what is incomplete at its end is left out, as LevelDB does. */
function * recordsIn (bytes: Uint8Array): Generator<Uint8Array> {
  let parts: Uint8Array[] = []
  for (let at = 0; at + headerLength <= bytes.length;) {
    const left = blockLength - at % blockLength
    if (left < headerLength) {
      at += left
      continue
    }
    const length = (bytes[at + 4] ?? 0) | ((bytes[at + 5] ?? 0) << 8)
    const type = bytes[at + 6] ?? 0
    const end = at + headerLength + length
    if (end > bytes.length || length > left - headerLength || type < 1 || type > 4) return
    const payload = bytes.subarray(at + headerLength, end)
    at = end
    if (type === 1 || type === 2) parts = []
    parts.push(payload)
    if (type === 1 || type === 4) yield Buffer.concat(parts)
  }
}

/** Numbers and byte strings that follow the tag of each field. */
const fields: Readonly<Record<number, string>> = { 1: 's', 2: 'n', 3: 'n', 4: 'n', 5: 'ns', 6: 'nn', 7: 'nnnss', 9: 'n' }
const logTag = 2
const tableTag = 7

interface Named {
  /** Number of the current log. */
  log: number
  /** Tables that were ever added. */
  tables: number
}

/** Adds what this change of the manifest names. Throws RangeError when it is none. */
function addEdit (named: Named, edit: Uint8Array): void {
  let at = 0
  const number = (): number => {
    const [value, length] = varint.decode(edit, at)
    at += length
    return value
  }
  while (at < edit.length) {
    const tag = number()
    const shape = fields[tag]
    if (shape === undefined) throw new RangeError(`an unknown field ${tag}`)
    for (const kind of shape) {
      const value = number()
      if (kind === 's') at += value
      else if (tag === logTag) named.log = value
    }
    if (tag === tableTag) named.tables++
  }
}

/** What is missing of what the manifest of this folder leads to; undefined when nothing seems to be. LevelDB itself finds everything else. */
export async function cutManifest (folder: string, names: readonly string[]): Promise<string | undefined> {
  const current = (await readIfThere(join(folder, 'CURRENT')))?.trim() ?? ''
  if (!names.includes(current)) return undefined
  const named: Named = { log: 0, tables: 0 }
  try {
    for (const record of recordsIn(await readFile(join(folder, current)))) addEdit(named, record)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
  // A manifest that LevelDB's repair wrote names tables and no log.
  if (named.log === 0) return named.tables === 0 && names.some((name) => /\.(ldb|sst)$/.test(name)) ? `the file ${current} was cut off` : undefined
  const numbers = names.filter((name) => name.endsWith('.log')).map((name) => Number.parseInt(name, 10))
  return numbers.includes(named.log) ? undefined : `the file ${current} was cut off, or a log is missing`
}
