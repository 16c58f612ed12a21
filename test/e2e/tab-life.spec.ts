/** What happens to tabs: closed, offline, starved of storage, their database deleted, their clock wrong. Nothing of it harms the cluster or the pinset. */
import type { CDPSession, Page } from '@playwright/test'
import { ctl, expect, idOf, joinTab, statusesOf, test } from './support/fixtures.ts'

const devtools = async (page: Page): Promise<CDPSession> => await page.context().newCDPSession(page)
const roleOf = async (page: Page): Promise<string> => await page.evaluate(() => lab.peer.role)

test('one peer per profile: the second tab uses the first and takes over when it closes', async ({ browser, cluster, tabs }) => {
  const node = await cluster.peer('node')
  const link = await cluster.link([node])
  const first = await tabs.open(browser)
  const id = await joinTab(first, { join: link })
  const second = await tabs.another(first)
  expect(await second.evaluate(async () => await lab.join({}))).toBe(id)
  expect([await roleOf(first), await roleOf(second)]).toEqual(['leader', 'follower'])

  const cid = await second.evaluate(async () => await lab.addBytes('through-the-leader.txt', new Uint8Array([9, 9])))
  expect(await first.evaluate(async () => await lab.pins())).toEqual([cid])

  await first.close()
  await expect.poll(async () => await roleOf(second)).toBe('leader')
  expect(await second.evaluate(async () => await lab.pins())).toEqual([cid])
  await expect.poll(async () => (await statusesOf(node, cid))[id], { timeout: 60_000 }).toBe('pinned')
})

test('a tab closed in the middle of writing loses nothing that it acknowledged', async ({ browser, cluster, tabs }) => {
  const node = await cluster.peer('node')
  const page = await tabs.open(browser)
  await joinTab(page, { join: await cluster.link([node]) })
  await page.exposeFunction('acknowledged', (cid: string) => { seen.push(cid) })
  const seen: string[] = []
  await page.evaluate(() => {
    const add = async (name: string): Promise<void> => {
      const cid = await lab.addBytes(name, new TextEncoder().encode(name))
      await (globalThis as unknown as { acknowledged: (cid: string) => Promise<void> }).acknowledged(cid)
    }
    void (async () => { for (let i = 0; ; i++) await Promise.all([add(`a${i}`), add(`b${i}`), add(`c${i}`)]) })()
  })
  await expect.poll(() => seen.length).toBeGreaterThan(20)
  await page.close({ runBeforeUnload: false })
  const pinned = new Set((await ctl(node, '--enc', 'json', 'pin', 'ls')).match(/Qm\w{44}|baf\w{56}/g))

  const again = await tabs.another(page)
  await again.evaluate(async () => await lab.join({}))
  const kept = new Set(await again.evaluate(async () => await lab.pins()))
  for (const cid of seen) expect(kept.has(cid) || pinned.has(cid), cid).toBe(true)
  await expect.poll(async () => await again.evaluate(async () => (await lab.pins()).length)).toBeGreaterThanOrEqual(seen.length)
})

test('offline and back: it rejoins by itself and learns what it missed', async ({ browser, cluster, tabs }) => {
  const node = await cluster.peer('node')
  const page = await tabs.open(browser)
  const tab = await joinTab(page, { join: await cluster.link([node]) })
  await node.stop('SIGKILL')
  await page.context().setOffline(true)
  const meanwhile = await page.evaluate(async () => await lab.addBytes('offline.txt', new Uint8Array([5])))
  await node.start()
  await ctl(node, 'pin', 'add', '--no-status', '--name', 'missed', 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn')
  await page.context().setOffline(false)
  await expect.poll(async () => await page.evaluate(async () => await lab.pins()), { timeout: 60_000 }).toContain('QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn')
  await expect.poll(async () => (await statusesOf(node, meanwhile))[tab], { timeout: 60_000 }).toBe('pinned')
})

test('a stalled tab comes back', async ({ browser, cluster, tabs }) => {
  const node = await cluster.peer('node')
  const page = await tabs.open(browser)
  const tab = await joinTab(page, { join: await cluster.link([node]) })
  const session = await devtools(page)
  await session.send('Debugger.enable')
  await session.send('Debugger.pause')
  await expect.poll(async () => await ctl(node, 'peers', 'ls'), { timeout: 90_000, intervals: [2000] }).not.toContain(tab)
  await session.send('Debugger.disable')
  await expect.poll(async () => await ctl(node, 'peers', 'ls'), { timeout: 60_000 }).toContain(tab)
})

test('no room: what does not fit is refused and named, what is there stays whole', async ({ browser, cluster, tabs }) => {
  test.setTimeout(240_000)
  const node = await cluster.peer('node')
  const page = await tabs.open(browser)
  // Before anything is stored: IndexedDB remembers for a while how much room there was.
  const { origin } = new URL(page.url())
  const session = await devtools(page)
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 4_000_000 })
  const tab = await joinTab(page, { join: await cluster.link([node]), storageMax: undefined })
  const kept = await page.evaluate(async () => await lab.addBytes('kept.bin', new Uint8Array(200_000).fill(3)))
  const failure = await page.evaluate(async () => {
    const big = new Uint8Array(20_000_000)
    for (let at = 0; at < big.length; at += 65_536) crypto.getRandomValues(big.subarray(at, Math.min(at + 65_536, big.length)))
    return await lab.addBytes('too-big.bin', big).then(() => 'added', String)
  })
  // The other member has room: the file is added, and this tab does not keep it; or the add says why not.
  const pins = await page.evaluate(async () => await lab.pins())
  for (const cid of pins) {
    if (cid === kept) continue
    await expect.poll(async () => (await statusesOf(node, cid))[tab]).toMatch(/^(remote|pin_error|pin_queued)$/)
  }
  expect(failure).not.toBe('')
  expect(await page.evaluate(async (cid) => (await lab.digest(cid)).size, kept)).toBe(200_000)
  await session.send('Storage.overrideQuotaForOrigin', { origin })
  const after = await page.evaluate(async () => await lab.addBytes('after.txt', new Uint8Array([1])))
  // Where the database still remembers that there was no room, the tab tries again a minute later.
  await expect.poll(async () => (await statusesOf(node, after))[tab], { timeout: 120_000 }).toBe('pinned')
})

test('its database deleted under it: it says so, and joins afresh', async ({ browser, cluster, tabs }) => {
  const node = await cluster.peer('node')
  const page = await tabs.open(browser)
  const link = await cluster.link([node])
  await joinTab(page, { join: link })
  const cid = await page.evaluate(async () => await lab.addBytes('survives.txt', new Uint8Array([4, 4])))
  await expect.poll(async () => await ctl(node, 'pin', 'ls')).toContain(cid)
  await page.evaluate(() => {
    const world = globalThis as unknown as { failure?: string }
    lab.peer.addEventListener('peer:failed', ({ detail }) => { world.failure = detail.message })
  })
  const session = await devtools(page)
  await session.send('Storage.clearDataForOrigin', { origin: new URL(page.url()).origin, storageTypes: 'indexeddb' })
  await expect.poll(async () => await page.evaluate(() => (globalThis as unknown as { failure?: string }).failure)).toMatch(/database|storage|store/i)

  await page.reload()
  await expect(page.locator('body[data-ready=yes]')).toBeAttached()
  await joinTab(page, { join: link })
  await expect.poll(async () => await page.evaluate(async () => await lab.pins())).toEqual([cid])
})

test('a tab whose clock is an hour ahead is a member like any other', async ({ browser, cluster, tabs }) => {
  const node = await cluster.peer('node')
  const page = await tabs.open(browser)
  await page.addInitScript(() => {
    const now = Date.now.bind(Date)
    Date.now = () => now() + 3_600_000
  })
  await page.reload()
  await expect(page.locator('body[data-ready=yes]')).toBeAttached()
  const tab = await joinTab(page, { join: await cluster.link([node]) })
  const { id } = await idOf(node)
  await expect.poll(async () => await ctl(node, 'peers', 'ls')).toContain(tab)
  const cid = await page.evaluate(async () => await lab.addBytes('ahead.txt', new Uint8Array([6])))
  await expect.poll(async () => await statusesOf(node, cid)).toEqual({ [id]: 'pinned', [tab]: 'pinned' })
})

test('the relay restarts: the tab has a place on it again', async ({ browser, cluster, tabs }) => {
  const relay = await cluster.peer('relay')
  const page = await tabs.open(browser)
  const tab = await joinTab(page, { join: await cluster.link([relay]) })
  const announced = async (): Promise<string> => await page.evaluate(async () => (await lab.peer.client.id()).addresses.join(' '))
  await expect.poll(announced).toContain('/p2p-circuit')
  await relay.stop('SIGKILL')
  await relay.start()
  await expect.poll(async () => await ctl(relay, 'peers', 'ls'), { timeout: 60_000 }).toContain(tab)
  await expect.poll(announced, { timeout: 60_000 }).toContain('/p2p-circuit')
})
