/** One Go 1.1.6 peer and one of ours in one cluster: over TCP and over WebSocket, ours on kubo and ours on Helia. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createPeerProcess } from '../processes.ts'
import type { PeerProcess } from '../processes.ts'
import { createGoPeer, createKubo, goPresent, kuboProgram, needs, newSecret } from './programs.ts'
import type { GoPeer, Kubo } from './programs.ts'

const wait = { timeout: 60_000, interval: 250 }
const present = goPresent && kuboProgram !== undefined

interface Status { readonly cid: string, readonly name: string, readonly peer_map: Record<string, { readonly peername: string, readonly status: string }> }
const parse = (text: string): Status => JSON.parse(text) as Status
const statuses = (status: Status): Record<string, string> => Object.fromEntries(Object.values(status.peer_map).map((info) => [info.peername, info.status]))

describe.runIf(present).each([
  { transport: 'tcp', ipfs: 'kubo' }, { transport: 'ws', ipfs: 'kubo' }, { transport: 'tcp', ipfs: 'helia' }
] as const)(`Go cluster peer and ours over $transport, ours on $ipfs${needs([goPresent, 'Go cluster programs (GO_CLUSTER_BIN)'], [kuboProgram !== undefined, 'ipfs'])}`, ({ transport, ipfs }) => {
  const kubos: Kubo[] = []
  let go: GoPeer
  let ours: PeerProcess
  const ourCtl = async (...args: string[]): Promise<string> => {
    const output = await ours.ctl(...args)
    expect(output.code, `${args.join(' ')}: ${output.stdout.toString()}${output.stderr}`).toBe(0)
    return output.stdout.toString()
  }
  const both = { pinned: { go: 'pinned', ours: 'pinned' }, unpinned: { go: 'unpinned', ours: 'unpinned' } }
  /** Until both sides, each asked by its own ctl, agree that this is the status of the CID on each peer. */
  const agree = async (cid: string, expected: Record<string, string>): Promise<void> => {
    await vi.waitFor(async () => {
      expect(statuses(parse(go.ctl('--enc', 'json', 'status', cid)))).toEqual(expected)
      expect(statuses(parse(await ourCtl('--enc', 'json', 'status', cid)))).toEqual(expected)
    }, wait)
  }

  beforeAll(async () => {
    const secret = newSecret()
    for (let i = 0; i < (ipfs === 'kubo' ? 2 : 1); i++) kubos.push(await createKubo())
    for (const kubo of kubos) await kubo.start()
    go = await createGoPeer({ name: 'go', secret, kuboApiPort: kubos[0]?.apiPort ?? 0 })
    await go.start()
    ours = await createPeerProcess({ name: 'ours', secret, ipfs: ipfs === 'kubo' ? kubos[1]?.apiPort ?? 0 : 'helia', env: { IPFS_CLUSTER_LOG_LEVEL: 'debug' } })
    await ours.start(['--bootstrap', go.addresses[transport]])
  }, 120_000)

  afterAll(async () => {
    await ours.stop()
    await go.stop()
    for (const kubo of kubos) await kubo.stop()
    for (const each of [ours, go, ...kubos]) await each.remove()
  }, 60_000)

  test('peers ls is complete from both', async () => {
    await vi.waitFor(async () => {
      for (const listing of [go.ctl('peers', 'ls'), await ourCtl('peers', 'ls')]) {
        expect(listing.match(/ \| (go|ours) \| Sees 1 other peers/g)?.toSorted()).toHaveLength(2)
        expect(listing).not.toContain('ERROR')
      }
    }, wait)
  })

  test('what either side adds, both pin and both report; an unpin from the other side removes it', async () => {
    for (const side of ['go', 'ours'] as const) {
      const file = join(ours.folder, `${side}.txt`)
      await writeFile(file, `added by ${side} over ${transport} ${Math.random()}`)
      const cid = (side === 'go' ? go.ctl('add', '-Q', '--name', `from ${side}`, file) : await ourCtl('add', '-Q', '--name', `from ${side}`, file)).trim()
      await agree(cid, both.pinned)
      expect(parse(go.ctl('--enc', 'json', 'status', cid)).name).toBe(`from ${side}`)
      expect(go.ctl('pin', 'ls', cid)).toBe(await ourCtl('pin', 'ls', cid))
      for (const kubo of kubos) expect(await kubo.call(`pin/ls?arg=${cid}&type=recursive`)).toContain(cid)
      expect((await ours.ctl('cat', cid)).stdout.toString()).toContain(`added by ${side}`)
      if (side === 'go') await ourCtl('pin', 'rm', '--no-status', cid)
      else go.ctl('pin', 'rm', '--no-status', cid)
      await agree(cid, both.unpinned)
    }
  })

  test('a pin of content that only one side has travels by options, metadata and update too', async () => {
    const file = join(ours.folder, 'options.txt')
    await writeFile(file, `options ${Math.random()}`)
    const cid = (await ourCtl('add', '-Q', '--local', '--no-pin', file)).trim()
    await ourCtl('pin', 'add', '--no-status', '--name', 'opts', '--metadata', 'k=v', '--expire-in', '2h', cid)
    await vi.waitFor(() => {
      const pin = JSON.parse(go.ctl('--enc', 'json', 'pin', 'ls', cid)) as { name: string, metadata: unknown, expire_at: string }
      expect(pin).toMatchObject({ name: 'opts', metadata: { k: 'v' } })
      expect(Date.parse(pin.expire_at)).toBeGreaterThan(Date.now())
    }, wait)
    go.ctl('pin', 'add', '--no-status', '--name', 'renamed', cid)
    await vi.waitFor(async () => { expect(JSON.parse(await ourCtl('--enc', 'json', 'pin', 'ls', cid))).toMatchObject({ name: 'renamed', metadata: {} }) }, wait)
  })

  test('health graph, metrics and recover answer from both', async () => {
    for (const graph of [go.ctl('health', 'graph'), await ourCtl('health', 'graph')]) expect(graph.match(/^[CT]\d -> [CT]\d/gm)).toHaveLength(2)
    await vi.waitFor(async () => {
      for (const metrics of [go.ctl('health', 'metrics', 'freespace'), await ourCtl('health', 'metrics', 'freespace')]) expect(metrics.trim().split('\n')).toHaveLength(2)
    }, wait)
    go.ctl('recover')
    await ourCtl('recover')
  })
})
