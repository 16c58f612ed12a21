import { defineConfig } from '@playwright/test'

// One place says where a browser is: CHROMIUM_PATH, else what Playwright itself knows.
const executablePath = process.env['CHROMIUM_PATH']

export default defineConfig({
  testDir: 'test/e2e',
  testMatch: '*.spec.ts',
  // Peers as processes beside real tabs: two at once would starve each other.
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: 'list',
  outputDir: 'test-results',
  globalSetup: './test/e2e/support/build-pages.ts',
  use: {
    actionTimeout: 20_000,
    launchOptions: {
      ...executablePath === undefined ? {} : { executablePath },
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
    }
  }
})
