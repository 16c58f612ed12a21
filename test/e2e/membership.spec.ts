/** Who is let in, on every transport and in both directions: only who holds the cluster secret. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Page } from '@playwright/test'
import { multiaddr } from '@multiformats/multiaddr'
import { decodeJoinLink, encodeJoinFragment } from '../../src/join/join-link.ts'
import { expect, idOf, joinTab, root, test } from './support/fixtures.ts'
import type { PeerProcess } from '../processes.ts'

const transports = [['WebSocket', /\/ws\//], ['webrtc-direct', /\/webrtc-direct\//]] as const
const direct = { env: { CLUSTER_LISTENMULTIADDRESS: '/ip4/127.0.0.1/tcp/0,/ip4/127.0.0.1/tcp/0/ws,/ip4/127.0.0.1/udp/0/webrtc-direct' } }

/** True once the page's peer has a member within the time it gives itself. */
const connects = async (page: Page): Promise<boolean> => await page.evaluate(async () => await lab.peer.connected({ signal: AbortSignal.timeout(6_000) }).then(() => true, () => false))
const membersOf = async (peer: PeerProcess): Promise<readonly string[]> => {
  const { cluster_peers: members } = await (await fetch(`${peer.base}/id`)).json() as { cluster_peers: string[] }
  return members
}

for (const [name, only] of transports) {
  test(`${name}: a member is let in; another secret and none are not`, async ({ browser, cluster, tabs }) => {
    const node = await cluster.peer('node', direct)
    const member = await tabs.open(browser)
    const memberId = await joinTab(member, { join: await cluster.link([node], { only }) })
    await expect.poll(async () => await membersOf(node)).toContain(memberId)

    const wrong = await tabs.open(browser)
    const wrongId = await wrong.evaluate(async (options) => await lab.join(options), { join: await cluster.link([node], { only, secret: randomBytes(32).toString('hex') }) })
    expect(await connects(wrong)).toBe(false)
    expect(await membersOf(node)).not.toContain(wrongId)
    expect(await wrong.evaluate(async () => await lab.pins())).toEqual([])
  })

  test(`${name}: an unmodified libp2p that knows the address gets no protocol, no pubsub and no peer list`, async ({ browser, cluster, tabs }) => {
    const node = await cluster.peer('node', direct)
    const address = (await idOf(node)).addresses.find((text) => only.test(text))
    const page = await tabs.open(browser)
    const seen = await page.evaluate(async (text) => {
      const node = await lab.stranger()
      try {
        const target = lab.multiaddr(text ?? '')
        const dialled = await node.dial(target, { signal: AbortSignal.timeout(8_000) }).then(() => 'connected', (error: unknown) => `refused: ${String(error)}`)
        const ask = async (protocol: string): Promise<string> => await node.dialProtocol(target, protocol, { signal: AbortSignal.timeout(5_000) }).then(() => 'opened', () => 'refused')
        const protocols = await Promise.all(['/ipfscluster/1.0/rpc', '/ipfs/bitswap/1.2.0', '/pinswarm/content/1.0.0', '/pinswarm/sync/1.0.0', '/ipfs/id/1.0.0', '/ipfs/ping/1.0.0'].map(ask))
        const known = (await node.peerStore.all()).flatMap(({ protocols: spoken }) => spoken)
        return { dialled, protocols: [...new Set(protocols)], known, subscribers: node.services.pubsub.getPeers().map(String) }
      } finally { await node.stop() }
    }, address)
    expect(seen.protocols).toEqual(['refused'])
    expect(seen.known).toEqual([])
    expect(seen.subscribers).toEqual([])
  })
}

test('a link without the secret asks for it', async ({ browser, cluster, tabs }) => {
  const node = await cluster.peer('node')
  const page = await tabs.open(browser)
  const link = await cluster.link([node])
  const joined = decodeJoinLink(link)
  expect(joined).toBeDefined()
  if (joined === undefined) return
  const bare = encodeJoinFragment({ ...joined, secret: undefined })
  expect(await page.evaluate(async (join) => await lab.join({ join }).then(() => 'joined', (error: unknown) => (error as Error).name), bare)).toBe('SecretNeededError')
  await joinTab(page, { join: bare, secret: cluster.secret, keepSecret: false })

  await page.reload()
  await expect(page.locator('body[data-ready=yes]')).toBeAttached()
  expect(await page.evaluate(async () => await lab.join({}).then(() => 'joined', (error: unknown) => (error as Error).name))).toBe('SecretNeededError')
})

for (const [name, only] of transports) {
  test(`${name}: a member that dials an evil node tells it nothing and takes it for no member`, async ({ browser, cluster, tabs }) => {
    const said: Array<Record<string, unknown>> = []
    const evil = spawn(process.execPath, [join(root, 'test/e2e/support/evil-node.ts')], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      createInterface({ input: evil.stdout }).on('line', (line) => { said.push(JSON.parse(line) as Record<string, unknown>) })
      await expect.poll(() => said.length).toBeGreaterThan(0)
      const addresses = ((said[0]?.['addresses'] ?? []) as string[]).filter((text) => only.test(text))
      expect(addresses).toHaveLength(1)
      const page = await tabs.open(browser)
      const link = encodeJoinFragment({ clusterName: 'ipfs-cluster', secret: cluster.secret, addresses: addresses.map((text) => multiaddr(text)), role: 'member', trustedPeers: '*', allowLightPeers: false })
      const id = await page.evaluate(async (options) => await lab.join(options), { join: link })
      expect(await connects(page)).toBe(false)
      expect(await page.evaluate(async () => await lab.members())).toEqual([id])
      expect(said.slice(1)).toEqual([])
    } finally {
      evil.kill('SIGKILL')
    }
  })
}
