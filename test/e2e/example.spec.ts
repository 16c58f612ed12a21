/** The example app beside the README: a photo dropped in one tab is kept by every open tab. */
import { expect, test } from './support/fixtures.ts'

// A PNG of one red pixel
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64')

test('drop a photo, every open tab keeps it', async ({ browser, cluster, site }) => {
  const node = await cluster.peer('node')
  const link = await cluster.link([node])
  const pages = await Promise.all([1, 2].map(async () => await (await browser.newContext()).newPage()))
  for (const page of pages) await page.goto(`${site.url}photos/#${link}`)
  const [first, second] = pages
  for (const page of pages) await expect(page.getByText('Drop a photo here')).toBeVisible()
  await first?.getByLabel('Drop a photo').setInputFiles({ name: 'red.png', mimeType: 'image/png', buffer: png })
  for (const page of pages) {
    const photo = page.getByRole('img', { name: 'red.png' })
    await expect(photo).toBeVisible()
    await expect.poll(async () => await photo.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(1)
    expect(page.url()).not.toContain('join=')
  }

  // Kept: it is there after everybody else has gone.
  await node.stop()
  await first?.close()
  await second?.reload()
  await expect.poll(async () => await second?.getByRole('img', { name: 'red.png' }).evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(1)
  for (const page of pages) await page.context().close()
})
