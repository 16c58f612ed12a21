/** A tab in an unmodified cluster of two Go peers before kubo. */
import { createHash, randomBytes } from 'node:crypto'
import { multiaddr } from '@multiformats/multiaddr'
import { encodeJoinFragment } from '../../src/join/join-link.ts'
import { createGoPeer, createKubo, goPresent, kuboProgram, needs, newSecret } from '../interop/programs.ts'
import type { GoPeer, Kubo } from '../interop/programs.ts'
import { expect, joinTab, test } from './support/fixtures.ts'

const missing = needs([goPresent, 'Go cluster programs (GO_CLUSTER_BIN)'], [kuboProgram !== undefined, 'ipfs'])

test.describe(`a tab among two Go peers${missing}`, () => {
  test.skip(missing !== '', 'needs the Go programs and kubo')
  const kubos: Kubo[] = []
  const gos: GoPeer[] = []
  let link = ''

  test.beforeAll(async () => {
    const secret = newSecret()
    for (const name of ['go1', 'go2']) {
      const kubo = await createKubo()
      kubos.push(kubo)
      await kubo.start()
      const go = await createGoPeer({ name, secret, kuboApiPort: kubo.apiPort, env: { CLUSTER_CRDT_REBROADCASTINTERVAL: '5s', ...gos[0] === undefined ? {} : { CLUSTER_PEERADDRESSES: gos[0].addresses.tcp } } })
      gos.push(go)
      await go.start()
    }
    link = encodeJoinFragment({ clusterName: 'ipfs-cluster', secret, addresses: gos.map(({ addresses }) => multiaddr(addresses.ws)), role: 'member', trustedPeers: '*', allowLightPeers: false })
  })

  test.afterAll(async () => {
    for (const each of [...gos, ...kubos]) await each.stop()
    for (const each of [...gos, ...kubos]) await each.remove()
  })

  const go = (index: number): GoPeer => {
    const found = gos[index]
    if (found === undefined) throw new Error(`no Go peer ${index}`)
    return found
  }
  const statusAtGo = (cid: string): string[] => {
    const { peer_map: map } = JSON.parse(go(0).ctl('--enc', 'json', 'status', cid)) as { peer_map: Record<string, { peername: string, status: string }> }
    return Object.values(map).map(({ peername, status }) => `${peername.replace(/^tab-.*/, 'tab')} ${status}`).toSorted()
  }

  test('it appears, answers, pins, adds into kubo, hears of pins, and comes back from a partition', async ({ browser, tabs }) => {
    test.setTimeout(240_000)
    const page = await tabs.open(browser)
    const tab = await joinTab(page, { join: link })
    for (const peer of gos) {
      await expect.poll(() => peer.ctl('peers', 'ls'), { timeout: 60_000 }).toContain(`${tab} |`)
      await expect.poll(() => peer.ctl('peers', 'ls')).not.toContain('ERROR')
    }

    // Added by the tab: the bytes are in both kubos
    const bytes = randomBytes(700_000)
    const added = await page.evaluate(async (given) => await lab.addBytes('from-tab.bin', Uint8Array.from(given)), [...bytes])
    await expect.poll(() => statusAtGo(added), { timeout: 60_000 }).toEqual(['go1 pinned', 'go2 pinned', 'tab pinned'])
    for (const kubo of kubos) {
      const response = await fetch(`http://127.0.0.1:${kubo.apiPort}/api/v0/cat?arg=${added}&offline=true`, { method: 'POST' })
      expect(createHash('sha256').update(new Uint8Array(await response.arrayBuffer())).digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
    }

    // Pinned by Go: the tab knows, Go's --wait ends, and the tab says honestly what it has
    const other = JSON.parse(await addToKubo(kubos[0], 'in kubo only')) as { Hash: string }
    go(1).ctl('pin', 'add', '--wait', '--wait-timeout', '60s', other.Hash)
    await expect.poll(async () => await page.evaluate(async () => await lab.pins())).toContain(other.Hash)
    expect(['tab pinned', 'tab remote']).toContain(statusAtGo(other.Hash).find((line) => line.startsWith('tab')))

    // Unpinned by the tab
    await page.evaluate(async (cid) => { await lab.peer.client.unpin(cid) }, added)
    await expect.poll(() => go(0).ctl('pin', 'ls')).not.toContain(added)

    // A partition: both Go peers gone, a pin on each side meanwhile
    for (const peer of gos) await peer.stop()
    const alone = await page.evaluate(async () => await lab.addBytes('alone.txt', new Uint8Array([8])).then((cid) => cid, String))
    for (const peer of gos) await peer.start()
    const meanwhile = JSON.parse(await addToKubo(kubos[1], 'meanwhile')) as { Hash: string }
    go(1).ctl('pin', 'add', '--no-status', meanwhile.Hash)
    await expect.poll(async () => await page.evaluate(async () => await lab.pins()), { timeout: 90_000 }).toContain(meanwhile.Hash)
    await expect.poll(() => go(0).ctl('pin', 'ls'), { timeout: 90_000 }).toContain(alone)
  })
})

async function addToKubo (kubo: Kubo | undefined, text: string): Promise<string> {
  const body = new FormData()
  body.append('file', new Blob([text]))
  const response = await fetch(`http://127.0.0.1:${kubo?.apiPort}/api/v0/add?pin=false`, { method: 'POST', body })
  return await response.text()
}
