import { defineConfig } from 'vitest/config'
import { playwright } from '@vitest/browser-playwright'

// One place says where a browser is: CHROMIUM_PATH, else what Playwright itself knows.
const executablePath = process.env['CHROMIUM_PATH']
const launchOptions = { ...(executablePath === undefined ? {} : { executablePath }), args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] }
const runtimeOnly = ['test/node/**', 'test/web/**', 'test/interop/**', 'test/e2e/**', 'test/bench/**', 'test/chaos/processes/**', 'test/examples/**', '**/node_modules/**']

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'core in node', include: ['test/**/*.test.ts'], exclude: runtimeOnly } },
      { test: { name: 'node', include: ['test/node/**/*.test.ts', 'test/interop/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts', 'test/chaos/processes/**/*.test.ts'], testTimeout: 300_000, hookTimeout: 120_000, fileParallelism: false } },
      {
        // All that the core imports is found before the first test: a dependency found later would reload the page in the middle of one.
        optimizeDeps: { entries: ['src/**/*.ts', 'web/**/*.{ts,tsx}', 'test/**/*.test.ts', 'test/web/**/*.{ts,tsx}', ...runtimeOnly.map((pattern) => `!${pattern}`)] },
        test: {
          name: 'core in chromium',
          include: ['test/**/*.test.ts', 'test/web/**/*.test.{ts,tsx}'],
          exclude: runtimeOnly.filter((pattern) => pattern !== 'test/web/**'),
          browser: { enabled: true, headless: true, screenshotFailures: false, provider: playwright({ launchOptions }), instances: [{ browser: 'chromium' }] }
        }
      }
    ]
  }
})
