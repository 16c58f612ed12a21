/** A Go member and one of ours under load: what either accepts, the other has soon after, though Go handles heads one by one. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { call, pinRun } from '../bench/load.ts'
import { startStandIn } from '../bench/stand-in-process.ts'
import { createPeerProcess } from '../processes.ts'
import type { PeerProcess } from '../processes.ts'
import { createGoPeer, goPresent, needs, newSecret } from './programs.ts'
import type { GoPeer } from './programs.ts'

const wait = { timeout: 60_000, interval: 250 }
const pins = 1500
const pinsOf = async (base: string): Promise<number> => (await call(base, 'GET', '/allocations?filter=all')).lines

describe.runIf(goPresent)(`Go cluster peer and ours under load${needs([goPresent, 'Go cluster programs (GO_CLUSTER_BIN)'])}`, () => {
  const standIns: Array<{ readonly port: number, readonly stop: () => Promise<void> }> = []
  let go: GoPeer
  let ours: PeerProcess

  beforeAll(async () => {
    const secret = newSecret()
    for (let i = 0; i < 2; i++) standIns.push(await startStandIn())
    go = await createGoPeer({ name: 'go', secret, kuboApiPort: standIns[0]?.port ?? 0 })
    await go.start()
    ours = await createPeerProcess({ name: 'ours', secret, ipfs: standIns[1]?.port ?? 0 })
    await ours.start(['--bootstrap', go.addresses.tcp])
  })
  afterAll(async () => {
    await ours.stop()
    await go.stop()
    for (const standIn of standIns) await standIn.stop()
    for (const each of [ours, go]) await each.remove()
  })

  test('each has what the other accepted', async () => {
    await pinRun(go.base, pins, 32)
    await vi.waitFor(async () => { expect(await pinsOf(ours.base)).toBe(pins) }, wait)
    await pinRun(ours.base, pins, 32)
    await vi.waitFor(async () => { expect(await pinsOf(go.base)).toBe(2 * pins) }, wait)
  }, 180_000)

  test('after a kill ours has all of it, and is back in the cluster without being told where it is', async () => {
    await ours.stop('SIGKILL')
    await ours.start()
    expect(await pinsOf(ours.base)).toBe(2 * pins)
    await vi.waitFor(async () => {
      for (const { base } of [go, ours]) expect((await call(base, 'GET', '/peers')).lines).toBe(2)
    }, wait)
  }, 120_000)
})
