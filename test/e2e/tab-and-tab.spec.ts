/** Tabs among themselves: WebRTC through a member that relays, which may then die; many tabs on one relay. */
import { createHash, randomBytes } from 'node:crypto'
import { ctl, expect, idOf, joinTab, statusesOf, test } from './support/fixtures.ts'

test('two tabs connect directly, and keep pubsub, pins and content when the relay is killed', async ({ browser, cluster, tabs }) => {
  const relay = await cluster.peer('relay')
  const link = await cluster.link([relay])
  const [one, other] = [await tabs.open(browser), await tabs.open(browser)]
  const [oneId, otherId] = [await joinTab(one, { join: link }), await joinTab(other, { join: link })]
  const { id: relayId } = await idOf(relay)
  for (const page of [one, other]) await expect.poll(async () => await page.evaluate(async () => await lab.members()), { timeout: 60_000 }).toEqual([oneId, otherId, relayId].toSorted())

  await relay.stop('SIGKILL')
  const bytes = randomBytes(1_500_000)
  const cid = await one.evaluate(async (given) => await lab.addBytes('direct.bin', Uint8Array.from(given)), [...bytes])
  await expect.poll(async () => await other.evaluate(async () => await lab.pins())).toEqual([cid])
  expect(await other.evaluate(async (given) => await lab.digest(given), cid)).toEqual({ sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length })
  await other.evaluate(async (given) => { await lab.peer.client.unpin(given) }, cid)
  await expect.poll(async () => await one.evaluate(async () => await lab.pins())).toEqual([])

  // The relay comes back: the tabs find it by themselves, and it learns what it missed.
  const late = await other.evaluate(async () => await lab.addBytes('late.txt', new Uint8Array([7])))
  await relay.start()
  await expect.poll(async () => (await statusesOf(relay, late))[otherId], { timeout: 60_000 }).toBe('pinned')
})

test('twenty tabs on one relay all become members and share the pinset', async ({ browser, cluster, tabs }) => {
  test.setTimeout(240_000)
  const relay = await cluster.peer('relay')
  const link = await cluster.link([relay])
  const pages = await Promise.all(Array.from({ length: 20 }, async () => await tabs.open(browser)))
  const ids = await Promise.all(pages.map(async (page) => await joinTab(page, { join: link })))
  await expect.poll(async () => (await ctl(relay, 'peers', 'ls')).match(/12D3KooW\w+ \| /g)?.length, { timeout: 120_000 }).toBe(21)
  const cid = await pages[0]?.evaluate(async () => await lab.addBytes('for-all.txt', new Uint8Array([1, 2, 3, 4])))
  for (const page of pages) await expect.poll(async () => await page.evaluate(async () => await lab.pins()), { timeout: 60_000 }).toEqual([cid])
  await expect.poll(async () => Object.entries(await statusesOf(relay, cid ?? '')).filter(([id, status]) => ids.includes(id) && status === 'pinned').length, { timeout: 60_000 }).toBe(20)
})
