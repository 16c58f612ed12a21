/** Light peers in a cluster: what they keep or do not keep holds up nobody. */
import { expect, it } from 'vitest'
import { StorageFullError } from '../../src/ipfs/errors.ts'
import { parseStatusFilter } from '../../src/pin/status.ts'
import { collect, testCid } from '../contract/values.ts'
import { TestCluster } from './test-cluster.ts'
import type { Member } from './test-cluster.ts'
import type { GlobalPinInfo } from '../../src/pin/pin-info.ts'

const statusOf = (info: GlobalPinInfo, { id }: Member): string | undefined => info.peerMap.get(id.toString())?.status

async function withLight (keepEverywhere: boolean, followerMode = false): Promise<{ readonly cluster: TestCluster, readonly whole: Member, readonly light: Member }> {
  const cluster = new TestCluster()
  const whole = cluster.create({ allowLightPeers: true })
  const light = cluster.create({ lightPeer: { keepEverywhere }, followerMode })
  await cluster.start()
  return { cluster, whole, light }
}

it.each([[false], [true]])('a light peer that finds no room says remote, whoever asks (follower: %s)', async (follower) => {
  const { cluster, whole, light } = await withLight(true, follower)
  light.connector.fail('pin', new StorageFullError(10n, 10n))
  await whole.peer.pin(testCid(1))
  await cluster.until(async () => { expect(light.connector.calls.some((call) => call.startsWith('pin '))).toBe(true) })
  await cluster.until(async () => {
    const info = await whole.peer.status(testCid(1))
    expect([statusOf(info, whole), statusOf(info, light)]).toEqual(['pinned', 'remote'])
  })
  expect(statusOf(await light.peer.status(testCid(1), { local: true }), light)).toBe('remote')
  const listed = await collect(whole.peer.statusAll(0))
  expect(listed.map((info) => [statusOf(info, whole), statusOf(info, light)])).toEqual([['pinned', 'remote']])
  expect(await collect(whole.peer.statusAll(parseStatusFilter('error')))).toEqual([])
  const recovered = await whole.peer.recover(testCid(1))
  expect(statusOf(recovered, light)).toBe('remote')
  // There is room later: it keeps the pin after all, without anybody asking.
  light.connector.fail('pin')
  await cluster.until(async () => { expect(statusOf(await whole.peer.status(testCid(1)), light)).toBe('pinned') }, 4_000_000)
})

it('a light peer that does not keep what is everywhere still keeps what is allocated to it', async () => {
  const { cluster, whole, light } = await withLight(false)
  await whole.peer.pin(testCid(1))
  await whole.peer.pin(testCid(2), { replicationFactorMin: 2, replicationFactorMax: 2 })
  await cluster.until(async () => {
    expect(statusOf(await whole.peer.status(testCid(1)), light)).toBe('remote')
    expect(statusOf(await whole.peer.status(testCid(2)), light)).toBe('pinned')
  })
  expect(light.connector.calls).not.toContain(`pin ${testCid(1)}`)
  expect((await collect(light.connector.pins())).length).toBe(1)
})
