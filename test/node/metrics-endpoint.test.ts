/** The Prometheus endpoint of a daemon, with the embedded store. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createPeerProcess, freePort } from '../processes.ts'
import type { PeerProcess } from '../processes.ts'
import goMetrics from '../vectors/observations/go-metrics.json' with { type: 'json' }
import { clusterValues, scrape } from './metrics-text.ts'

const patience = { timeout: 30_000, interval: 100 }
const absent = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'

describe('a daemon with --stats', () => {
  let peer: PeerProcess
  let port = 0
  const values = async (): Promise<Record<string, number>> => clusterValues(await scrape(port))
  const ctl = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await peer.ctl(...args)
    expect(code, stderr).toBe(0)
    return stdout.toString()
  }

  beforeAll(async () => {
    port = await freePort()
    peer = await createPeerProcess({ name: 'measured', secret: '5e'.repeat(32), ipfs: 'helia', env: { CLUSTER_METRICS_PROMETHEUSENDPOINT: `/ip4/127.0.0.1/tcp/${port}`, CLUSTER_HELIA_PINTIMEOUT: '1s' } })
    await peer.start(['--stats'])
  })
  afterAll(async () => { await peer.stop(); await peer.remove() })

  test('serves the metrics of Go at zero, those of the process, and nothing else', async () => {
    const families = await scrape(port)
    for (const { name, type, help } of goMetrics) expect(families.get(name), name).toMatchObject({ type, help })
    await vi.waitFor(async () => { expect((await values())['informer_disk']).toBe(10e9) }, patience)
    for (const [name, value] of Object.entries(await values())) if (name !== 'informer_disk') expect(value, name).toBe(0)
    for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_start_time_seconds', 'nodejs_version_info']) expect(families.has(name), name).toBe(true)
    expect(peer.log()).toContain(`stats collection enabled on /ip4/127.0.0.1/tcp/${port}`)
    const url = `http://127.0.0.1:${port}`
    expect((await fetch(`${url}/`)).status).toBe(404)
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405)
    const head = await fetch(`${url}/metrics`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  test('follows what the peer does', async () => {
    const file = join(peer.folder, 'file.bin')
    await writeFile(file, new Uint8Array(600_000).map((_, index) => index % 251))
    const cid = (await ctl('add', '--quieter', file)).trim()
    await ctl('pin', 'add', '--wait', cid) // with other options: still one pin
    await vi.waitFor(async () => { expect(await values()).toMatchObject({ pins: 1, pins_ipfs_pins: 1, pins_pin_add: 1, pins_pin_add_errors: 0, blocks_added: 4, blocks_put_errors: 0, crdt_heads: 1, crdt_height: 2, crdt_blocks_synced: 2, crdt_blocks_known: 2, crdt_commits: 2, crdt_committed_changes: 2, crdt_dirty: 0 }) }, patience)
    const { blocks_put: puts, blocks_added_size: bytes, informer_disk: free } = await values()
    expect(puts).toBeGreaterThan(0)
    expect(bytes).toBeGreaterThan(600_000)
    expect(free).toBeGreaterThan(0)

    await ctl('pin', 'add', absent)
    await vi.waitFor(async () => { expect(await values()).toMatchObject({ pins: 2, pins_pin_error: 1, pins_pinning: 0, pins_pin_add_errors: 1, pins_ipfs_pins: 1 }) }, patience)
    await ctl('pin', 'rm', absent)
    await ctl('pin', 'rm', cid)
    await vi.waitFor(async () => { expect(await values()).toMatchObject({ pins: 0, pins_pin_error: 0, pins_ipfs_pins: 0 }) }, patience)
  })

  test('leaves the metrics that members share as they are', async () => {
    expect((await ctl('health', 'metrics')).trim().split('\n').toSorted()).toEqual(['freespace', 'ping', 'pinqueue', 'tag:group'])
    expect((await (await fetch(`${peer.base}/monitor/metrics`)).json() as string[]).toSorted()).toEqual(['freespace', 'ping', 'pinqueue', 'tag:group'])
  })
})
