/** A real tab and Node peers in one cluster, over WebSocket. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ctl, expect, idOf, joinTab, statusesOf, test } from './support/fixtures.ts'

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

test('a tab and a Node peer: members of each other, pins and content both ways, unpins', async ({ browser, cluster, tabs }) => {
  const node = await cluster.peer('node')
  const page = await tabs.open(browser)
  const tab = await joinTab(page, { join: await cluster.link([node]) })
  const { id } = await idOf(node)

  await expect.poll(async () => await page.evaluate(async () => await lab.members())).toEqual([id, tab].toSorted())
  await expect.poll(async () => await ctl(node, 'peers', 'ls')).toContain(tab)

  // From the Node peer to the tab
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-spec-'))
  try {
    const bytes = randomBytes(3_000_000)
    await writeFile(join(folder, 'from-node.bin'), bytes)
    const fromNode = (await ctl(node, 'add', '-Q', join(folder, 'from-node.bin'))).trim()
    await expect.poll(async () => await page.evaluate(async () => await lab.pins())).toContain(fromNode)
    await expect.poll(async () => await page.evaluate(async (cid) => await lab.statuses(cid), fromNode)).toEqual({ [id]: 'pinned', [tab]: 'pinned' })
    expect(await page.evaluate(async (cid) => await lab.digest(cid), fromNode)).toEqual({ sha256: sha256(bytes), size: bytes.length })

    // From the tab to the Node peer
    const fromTab = await page.evaluate(async () => await lab.addBytes('from-tab.bin', Uint8Array.from({ length: 2_500_000 }, (_, index) => index % 251)))
    await expect.poll(async () => await statusesOf(node, fromTab)).toEqual({ [id]: 'pinned', [tab]: 'pinned' })
    await ctl(node, 'get', '-o', join(folder, 'from-tab.bin'), fromTab)
    expect(sha256(await readFile(join(folder, 'from-tab.bin')))).toBe(sha256(Uint8Array.from({ length: 2_500_000 }, (_, index) => index % 251)))

    // Unpinned by either
    await ctl(node, 'pin', 'rm', fromTab)
    await page.evaluate(async (cid) => { await lab.peer.client.unpin(cid) }, fromNode)
    await expect.poll(async () => await page.evaluate(async () => await lab.pins())).toEqual([])
    await expect.poll(async () => await ctl(node, 'pin', 'ls')).toBe('')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('after a reload the tab is the same peer and the pinset is there before any network', async ({ browser, cluster, tabs }) => {
  const node = await cluster.peer('node')
  const page = await tabs.open(browser)
  const link = await cluster.link([node])
  const tab = await joinTab(page, { join: link })
  const cid = await page.evaluate(async () => await lab.addBytes('kept.txt', new Uint8Array([1, 2, 3])))
  await expect.poll(async () => (await statusesOf(node, cid))[tab]).toBe('pinned')

  await node.stop()
  await page.reload()
  await expect(page.locator('body[data-ready=yes]')).toBeAttached()
  expect(await page.evaluate(async () => await lab.join({}))).toBe(tab)
  expect(await page.evaluate(async () => await lab.pins())).toEqual([cid])
  expect((await page.evaluate(async (kept) => await lab.digest(kept), cid)).size).toBe(3)

  await node.start()
  await expect.poll(async () => (await statusesOf(node, cid))[tab], { timeout: 60_000 }).toBe('pinned')
})

test('a reader follows and changes nothing', async ({ browser, cluster, tabs }) => {
  const node = await cluster.peer('node')
  const page = await tabs.open(browser)
  await joinTab(page, { join: await cluster.link([node], { role: 'reader' }) })
  const cid = 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn'
  await ctl(node, 'pin', 'add', '--no-status', cid)
  await expect.poll(async () => await page.evaluate(async () => await lab.pins())).toEqual([cid])
  const refused = await page.evaluate(async (pinned) => await lab.peer.client.unpin(pinned).then(() => 'done', String), cid)
  expect(refused).toContain('follower')
})
