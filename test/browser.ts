/** Where the Chromium of the tests is; installed when there is none. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright'

const starts = (path: string): boolean => existsSync(path) && spawnSync(path, ['--version'], { stdio: 'ignore' }).status === 0
const say = (text: string): void => { process.stderr.write(`${text}\n`) }
const runs = (command: string, ...args: string[]): boolean => spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0

/** CHROMIUM_PATH, Playwright's own, or the system's; undefined when none starts. */
export function findBrowser (): string | undefined {
  const given = process.env['CHROMIUM_PATH']
  const candidates = [...given === undefined || given === '' ? [] : [given], chromium.executablePath(), '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']
  return candidates.find(starts)
}

/** The browser found, or installed: by Playwright, else, as root on a Debian, by apt. Throws with what to do. */
export function needBrowser (): string {
  const found = findBrowser()
  if (found !== undefined) return found
  say('No Chromium found: trying to install one with Playwright…')
  runs(process.execPath, join(import.meta.dirname, '../node_modules/playwright/cli.js'), 'install', 'chromium')
  const installed = findBrowser()
  if (installed !== undefined) return installed
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    say('Trying to install chromium with apt-get…')
    if (runs('apt-get', 'update', '-q')) runs('apt-get', 'install', '-q', '-y', '--no-install-recommends', 'chromium')
    const packaged = findBrowser()
    if (packaged !== undefined) return packaged
  }
  throw new Error('The tests also run in a browser and found no Chromium that starts. Install one (npx playwright install --with-deps chromium, or your system’s package), or name it: CHROMIUM_PATH=/path/to/chromium npm test')
}
