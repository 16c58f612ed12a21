/** Tabs of a real Chromium for the benches: a browser of its own for each measurement, the lab page in it, and the memory it takes. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright'
import type { Browser, Page } from 'playwright'
import { multiaddr } from '@multiformats/multiaddr'
import { encodeJoinFragment } from '../../../src/join/join-link.ts'
import { needBrowser } from '../../browser.ts'
import { createPeerProcess } from '../../processes.ts'
import type { PeerProcess, PeerSettings } from '../../processes.ts'
import { buildInto } from '../../e2e/support/build-pages.ts'
import { serveFolder } from '../../e2e/support/static-site.ts'
import type {} from '../../e2e/page/main.ts'

export interface Stage {
  /** URL of the lab page. */
  readonly lab: string
  /** Folder of the built pages. */
  readonly pages: string
  readonly secret: string
  /** A browser nobody used before. */
  readonly browser: () => Promise<Browser>
  /** A member in a process of its own; `beforeStart` may put things into its folder. */
  readonly peer: (settings: Partial<PeerSettings> & { readonly name: string }, beforeStart?: (folder: string) => Promise<void>) => Promise<PeerProcess>
  /** The fragment by which a tab joins through this member. */
  readonly link: (peer: PeerProcess) => Promise<string>
}

const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

/** Builds the pages, serves them, and ends what was opened on it afterwards. */
export async function onStage (minify: boolean, bench: (stage: Stage) => Promise<void>): Promise<void> {
  const executablePath = needBrowser()
  const pages = await mkdtemp(join(tmpdir(), 'pinswarm-bench-'))
  const secret = randomBytes(32).toString('hex')
  const ends: Array<() => Promise<void>> = [async () => { await rm(pages, { recursive: true, force: true }) }]
  try {
    await buildInto(pages, minify)
    const site = await serveFolder(pages)
    ends.push(site.close)
    await bench({
      lab: `${site.url}lab/`,
      pages,
      secret,
      browser: async () => {
        const browser = await chromium.launch({ executablePath, args })
        ends.push(async () => { await browser.close() })
        return browser
      },
      peer: async (settings, beforeStart) => {
        const peer = await createPeerProcess({ secret, ipfs: 'helia', ...settings, env: { CLUSTER_MONITORPINGINTERVAL: '15s', IPFS_CLUSTER_LOG_LEVEL: 'error', ...settings.env } })
        ends.push(async () => {
          await peer.stop()
          await peer.remove()
        })
        await beforeStart?.(peer.folder)
        await peer.start()
        return peer
      },
      link: async (peer) => {
        const { addresses } = await (await fetch(`${peer.base}/id`)).json() as { readonly addresses: readonly string[] }
        return encodeJoinFragment({ clusterName: 'ipfs-cluster', secret, addresses: addresses.filter((address) => address.includes('/ws/')).map((address) => multiaddr(address)), role: 'member', trustedPeers: '*', allowLightPeers: false })
      }
    })
  } finally {
    for (const end of ends.toReversed()) await end().catch((error: unknown) => { process.stderr.write(`${String(error)}\n`) })
  }
}

/** Opens the lab in a profile of its own; with a link it joins by itself (see `lab.times`). */
export async function openTab (browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext()
  const page = await context.newPage()
  page.on('pageerror', (error) => { process.stderr.write(`page: ${error.stack ?? error.message}\n`) })
  await page.goto(url)
  return page
}

export interface Memory {
  /** Most resident memory the renderer ever had, in MB. */
  readonly peak: number
  readonly now: number
  /** JavaScript objects alone, after a collection, in MB. */
  readonly heap: number
}

/** Memory of the largest renderer of a browser, which is the tab where only one is open. Resident memory counts Chromium's own code, too. */
export async function rendererMemory (browser: Browser, page: Page): Promise<Memory> {
  const root = await browser.newBrowserCDPSession()
  const { processInfo } = await root.send('SystemInfo.getProcessInfo')
  const renderers = await Promise.all(processInfo.filter(({ type }) => type === 'renderer').map(async ({ id }) => await readFile(`/proc/${id}/status`, 'utf8').catch(() => '')))
  const field = (name: string): number => Math.max(...renderers.map((status) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? Number.NaN) * 1024 / 1e6).filter((value) => !Number.isNaN(value)))
  const session = await page.context().newCDPSession(page)
  const [now, peak] = [field('VmRSS'), field('VmHWM')]
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  return { now, peak, heap: usedSize / 1e6 }
}
