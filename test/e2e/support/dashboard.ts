/** The dashboard as tests use it. */
import AxeBuilder from '@axe-core/playwright'
import type { Locator, Page } from '@playwright/test'
import { expect } from '@playwright/test'

/** No serious or critical finding on what is shown now. */
export async function expectAccessible (page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('\n')}`)).toEqual([])
}

/** Errors that the page throws or logs; a refused request is not one of them. */
export function errorsOf (page: Page): readonly string[] {
  const errors: string[] = []
  page.on('pageerror', (error) => { errors.push(error.stack ?? error.message) })
  page.on('console', (message) => { if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) errors.push(message.text()) })
  return errors
}

/** The row of a pin in the list. */
export const rowOf = (page: Page, text: string): Locator => page.getByRole('grid', { name: 'Pins' }).getByRole('row').filter({ hasText: text })

export const isLive = async (page: Page): Promise<void> => { await expect(page.getByRole('banner').getByText('Live')).toBeVisible() }

/** Goes to a view by its link. */
export const goTo = async (page: Page, name: string): Promise<void> => { await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name }).click() }

export interface NamedFile { readonly name: string, readonly mimeType: string, readonly buffer: Buffer }
export const textFile = (name: string, text: string): NamedFile => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) })

/** Adds one file on the view that adds, and follows the link to its pin. Returns the CID. */
export async function addFile (page: Page, file: NamedFile): Promise<string> {
  await goTo(page, 'Add')
  await page.getByLabel('Files to add').setInputFiles([file])
  await page.getByRole('button', { name: `Add ${file.name}` }).click()
  await page.getByRole('region', { name: 'Uploads' }).getByRole('listitem').filter({ hasText: file.name }).getByRole('link').click()
  await expect(page.getByRole('heading', { level: 1, name: file.name })).toBeVisible()
  return decodeURIComponent(new URL(page.url()).hash.split('/')[2] ?? '')
}

/** Drops files on the page, as from the desktop. */
export async function drop (page: Page, files: readonly NamedFile[]): Promise<void> {
  const transfer = await page.evaluateHandle((given) => {
    const data = new DataTransfer()
    for (const { name, text } of given) data.items.add(new File([text], name))
    return data
  }, files.map(({ name, buffer }) => ({ name, text: buffer.toString() })))
  await page.dispatchEvent('body', 'dragover', { dataTransfer: transfer })
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer })
}
