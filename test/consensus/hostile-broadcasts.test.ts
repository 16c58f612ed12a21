/** A trusted member whose announcements and requests are none; the others go on. */
import { expect, it, onTestFinished, vi } from 'vitest'
import { stopAll } from '../../src/component.ts'
import { syncProtocol } from '../../src/consensus/crdt/sync-frames.ts'
import { frame } from '../../src/frames.ts'
import { linesOf, testPin } from '../contract/consensus.ts'
import { openCrdtCluster } from './crdt-peers.ts'
import type { CrdtMember } from './crdt-peers.ts'

async function open () {
  const { members, network } = await openCrdtCluster(3, { bulk: true })
  onTestFinished(() => stopAll(members.flatMap(({ transport, consensus }) => [transport, consensus])))
  const [one, other, evil] = members as readonly [CrdtMember, CrdtMember, CrdtMember]
  const isConnected = (): boolean => one.transport.connectedPeers().some((peer) => peer.equals(evil.transport.peerId))
  const goesOn = async (number: number): Promise<void> => {
    await one.consensus.log.put(testPin(number))
    await vi.waitFor(async () => { expect(await linesOf(other.consensus)).toEqual(await linesOf(one.consensus)) })
    expect(one.consensus.log.pinset.count()).toBe(number)
  }
  return { one, other, evil, network, isConnected, goesOn }
}

it('broadcasts that do not decode are not passed on, and cost their author its place', async () => {
  const { one, evil, network, isConnected, goesOn } = await open()
  await goesOn(1)
  for (let number = 0; number < 30; number++) await evil.transport.pubsub.publish(one.consensus.topic, Uint8Array.of(number, 1, 2))
  await network.settled()
  expect(isConnected()).toBe(false)
  await goesOn(2)
})

it('requests for sync that do not decode cost their sender its place', async () => {
  const { one, evil, isConnected, goesOn } = await open()
  await goesOn(1)
  for (let number = 0; number < 20 && isConnected(); number++) {
    const stream = await evil.transport.openStream(one.transport.peerId, syncProtocol)
    await stream.write(frame([new Uint8Array(50).fill(255)]))
    await vi.waitFor(() => { expect(stream.closed.aborted).toBe(true) })
  }
  expect(isConnected()).toBe(false)
  await goesOn(2)
})
