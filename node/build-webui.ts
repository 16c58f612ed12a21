/** Builds the dashboard into dist/webui where it is missing or older than its sources: before `npm start` in a clone, and for tests. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'vite'

const root = join(import.meta.dirname, '..')
const built = join(root, 'dist/webui/index.html')

const changedAt = async (path: string): Promise<number> => await stat(path).then(({ mtimeMs }) => mtimeMs, () => 0)

async function newestBelow (folder: string): Promise<number> {
  let newest = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) if (entry.isFile()) newest = Math.max(newest, await changedAt(join(entry.parentPath, entry.name)))
  return newest
}

/** True where something was built. */
export async function buildWebui (): Promise<boolean> {
  const sources = await Promise.all([newestBelow(join(root, 'web')), newestBelow(join(root, 'src')), changedAt(join(root, 'package-lock.json'))])
  if (await changedAt(built) > Math.max(...sources)) return false
  await build({ configFile: join(root, 'vite.config.ts'), logLevel: 'error' })
  return true
}

if (import.meta.main) {
  if (await buildWebui()) process.stderr.write('The dashboard was built.\n')
}
