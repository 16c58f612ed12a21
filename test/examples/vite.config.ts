import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

// The example as it would stand in an app; there, `pinswarm/web` comes from node_modules.
export default defineConfig({
  root: fileURLToPath(new URL('shared-photos', import.meta.url)),
  resolve: { alias: { 'pinswarm/web': fileURLToPath(new URL('../../web/index.ts', import.meta.url)) } },
  build: { target: 'es2024' },
  server: { host: 'localhost', port: 5175 }
})
