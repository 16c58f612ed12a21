/** The dashboard with the peer in the browser itself: joining by a link, and everything after. */
import type { Page } from '@playwright/test'
import { addFile, drop, errorsOf, expectAccessible, goTo, isLive, rowOf, textFile } from './support/dashboard.ts'
import { ctl, expect, idOf, statusesOf, test } from './support/fixtures.ts'
import type { PeerProcess } from '../processes.ts'

/** Opens the dashboard that a peer serves, with a join link. */
const openLink = async (page: Page, node: PeerProcess, fragment: string): Promise<void> => { await page.goto(`${node.base}/webui/#${fragment}`) }

test('join by link, see the pins of others, add, unpin, reload', async ({ page, cluster }) => {
  const errors = errorsOf(page)
  const node = await cluster.peer('node')
  const link = await cluster.link([node])
  await openLink(page, node, link)
  await expect(page.getByRole('heading', { name: 'Join ipfs-cluster' })).toBeVisible()
  // The secret leaves the address, and the history, at once.
  expect(page.url()).not.toContain('join=')
  await expect(page.getByText('Member: you may add and remove pins')).toBeVisible()
  await expect(page.getByText('trusted_peers')).toBeVisible()
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Join' }).click()
  await isLive(page)
  await expect(page.getByRole('heading', { name: 'Nothing is pinned yet' })).toBeVisible()

  const cid = await addFile(page, textFile('from-tab.txt', 'kept by a tab'))
  await expect(page.getByText('1 of 1 durable copy, and 1 tab')).toBeVisible()
  await expect(page.getByRole('region', { name: 'Text of from-tab.txt' })).toHaveText('kept by a tab')
  await expectAccessible(page)
  const { id } = await idOf(node)
  await expect.poll(async () => (await statusesOf(node, cid))[id]).toBe('pinned')

  await goTo(page, 'Pins')
  await expect(rowOf(page, 'from-tab.txt')).toContainText('+1')
  await drop(page, [textFile('dropped.txt', 'dropped')])
  await page.getByRole('button', { name: 'Add dropped.txt' }).click()
  await expect(page.getByRole('region', { name: 'Uploads' }).getByRole('link')).toHaveCount(2)

  await page.reload()
  await isLive(page)
  await goTo(page, 'Pins')
  await expect(rowOf(page, 'from-tab.txt')).toBeVisible()
  await rowOf(page, 'from-tab.txt').getByRole('link').click()
  await page.getByRole('button', { name: 'Unpin' }).click()
  await expect.poll(async () => await ctl(node, 'pin', 'ls')).not.toContain(cid)
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect.poll(async () => await ctl(node, 'pin', 'ls')).toContain(cid)
  expect(errors).toEqual([])
})

test('a link without the secret asks for it; what is not kept is asked for again', async ({ page, cluster }) => {
  const node = await cluster.peer('node')
  const link = await cluster.link([node])
  const fields = JSON.parse(Buffer.from(link.slice('join='.length), 'base64url').toString()) as Record<string, unknown>
  delete fields['s']
  await openLink(page, node, `join=${Buffer.from(JSON.stringify(fields)).toString('base64url')}`)
  await page.getByLabel('Cluster secret').fill('abc')
  await page.getByRole('button', { name: 'Join' }).click()
  await expect(page.getByText('64 characters')).toBeVisible()
  await page.getByLabel('Cluster secret').fill(cluster.secret)
  await page.getByLabel('Keep the secret on this device').uncheck()
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Join' }).click()
  await isLive(page)

  await page.reload()
  await expect(page.getByLabel('Cluster secret')).toBeVisible()
  await expectAccessible(page)
  await page.getByLabel('Cluster secret').fill(cluster.secret)
  await page.getByRole('button', { name: 'Start' }).click()
  await isLive(page)
})

test('a second tab uses the peer of the first, and goes on when that closes', async ({ page, cluster }) => {
  const node = await cluster.peer('node')
  await openLink(page, node, await cluster.link([node]))
  await page.getByRole('button', { name: 'Join' }).click()
  await isLive(page)
  await addFile(page, textFile('first.txt', 'from the first tab'))
  const second = await page.context().newPage()
  const errors = errorsOf(second)
  await second.goto(`${node.base}/webui/`)
  await isLive(second)
  await expect(rowOf(second, 'first.txt')).toBeVisible()
  const cid = await addFile(second, textFile('second.txt', 'from the second tab'))
  await expect(second.getByRole('region', { name: 'Text of second.txt' })).toHaveText('from the second tab')
  await goTo(page, 'Pins')
  await expect(rowOf(page, 'second.txt')).toBeVisible()
  expect(await ctl(node, 'pin', 'ls')).toContain(cid)

  await page.close()
  await addFile(second, textFile('third.txt', 'after the first tab closed'))
  await expect.poll(async () => await ctl(node, 'pin', 'ls')).toContain('third.txt')
  expect(errors).toEqual([])
})

test('where browsers do not allow it, the page says what is missing', async ({ cluster, launchOptions, playwright }) => {
  const node = await cluster.peer('node')
  // Any name but localhost is no secure context without https.
  const browser = await playwright.chromium.launch({ ...launchOptions, args: [...launchOptions.args ?? [], '--host-resolver-rules=MAP cluster.test 127.0.0.1'] })
  try {
    const page = await (await browser.newContext()).newPage()
    await page.goto(`${node.base.replace('127.0.0.1', 'cluster.test')}/webui/#${await cluster.link([node])}`)
    await expect(page.getByText('a secure address: https, or localhost')).toBeVisible()
    await expect(page.getByRole('button', { name: 'Join' })).toBeHidden()
    await expectAccessible(page)
  } finally {
    await browser.close()
  }
})

test('a damaged link says so, and the other ways are offered', async ({ page, cluster }) => {
  const node = await cluster.peer('node')
  await openLink(page, node, 'join=broken')
  await expect(page.getByText('the join link is damaged')).toBeVisible()
  await expectAccessible(page)
  await page.getByLabel('Address of the REST API').fill(node.base)
  await page.getByRole('button', { name: 'Connect' }).click()
  await isLive(page)
})

test('members go away: the tab says so, keeps showing the pinset, and comes back', async ({ page, cluster }) => {
  const node = await cluster.peer('node')
  await openLink(page, node, await cluster.link([node]))
  await page.getByRole('button', { name: 'Join' }).click()
  await isLive(page)
  await addFile(page, textFile('stays.txt', 'stays'))
  await goTo(page, 'Pins')
  await node.stop()
  await expect(page.getByText('No member is in reach.')).toBeVisible()
  await expect(rowOf(page, 'stays.txt')).toBeVisible()
  await node.start()
  await isLive(page)
})
