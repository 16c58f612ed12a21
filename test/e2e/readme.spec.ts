/** The ten lines of the README: a member in a web app. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'vite'
import { ctl, expect, root, test } from './support/fixtures.ts'
import { serveFolder } from './support/static-site.ts'

test('the ten lines run as they stand in the README', async ({ browser, cluster }) => {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const [, example = ''] = /```ts\n(import \{ createWebPeer \}[\s\S]*?)```/.exec(readme) ?? []
  expect(example).toContain("from 'pinswarm/web'")
  expect(example.trim().split('\n').filter((line) => line !== '').length).toBeLessThanOrEqual(10)
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-readme-'))
  try {
    await writeFile(join(folder, 'index.html'), '<!doctype html><title>ten lines</title><link rel="icon" href="data:,"><script type="module" src="./main.ts"></script>')
    await writeFile(join(folder, 'main.ts'), example)
    await build({ root: folder, base: './', configFile: false, logLevel: 'error', resolve: { alias: { 'pinswarm/web': join(root, 'web/index.ts') } }, build: { outDir: join(folder, 'dist'), target: 'es2024', minify: false, chunkSizeWarningLimit: 5000 } })
    const site = await serveFolder(join(folder, 'dist'))
    const node = await cluster.peer('node')
    const page = await (await browser.newContext()).newPage()
    const said: string[] = []
    page.on('console', (message) => { said.push(message.text()) })
    page.on('pageerror', (error) => { said.push(String(error)) })
    await page.goto(`${site.url}#${await cluster.link([node])}`)
    await expect.poll(() => said.join('\n'), { timeout: 60_000 }).toMatch(/^added (\w+)\n\1 $/)
    const [, cid = ''] = /^added (\w+)/.exec(said[0] ?? '') ?? []
    expect(await ctl(node, 'pin', 'ls')).toContain(cid)
    await page.context().close()
    await site.close()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
