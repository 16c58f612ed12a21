/**
 * npm test [-- vitest arguments]: every project in Node and in Chromium. The last line is what the runner counted:
 * `N passed, N failed, N skipped`. Exit code 0 only when nothing failed and something passed.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { needBrowser } from './browser.ts'

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly numFailedTestSuites: number
  readonly success: boolean
  readonly testResults: ReadonlyArray<{ readonly assertionResults: ReadonlyArray<{ readonly status: string, readonly ancestorTitles: readonly string[], readonly title: string }> }>
}

/** What was not run, by name: suites that need a program which is absent here. */
const skippedNames = ({ testResults }: Report): readonly string[] => [...new Set(testResults.flatMap(({ assertionResults }) => assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed').map(({ ancestorTitles, title }) => ancestorTitles[0] ?? title)))]

const root = join(import.meta.dirname, '..')

async function main (): Promise<number> {
  const env = { ...process.env, CHROMIUM_PATH: needBrowser() }
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-test-'))
  const file = join(folder, 'report.json')
  try {
    const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...process.argv.slice(2)]
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' })
    const [code] = await once(child, 'exit') as [number | null]
    const report = JSON.parse(await readFile(file, 'utf8')) as Report
    for (const name of skippedNames(report)) process.stdout.write(`skipped: ${name}\n`)
    process.stdout.write(`${report.numPassedTests} passed, ${report.numFailedTests} failed, ${report.numPendingTests + report.numTodoTests} skipped\n`)
    if (report.numFailedTests === 0 && code !== 0) process.stderr.write('The runner failed although no test did: a file did not load, or an error escaped (see above).\n')
    return code === 0 && report.success && report.numFailedTests === 0 && report.numPassedTests > 0 ? 0 : 1
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
