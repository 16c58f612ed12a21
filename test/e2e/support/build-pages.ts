/** Before all browser tests: the pages they open, built as an app's own bundler would build them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'vite'
import { buildWebui } from '../../../node/build-webui.ts'

const root = join(import.meta.dirname, '../../..')

/** Folders of sources, by the name under which they are served. */
const pages = { lab: join(root, 'test/e2e/page'), photos: join(root, 'test/examples/shared-photos') } as const

/** Name of the variable that says where the built pages are. */
export const pagesVariable = 'PINSWARM_TEST_PAGES'

/** Builds them below a folder. */
export async function buildInto (folder: string, minify = false): Promise<void> {
  for (const [name, source] of Object.entries(pages)) {
    await build({ root: source, base: './', configFile: false, logLevel: 'warn', resolve: { alias: { 'pinswarm/web': join(root, 'web/index.ts') } }, build: { outDir: join(folder, name), target: 'es2024', minify, emptyOutDir: true, chunkSizeWarningLimit: 5000 } })
  }
}

/** Builds them into a new folder; the function that comes back removes it. */
export default async function buildPages (): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-pages-'))
  await buildInto(folder)
  // The dashboard lies where peers of this clone serve it from.
  await buildWebui()
  process.env[pagesVariable] = folder
  return async () => { await rm(folder, { recursive: true, force: true }) }
}
