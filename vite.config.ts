import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import { oneCopy } from './node/one-copy.ts'

// The dashboard as static files that work from any path: /webui of a peer, a web server, or IPFS.
export default defineConfig({
  root: fileURLToPath(new URL('web/dashboard', import.meta.url)),
  base: './',
  plugins: [oneCopy()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { outDir: fileURLToPath(new URL('dist/webui', import.meta.url)), emptyOutDir: true, target: 'es2024', assetsInlineLimit: 0, chunkSizeWarningLimit: 1500 },
  worker: { format: 'es' }
})
