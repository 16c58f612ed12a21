/** What a browser downloads, gzipped: the peer as it is in the package, and the dashboard on top of it. */
import { gzipSync } from 'node:zlib'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'vite'
import { oneCopy } from '../../../node/one-copy.ts'

const root = join(import.meta.dirname, '../../..')

/** Bytes of all scripts and styles below a folder, each gzipped by itself. */
async function gzippedBelow (folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && /\.(?:js|css|html)$/.test(entry.name)) bytes += gzipSync(await readFile(join(entry.parentPath, entry.name)), { level: 9 }).length
  }
  return bytes
}

export interface Sizes { readonly peer: number, readonly dashboard: number }

/** Builds both into a temporary folder; sizes in bytes. `dashboard` is what it adds to the peer that it contains. */
export async function bundleSizes (): Promise<Sizes> {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-sizes-'))
  try {
    await build({ root, configFile: false, logLevel: 'error', plugins: [oneCopy()], build: { outDir: join(folder, 'peer'), emptyOutDir: true, target: 'es2024', chunkSizeWarningLimit: 5000, rolldownOptions: { input: join(root, 'web/index.ts'), preserveEntrySignatures: 'strict' } } })
    await build({ configFile: join(root, 'vite.config.ts'), logLevel: 'error', build: { outDir: join(folder, 'dashboard'), emptyOutDir: true } })
    const peer = await gzippedBelow(join(folder, 'peer'))
    return { peer, dashboard: await gzippedBelow(join(folder, 'dashboard')) - peer }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
