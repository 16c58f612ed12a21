/**
 * npm run build: the package as it is installed. Programs and doors become plain JavaScript in dist/, with declarations beside them.
 * Packages listed in `dependencies` stay imports. The rest (helia and what comes with it) is bundled: its own tree would be hundreds
 * of MB, most of it React Native.
 */
import { spawnSync } from 'node:child_process'
import { chmod, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { BuildOptions, Plugin } from 'esbuild'
import { build as buildForBrowsers } from 'vite'
import { oneCopy } from './one-copy.ts'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
const programs = ['ipfs-cluster-service', 'ipfs-cluster-ctl']

const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { readonly dependencies: Readonly<Record<string, string>> }

/** Imports of installed packages, deep ones included, are left as they are. */
const installed: Plugin = {
  name: 'installed',
  setup: (builder) => {
    builder.onResolve({ filter: /^[^./]/ }, ({ path }) => {
      const name = path.split('/').slice(0, path.startsWith('@') ? 2 : 1).join('/')
      return path.startsWith('node:') || Object.hasOwn(manifest.dependencies, name) ? { path, external: true } : undefined
    })
  }
}

const common: BuildOptions = { absWorkingDir: root, outdir: dist, bundle: true, splitting: true, format: 'esm', target: 'es2024', plugins: [installed], keepNames: true, legalComments: 'linked', logLevel: 'warning' }

await rm(dist, { recursive: true, force: true })
// The portable doors: nothing of Node in them, for bundlers of pages, too.
await build({ ...common, entryPoints: { index: 'src/index.ts', client: 'src/api/client.ts' }, chunkNames: 'chunks/[name]-[hash]', platform: 'neutral' })
// Node's door and the programs. CommonJS packages inside the bundle ask for `require`.
await build({
  ...common,
  entryPoints: { node: 'node/index.ts', ...Object.fromEntries(programs.map((name) => [`bin/${name}`, `node/bin/${name}.ts`])) },
  chunkNames: 'chunks/node/[name]-[hash]',
  platform: 'node',
  banner: { js: "import { createRequire as createRequireOfNode } from 'node:module'; const require = createRequireOfNode(import.meta.url);" }
})

// The browser's door holds all that it needs, resolved for browsers: any bundler takes it as it is, and so does a page.
await buildForBrowsers({
  root, configFile: false, logLevel: 'warn', plugins: [oneCopy()],
  build: {
    outDir: dist, emptyOutDir: false, copyPublicDir: false, target: 'es2024', chunkSizeWarningLimit: 1500,
    rolldownOptions: { input: { web: join(root, 'web/index.ts') }, preserveEntrySignatures: 'strict', output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/web/[name]-[hash].js' } }
  }
})
await buildForBrowsers({ configFile: join(root, 'vite.config.ts'), logLevel: 'warn' })

const types = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' })
if (types.status !== 0) process.exit(types.status ?? 1)

// tsc leaves the extensions of the sources in declarations
for (const entry of await readdir(join(dist, 'types'), { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue
  const path = join(entry.parentPath, entry.name)
  await writeFile(path, (await readFile(path, 'utf8')).replaceAll(/(from |import\()(['"])(\.{1,2}\/[^'"]+)\.ts\2/g, '$1$2$3.js$2'))
}
for (const name of programs) await chmod(join(dist, 'bin', `${name}.js`), 0o755)
