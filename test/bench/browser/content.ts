/** Content into a tab's IndexedDB: from a Node peer, and from another tab over WebRTC after the peer that introduced them is gone. */
import type { Page } from 'playwright'
import { freshBytes } from './bytes.ts'
import { profiled } from './profile.ts'
import type { Figures } from './figures.ts'
import { openTab } from './tabs.ts'
import type { Stage } from './tabs.ts'

/** Adds to a peer through its API without a pin; the root. */
async function addUnpinned (base: string, mebibytes: number): Promise<string> {
  const form = new FormData()
  form.append('file', new Blob(freshBytes(mebibytes)), 'bench.bin')
  const answer = await fetch(`${base}/add?no-pin=true&local=true&cid-version=1&raw-leaves=true&stream-channels=false`, { method: 'POST', body: form })
  if (!answer.ok) throw new Error(`add answered ${answer.status}: ${await answer.text()}`)
  const [{ cid } = { cid: '' }] = await answer.json() as Array<{ readonly cid: string }>
  return cid
}

/** Pins everywhere in this tab, and waits until this tab holds it; in ms. */
const fetchIntoTab = async (page: Page, cid: string): Promise<number> => await page.evaluate(async (given) => {
  const start = performance.now()
  await lab.peer.client.pin(given, { replicationFactorMin: -1, replicationFactorMax: -1 })
  const self = lab.peer.peerId.toString()
  for (;;) {
    const { peerMap } = await lab.peer.client.status(given, { local: true })
    const info = peerMap.get(self)
    if (info?.status === 'pinned') return performance.now() - start
    if (info?.status === 'pin_error') throw new Error(info.error)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}, cid)

async function joined (page: Page, join: string): Promise<void> {
  await page.evaluate(async (link) => {
    await lab.join({ join: link })
    await lab.peer.connected()
  }, join)
}

export async function benchContent (stage: Stage, figures: Figures, mebibytes: number, rounds: number, profile: string | undefined): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const peer = await stage.peer({ name: 'content' })
    const link = await stage.link(peer)
    const browser = await stage.browser()
    const page = await openTab(browser, stage.lab)
    await joined(page, link)
    const cid = await addUnpinned(peer.base, mebibytes)
    const took = await profiled(page, profile === undefined ? undefined : `${profile}/content-node.cpuprofile`, async () => await fetchIntoTab(page, cid))
    figures.note(`${mebibytes} MiB from a Node peer into IndexedDB, MiB/s`, mebibytes / took * 1000, '≥ 15')
    await browser.close()
    await peer.stop()
  }
}

/** Whether the tab has a direct connection to another peer. */
const waitForDirect = async (page: Page, other: string): Promise<void> => {
  await page.evaluate(async (id) => {
    for (;;) {
      for await (const peer of lab.peer.client.peers()) if (peer.id.toString() === id && peer.error === '') return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }, other)
}

export async function benchTabs (stage: Stage, figures: Figures, mebibytes: number, rounds: number, profile: string | undefined): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const relay = await stage.peer({ name: 'relay' })
    const link = await stage.link(relay)
    const browser = await stage.browser()
    const [one, other] = [await openTab(browser, stage.lab), await openTab(browser, stage.lab)]
    for (const page of [one, other]) await joined(page, link)
    await waitForDirect(other, await one.evaluate(() => lab.peer.peerId.toString()))
    await relay.stop('SIGKILL')
    const cid = await one.evaluate(async (size) => {
      const parts = Array.from({ length: size }, () => {
        const part = new Uint8Array(1 << 20)
        for (let at = 0; at < part.length; at += 65_536) crypto.getRandomValues(part.subarray(at, at + 65_536))
        return part
      })
      const start = performance.now()
      let root = ''
      for await (const added of lab.peer.add([{ kind: 'file', path: 'bench.bin', content: new Blob(parts) }], { local: true, noPin: true, cidVersion: 1, rawLeaves: true })) root = added.cid?.toString() ?? root
      return { root, took: performance.now() - start }
    }, mebibytes)
    figures.note(`${mebibytes} MiB added in a tab, MiB/s`, mebibytes / cid.took * 1000)
    const took = await profiled(other, profile === undefined ? undefined : `${profile}/content-tab.cpuprofile`, async () => await fetchIntoTab(other, cid.root))
    figures.note(`${mebibytes} MiB tab to tab over WebRTC, MiB/s`, mebibytes / took * 1000, '≥ 5')
    await browser.close()
  }
}
