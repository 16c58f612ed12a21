/** The endpoint of a Go peer beside ours: what a dashboard made for Go finds here. */
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { clusterValues, scrape } from '../node/metrics-text.ts'
import type { Family } from '../node/metrics-text.ts'
import { createPeerProcess, freePort } from '../processes.ts'
import { createGoPeer, createKubo, goCtl, goPresent, kuboProgram, needs, newSecret } from './programs.ts'

interface Served { readonly host: string, readonly families: () => Promise<ReadonlyMap<string, Family>> }

describe.runIf(goPresent && kuboProgram !== undefined)(`figures${needs([goPresent, 'Go cluster programs (GO_CLUSTER_BIN)'], [kuboProgram !== undefined, 'ipfs'])}`, () => {
  test('names, types and texts are those of a Go peer, and so are the values after the same work', async () => {
    const opened: Array<{ readonly stop: () => Promise<void>, readonly remove: () => Promise<void> }> = []
    onTestFinished(async () => { for (const part of opened.toReversed()) { await part.stop(); await part.remove() } })
    const open = async (kind: 'go' | 'ours'): Promise<Served> => {
      const kubo = await createKubo()
      opened.push(kubo)
      await kubo.start()
      const port = await freePort()
      const env = { CLUSTER_METRICS_ENABLESTATS: 'true', CLUSTER_METRICS_PROMETHEUSENDPOINT: `/ip4/127.0.0.1/tcp/${port}` }
      const settings = { name: kind, secret: newSecret(), env }
      const peer = kind === 'go' ? await createGoPeer({ ...settings, kuboApiPort: kubo.apiPort }) : await createPeerProcess({ ...settings, ipfs: kubo.apiPort })
      opened.push(peer)
      await peer.start()
      return { host: peer.host, families: async () => await scrape(port) }
    }
    const [go, ours] = [await open('go'), await open('ours')]

    const names = await go.families()
    const beside = await ours.families()
    const ofCluster = [...names].filter(([name]) => name.startsWith('ipfscluster_'))
    expect(ofCluster.length).toBeGreaterThanOrEqual(12)
    for (const [name, { type, help }] of ofCluster) expect(beside.get(name), name).toMatchObject({ type, help })

    const comparable = ['pins', 'pins_pin_add', 'pins_pin_add_errors', 'pins_pin_error', 'pins_pin_queued', 'pins_pinning', 'pins_ipfs_pins', 'blocks_put_errors']
    const work = async ({ host, families }: Served): Promise<Record<string, number | undefined>> => {
      await goCtl(host, 'add', '--quieter', import.meta.filename)
      await vi.waitFor(async () => { expect(clusterValues(await families())).toMatchObject({ pins: 1, pins_pin_add: 1, pins_pinning: 0 }) }, { timeout: 45_000, interval: 200 })
      await goCtl(host, 'status') // lists the IPFS
      const values = clusterValues(await families())
      return Object.fromEntries(comparable.map((name) => [name, values[name]]))
    }
    expect(await work(ours)).toEqual(await work(go))
  }, 120_000)
})
