/** Peers, activity, settings and invitations, as people use them: in both modes, with a tab among the members. */
import type { Locator, Page } from '@playwright/test'
import decodeQR from 'qr/decode.js'
import { addFile, errorsOf, expectAccessible, goTo, isLive, textFile } from './support/dashboard.ts'
import { expect, idOf, test } from './support/fixtures.ts'

const panel = (page: Page, title: string): Locator => page.locator('section.panel').filter({ has: page.getByRole('heading', { level: 2, name: title, exact: true }) })
const memberRow = (page: Page, text: string): Locator => page.getByRole('region', { name: 'Members of the cluster' }).getByRole('row').filter({ hasText: text })
/** What a list of facts says of a name. */
const fact = (within: Locator, name: string): Locator => within.locator('dl.facts > div').filter({ has: within.page().getByText(name, { exact: true }) }).locator('dd')

/** Reads a drawn QR code as a camera would: from its pixels. */
async function readCode (code: Locator): Promise<string> {
  const modules = Number((await code.getAttribute('viewBox'))?.split(' ')[2])
  const path = await code.locator('path').getAttribute('d') ?? ''
  const scale = 4
  const size = modules * scale
  const data = new Uint8Array(size * size * 4).fill(255)
  for (const [, x, y] of path.matchAll(/M(\d+) (\d+)/g)) {
    for (let row = 0; row < scale; row++) {
      const start = ((Number(y) * scale + row) * size + Number(x) * scale) * 4
      for (let at = start; at < start + scale * 4; at += 4) data.fill(0, at, at + 3)
    }
  }
  return decodeQR({ width: size, height: size, data })
}

test('invite a tab by the link, see it among the peers, and see it leave', async ({ page, browser, cluster }) => {
  const errors = errorsOf(page)
  const node = await cluster.peer('node')
  await page.goto(`${node.base}/webui/`)
  await addFile(page, textFile('shared.txt', 'shared'))
  await goTo(page, 'Peers')
  await expect(page.getByRole('heading', { name: 'Only this peer so far' })).toBeVisible()

  await page.getByRole('button', { name: 'Invite' }).click()
  const dialog = page.getByRole('dialog', { name: 'Invite to this cluster' })
  const shown = dialog.getByTestId('join-link')
  await expect(dialog.getByText('pass it on as you would a password')).toBeVisible()
  await expect(dialog.getByText('on this machine only')).toBeVisible()
  await expectAccessible(page)
  const link = await shown.textContent() ?? ''
  expect(link).toContain(`${node.base}/webui/#join=`)
  expect(await readCode(dialog.getByRole('img', { name: 'The join link as a QR code' }))).toBe(link)
  expect(Buffer.from(link.split('join=')[1] ?? '', 'base64url').toString()).toContain(cluster.secret)
  await dialog.getByLabel('Put the secret into the link').uncheck()
  await expect(dialog.getByText('does not hold the secret')).toBeVisible()
  expect(Buffer.from((await shown.textContent() ?? '').split('join=')[1] ?? '', 'base64url').toString()).not.toContain(cluster.secret)
  await page.keyboard.press('Escape')
  await expect(dialog).toBeHidden()

  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, colorScheme: 'dark' })
  const tab = await context.newPage()
  await tab.goto(link)
  await tab.getByRole('button', { name: 'Join' }).click()
  await isLive(tab)
  for (const each of [page, tab]) {
    await goTo(each, 'Peers')
    await expect(each.getByText('1 peer and 1 browser tab')).toBeVisible()
    await expect(each.getByRole('img', { name: '2 peers, 1 connection' })).toBeVisible()
    await expect(each.locator('.network-node.tab rect')).toHaveCount(1)
    await expect(each.locator('.network-node.full circle')).toHaveCount(1)
    await expectAccessible(each)
  }
  await expect(memberRow(page, 'node')).toContainText('this peer')
  await expect(memberRow(tab, 'node')).not.toContainText('this peer')
  await memberRow(tab, 'node').getByRole('button').click()
  await expect(tab.getByRole('dialog')).toContainText((await idOf(node)).id.slice(-8))
  await expectAccessible(tab)
  await tab.keyboard.press('Escape')

  await goTo(tab, 'Activity')
  await expect(panel(tab, 'Pinset').getByText('in sync')).toBeVisible()
  await expect(fact(panel(tab, 'Pinset'), 'Pins')).toHaveText('1')
  await expect(fact(panel(tab, 'Storage'), 'Content is in')).toHaveText('this browser')
  await expectAccessible(tab)

  // A tab passes on what it joined through, and never the secret.
  await tab.getByRole('button', { name: 'Invite' }).click()
  await expect(tab.getByText('whoever opens it is asked for it')).toBeVisible()
  const passedOn = Buffer.from((await tab.getByTestId('join-link').textContent() ?? '').split('join=')[1] ?? '', 'base64url').toString()
  expect(passedOn).toContain('/ws')
  expect(passedOn).not.toContain(cluster.secret)
  await expectAccessible(tab)
  await tab.keyboard.press('Escape')

  await goTo(tab, 'Settings')
  await expect(fact(panel(tab, 'Peer'), 'This tab')).toHaveText('the peer runs in this tab')
  await expectAccessible(tab)
  await tab.getByRole('button', { name: 'Leave the cluster' }).click()
  await expectAccessible(tab)
  await tab.getByRole('dialog').getByRole('button', { name: 'Leave and delete' }).click()
  await expect(tab.getByLabel('Address of the REST API')).toBeVisible()
  expect(await tab.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))).toEqual([])
  await context.close()
  expect(errors).toEqual([])
})

test('activity: counts that follow the pinset, and an alert when a peer dies', async ({ page, cluster }) => {
  const node = await cluster.peer('node')
  const { addresses } = await idOf(node)
  const other = await cluster.peer('other', {}, ['--bootstrap', addresses.find((address) => address.includes('/tcp/') && !address.includes('/ws')) ?? ''])
  await page.goto(`${node.base}/webui/#/activity`)
  await isLive(page)
  await expect(fact(panel(page, 'Pinset'), 'Pins')).toHaveText('0')
  await addFile(page, textFile('counted.txt', 'counted'))
  await goTo(page, 'Activity')
  await expect(fact(panel(page, 'Pinset'), 'Pins')).toHaveText('1')
  await expect(panel(page, 'Pinset').getByText('1 of 1 change')).toBeVisible()
  const events = page.getByRole('list', { name: 'Events, newest first' })
  await expect(events.getByRole('link').filter({ hasText: 'is in the pinset' }).first()).toBeVisible()
  await goTo(page, 'Peers')
  await expect(page.getByRole('img', { name: '2 peers, 1 connection' })).toBeVisible()

  await other.stop()
  await goTo(page, 'Activity')
  await expect(panel(page, 'Alerts').getByText('other told no ping any more')).toBeVisible()
  await expectAccessible(page)
  await panel(page, 'Alerts').getByRole('button', { name: 'Mark as seen' }).click()
  await expect(panel(page, 'Alerts').getByText('None. An alert is raised')).toBeVisible()
  await page.getByRole('button', { name: 'Clear' }).click()
  await expect(page.getByRole('heading', { name: 'Quiet so far' })).toBeVisible()
})

test('settings: the theme stays, and logging out asks for the peer again', async ({ page, cluster }) => {
  const node = await cluster.peer('node')
  await page.emulateMedia({ colorScheme: 'light' })
  await page.goto(`${node.base}/webui/#/settings`)
  await isLive(page)
  const ground = async (): Promise<string> => await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  const light = await ground()
  await page.getByText('Dark', { exact: true }).click()
  await expect.poll(ground).not.toBe(light)
  const dark = await ground()
  await expectAccessible(page)
  await page.reload()
  await isLive(page)
  expect(await ground()).toBe(dark)
  await page.getByText('Light', { exact: true }).click()
  await expect.poll(ground).toBe(light)
  await expect(panel(page, 'Peer')).toContainText((await idOf(node)).id.slice(-8))
  await expect(fact(panel(page, 'Storage'), 'Content is in')).toHaveText('the embedded store of this peer')
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click()
  await expect(page.getByLabel('Address of the REST API')).toBeVisible()
  await expectAccessible(page)
})
