/** CPU profile of a page while something runs, for `--profile FOLDER`: opens in Chromium's developer tools. */
import { writeFile } from 'node:fs/promises'
import type { Page } from 'playwright'

/** Runs it, with a profile written to `file` when there is one. */
export async function profiled<T> (page: Page, file: string | undefined, run: () => Promise<T>): Promise<T> {
  if (file === undefined) return await run()
  const session = await page.context().newCDPSession(page)
  await session.send('Profiler.enable')
  await session.send('Profiler.setSamplingInterval', { interval: 500 })
  await session.send('Profiler.start')
  const result = await run()
  const { profile } = await session.send('Profiler.stop')
  await writeFile(file, JSON.stringify(profile))
  return result
}
