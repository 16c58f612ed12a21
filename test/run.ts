/**
 * npm test [-- vitest arguments]: every project in Node and in Chromium, then real tabs by Playwright (without arguments only).
 * The last line sums what the runners counted: `N passed, N failed, N skipped`. Exit code 0 only when nothing failed and something passed.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { needBrowser } from './browser.ts'

interface Outcome {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** What was not run, by name: suites that need a program which is absent here. */
  readonly skippedNames: readonly string[]
  /** The runner itself was content. */
  readonly success: boolean
}

interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly success: boolean
  readonly testResults: ReadonlyArray<{ readonly assertionResults: ReadonlyArray<{ readonly status: string, readonly ancestorTitles: readonly string[], readonly title: string }> }>
}

interface PlaywrightSuite {
  readonly title: string
  readonly suites?: readonly PlaywrightSuite[]
  readonly specs: ReadonlyArray<{ readonly title: string, readonly tests: ReadonlyArray<{ readonly status: 'expected' | 'unexpected' | 'flaky' | 'skipped' }> }>
}

interface PlaywrightReport {
  readonly stats: { readonly expected: number, readonly unexpected: number, readonly flaky: number, readonly skipped: number }
  readonly errors: readonly unknown[]
  readonly suites: readonly PlaywrightSuite[]
}

const root = join(import.meta.dirname, '..')

/** Runs a program of node_modules; its exit code and the JSON that it wrote to `file`. */
async function report (args: readonly string[], env: NodeJS.ProcessEnv, file: string): Promise<{ readonly code: number | null, readonly json: unknown }> {
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' })
  const [code] = await once(child, 'exit') as [number | null]
  return { code, json: JSON.parse(await readFile(file, 'utf8')) as unknown }
}

async function runVitest (folder: string, env: NodeJS.ProcessEnv, args: readonly string[]): Promise<Outcome> {
  const file = join(folder, 'vitest.json')
  const { code, json } = await report([join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...args], env, file)
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, success, testResults } = json as VitestReport
  const skipped = testResults.flatMap(({ assertionResults }) => assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed').map(({ ancestorTitles, title }) => ancestorTitles[0] ?? title))
  return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests, skippedNames: skipped, success: success && code === 0 }
}

/** `file: suite: test` of everything that was skipped. */
const skippedBelow = (suite: PlaywrightSuite): readonly string[] => [
  ...suite.specs.filter(({ tests }) => tests.some(({ status }) => status === 'skipped')).map(({ title }) => `${suite.title}: ${title}`),
  ...(suite.suites ?? []).flatMap(skippedBelow)
]

async function runPlaywright (folder: string, env: NodeJS.ProcessEnv): Promise<Outcome> {
  const file = join(folder, 'playwright.json')
  const { code, json } = await report([join(root, 'node_modules/@playwright/test/cli.js'), 'test', '--reporter=list,json'], { ...env, PLAYWRIGHT_JSON_OUTPUT_NAME: file }, file)
  const { stats, errors, suites } = json as PlaywrightReport
  return { passed: stats.expected, failed: stats.unexpected + stats.flaky, skipped: stats.skipped, skippedNames: suites.flatMap(skippedBelow), success: code === 0 && errors.length === 0 }
}

async function main (): Promise<number> {
  const env = { ...process.env, CHROMIUM_PATH: needBrowser() }
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-test-'))
  const args = process.argv.slice(2)
  try {
    const outcomes = [await runVitest(folder, env, args)]
    if (args.length === 0) outcomes.push(await runPlaywright(folder, env))
    const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, outcome) => total + of(outcome), 0)
    const [passed, failed, skipped] = [sum((outcome) => outcome.passed), sum((outcome) => outcome.failed), sum((outcome) => outcome.skipped)]
    for (const name of new Set(outcomes.flatMap(({ skippedNames }) => skippedNames))) process.stdout.write(`skipped: ${name}\n`)
    process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`)
    const content = outcomes.every(({ success }) => success)
    if (failed === 0 && !content) process.stderr.write('A runner failed although no test did: a file did not load, or an error escaped (see above).\n')
    return content && failed === 0 && passed > 0 ? 0 : 1
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.stdout.write('0 passed, 0 failed, 0 skipped\n')
  process.exitCode = 1
}
