/** What browser tests stand on: peers as processes, tabs in profiles of their own, and how one joins the other. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { test as base, expect } from '@playwright/test'
import type { Browser, Page } from '@playwright/test'
import { multiaddr } from '@multiformats/multiaddr'
import { encodeJoinFragment } from '../../../src/join/join-link.ts'
import type { JoinRole } from '../../../src/join/join-link.ts'
import { createPeerProcess } from '../../processes.ts'
import type { PeerProcess, PeerSettings } from '../../processes.ts'
import { pagesVariable } from './build-pages.ts'
import { serveFolder } from './static-site.ts'
import type { StaticSite } from './static-site.ts'
import type { WebPeerOptions } from '../../../web/web-peer.ts'
import type {} from '../page/main.ts'

export interface LinkOptions {
  readonly role?: JoinRole | undefined
  /** @default that of the members */
  readonly secret?: string | undefined
  /** Which addresses of the members it names. @default the WebSocket ones */
  readonly only?: RegExp | undefined
  readonly allowLightPeers?: boolean | undefined
}

export interface Cluster {
  readonly secret: string
  /** A member in a process of its own, with the embedded store unless told otherwise; removed after the test. */
  readonly peer: (name: string, settings?: Partial<PeerSettings>, args?: readonly string[]) => Promise<PeerProcess>
  /** The link by which a tab joins through these members. */
  readonly link: (members: readonly PeerProcess[], options?: LinkOptions) => Promise<string>
}

export interface Tabs {
  /** A new profile with the lab page open. */
  readonly open: (browser: Browser) => Promise<Page>
  /** The lab page once more, in the same profile. */
  readonly another: (page: Page) => Promise<Page>
}

export const idOf = async (peer: PeerProcess): Promise<{ readonly id: string, readonly addresses: readonly string[] }> => await (await fetch(`${peer.base}/id`)).json() as { id: string, addresses: string[] }

/** Text of the ctl; fails the test when the ctl does. */
export async function ctl (peer: PeerProcess, ...args: string[]): Promise<string> {
  const output = await peer.ctl(...args)
  expect(output.code, `${args.join(' ')}: ${output.stdout.toString()}${output.stderr}`).toBe(0)
  return output.stdout.toString()
}

interface Status { readonly peer_map: Record<string, { readonly peername: string, readonly status: string, readonly error: string }> }

/** Peer ID to status of a CID, asked of this member. */
export const statusesOf = async (peer: PeerProcess, cid: string): Promise<Record<string, string>> => {
  const status = JSON.parse(await ctl(peer, '--enc', 'json', 'status', cid)) as Status
  return Object.fromEntries(Object.entries(status.peer_map).map(([id, info]) => [id, info.status]))
}

/** Starts the peer of a tab and waits until it is connected to a member. */
export async function joinTab (page: Page, options: WebPeerOptions): Promise<string> {
  const id = await page.evaluate(async (given) => await lab.join(given), options)
  await page.evaluate(async () => { await lab.peer.connected({ signal: AbortSignal.timeout(20_000) }) })
  return id
}

export const test = base.extend<{ cluster: Cluster, tabs: Tabs }, { site: StaticSite }>({
  site: [async ({}, use) => {
    const site = await serveFolder(process.env[pagesVariable] ?? '')
    await use(site)
    await site.close()
  }, { scope: 'worker' }],
  cluster: async ({}, use) => {
    const secret = randomBytes(32).toString('hex')
    const peers: PeerProcess[] = []
    await use({
      secret,
      peer: async (name, settings = {}, args = []) => {
        const peer = await createPeerProcess({ name, secret, ipfs: 'helia', ...settings })
        peers.push(peer)
        await peer.start(args)
        return peer
      },
      link: async (members, { role = 'member', secret: given = secret, only = /\/ws\//, allowLightPeers = false } = {}) => {
        const addresses = (await Promise.all(members.map(idOf))).flatMap((member) => member.addresses).filter((address) => only.test(address))
        expect(addresses.length, `addresses like ${only}`).toBeGreaterThan(0)
        return encodeJoinFragment({ clusterName: 'ipfs-cluster', secret: given, addresses: addresses.map((address) => multiaddr(address)), role, trustedPeers: '*', allowLightPeers })
      }
    })
    for (const peer of peers) await peer.stop()
    for (const peer of peers) await peer.remove()
  },
  tabs: async ({ site }, use) => {
    const opened: Page[] = []
    const visit = async (page: Page): Promise<Page> => {
      opened.push(page)
      await page.goto(`${site.url}lab/`)
      await expect(page.locator('body[data-ready=yes]')).toBeAttached()
      return page
    }
    await use({
      open: async (browser) => await visit(await (await browser.newContext()).newPage()),
      another: async (page) => await visit(await page.context().newPage())
    })
    for (const context of new Set(opened.map((page) => page.context()))) await context.close()
  }
})

export { expect } from '@playwright/test'

/** Where the sources are. */
export const root = join(import.meta.dirname, '../../..')
