/** From navigation to member: cold, in a profile that was never here, and on reload. */
import type { Figures } from './figures.ts'
import { openTab } from './tabs.ts'
import type { Stage } from './tabs.ts'

export async function benchMember (stage: Stage, figures: Figures, rounds: number): Promise<void> {
  const peer = await stage.peer({ name: 'entry' })
  const link = await stage.link(peer)
  for (let round = 0; round < rounds; round++) {
    const browser = await stage.browser()
    const page = await openTab(browser, `${stage.lab}?auto#${link}`)
    const connected = async (): Promise<number> => {
      await page.waitForFunction(() => lab.times.connected > 0)
      return await page.evaluate(() => lab.times.connected)
    }
    figures.note('navigation to member, cold, ms', await connected(), '≤ 1000')
    await page.reload()
    figures.note('navigation to member, reload, ms', await connected(), '≤ 600')
    await browser.close()
  }
  await peer.stop()
}
