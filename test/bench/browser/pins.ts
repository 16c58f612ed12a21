/** A pinset, each pin a delta of its own, into a tab from one of our Node peers; and what of it is there after a reload without that peer. */
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { fillStore } from '../sync.ts'
import { profiled } from './profile.ts'
import { benchScroll } from './scroll.ts'
import type { Figures } from './figures.ts'
import { openTab, rendererMemory } from './tabs.ts'
import type { Stage } from './tabs.ts'

export interface PinsGoal { readonly pins: number, readonly seconds: string, readonly memory: string, readonly rounds: number }

export interface PinsOptions { readonly profile?: string | undefined, readonly scroll: boolean }

/** For each size a peer whose store was filled before it started: new tabs join it. */
export async function benchPins (stage: Stage, figures: Figures, goals: readonly PinsGoal[], { profile, scroll }: PinsOptions): Promise<void> {
  for (const { pins, seconds, memory, rounds } of goals) {
    const label = `${pins.toLocaleString('en')} pins`
    // One copy each, at a member that is away: whether anybody here wants the content is not what is measured.
    const holder = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    const peer = await stage.peer({ name: 'pins' }, async (folder) => { await fillStore(join(folder, 'leveldb'), pins, 1, holder) })
    const link = await stage.link(peer)
    for (let round = 0; round < rounds; round++) {
      const browser = await stage.browser()
      const page = await openTab(browser, stage.lab)
      await page.waitForSelector('body[data-ready=yes]')
      const took = await profiled(page, profile === undefined ? undefined : `${profile}/sync-${pins}.cpuprofile`, async () => await page.evaluate(async ({ join, wanted }) => {
        const start = performance.now()
        await lab.join({ join })
        for (;;) {
          const { pins, synced, known } = await lab.peer.client.sync()
          if (pins === wanted && synced === known) return performance.now() - start
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
      }, { join: link, wanted: pins }))
      figures.note(`${label}: sync into the tab, s`, took / 1000, seconds)
      const used = await rendererMemory(browser, page)
      figures.note(`${label}: renderer memory, peak resident MB`, used.peak, memory)
      figures.note(`${label}: renderer memory, JavaScript objects MB`, used.heap)
      if (round === rounds - 1) {
        process.kill(peer.pid(), 'SIGSTOP')
        try {
          for (let again = 0; again < 3; again++) {
            if (again === 0) await page.goto(`${stage.lab}?auto`)
            else {
              await profiled(page, profile === undefined ? undefined : `${profile}/reload-${pins}.cpuprofile`, async () => {
                await page.reload()
                await page.waitForFunction(() => lab.times.listed > 0, undefined, { timeout: 120_000 })
              })
            }
            await page.waitForFunction(() => lab.times.listed > 0, undefined, { timeout: 120_000 })
            const { started, first, listed } = await page.evaluate(() => lab.times)
            const count = await profiled(page, profile === undefined ? undefined : `${profile}/list-${pins}.cpuprofile`, async () => await page.evaluate(async () => (await lab.pins()).length))
            if (count !== pins) throw new Error(`${count} of ${pins} pins after a reload`)
            figures.note(`${label}: reload without network, peer started, ms`, started)
            figures.note(`${label}: reload without network, first of the pins listed, ms`, first, '≤ 1000')
            figures.note(`${label}: reload without network, all pins listed, ms`, listed)
          }
        } finally { process.kill(peer.pid(), 'SIGCONT') }
      }
      await browser.close()
    }
    if (scroll && pins === Math.max(...goals.map((goal) => goal.pins))) await benchScroll(stage, figures, peer.base, pins, profile)
    await peer.stop()
  }
}
