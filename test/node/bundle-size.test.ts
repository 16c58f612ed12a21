/** What a browser downloads has a budget. */
import { expect, it } from 'vitest'
import { bundleSizes } from '../bench/browser/size.ts'

it('the peer takes at most 350 kB gzipped, the dashboard at most 150 kB more', async () => {
  const { peer, dashboard } = await bundleSizes()
  process.stdout.write(`gzipped: peer ${(peer / 1000).toFixed(0)} kB, dashboard ${(dashboard / 1000).toFixed(0)} kB more\n`)
  expect(peer).toBeGreaterThan(50_000)
  expect(peer).toBeLessThanOrEqual(350_000)
  expect(dashboard).toBeGreaterThan(10_000)
  expect(dashboard).toBeLessThanOrEqual(150_000)
})
