/** Seeds that have failed: kept in a file beside this one, and run first from then on. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Suite } from './options.ts'

type Kept = Readonly<Record<Suite, readonly number[]>>

const path = join(import.meta.dirname, 'failed-seeds.json')

export async function failedSeeds (): Promise<Kept> {
  let text: string
  try { text = await readFile(path, 'utf8') } catch { return { sim: [], processes: [] } }
  const kept = JSON.parse(text) as { readonly [Key in Suite]?: unknown }
  return { sim: seedsOf(kept.sim), processes: seedsOf(kept.processes) }
}

export async function keepFailedSeed (suite: Suite, seed: number): Promise<void> {
  const kept = await failedSeeds()
  if (kept[suite].includes(seed)) return
  await writeFile(path, JSON.stringify({ ...kept, [suite]: [...kept[suite], seed] }) + '\n')
}

function seedsOf (value: unknown): readonly number[] {
  if (value === undefined) return []
  if (!Array.isArray(value) || !value.every((seed): seed is number => Number.isSafeInteger(seed))) throw new Error(`${path}: a list of seeds was expected`)
  return value
}
