import type { PeerId } from '@libp2p/interface'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect, it } from 'vitest'
import { createMemoryNetwork, type MemoryNetworkOptions } from '../../src/transport/memory.ts'
import { seededRandom } from '../../src/transport/random.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { transportContract } from '../contract/transport.ts'

const newPeerId = async (): Promise<PeerId> => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))

async function openMembers (count: number, options?: MemoryNetworkOptions) {
  const network = createMemoryNetwork(options)
  const members: Transport[] = []
  for (let index = 0; index < count; index++) {
    const member = network.join(await newPeerId())
    await member.start()
    members.push(member)
  }
  return { network, members }
}

transportContract('memory', async (count) => (await openMembers(count)).members)
transportContract('memory, slow and in pieces', async (count) => (await openMembers(count, { latency: [0, 2], chunkSize: [1000, 50_000] })).members)

it('partitions cut connections and broadcasts, and heal', async () => {
  const { network, members } = await openMembers(4)
  await network.connectAll()
  const heard = members.map(() => [] as number[])
  for (const [index, member] of members.entries()) member.pubsub.subscribe('topic', ({ data }) => heard[index]?.push(data[0] ?? -1))
  const [first, second, third, fourth] = members as [Transport, Transport, Transport, Transport]
  network.partition([first.peerId, second.peerId])
  expect(members.map((member) => member.connectedPeers().length)).toEqual([1, 1, 1, 1])
  await expect(first.connect(third.peerId)).rejects.toMatchObject({ name: 'DialError' })
  await first.pubsub.publish('topic', Uint8Array.of(1))
  await fourth.pubsub.publish('topic', Uint8Array.of(2))
  await network.settled()
  expect(heard).toEqual([[], [1], [2], []])
  network.heal()
  expect(members.map((member) => member.connectedPeers().length)).toEqual([3, 3, 3, 3])
  await first.pubsub.publish('topic', Uint8Array.of(3))
  await network.settled()
  expect(heard).toEqual([[], [1, 3], [2, 3], [3]])
})

it('loses and repeats broadcasts by its seeded random only', async () => {
  const run = async (seed: number): Promise<number[]> => {
    const { network, members } = await openMembers(2, { loss: 0.5, duplicate: 0.5, random: seededRandom(seed) })
    await network.connectAll()
    const [first, second] = members as [Transport, Transport]
    const heard: number[] = []
    second.pubsub.subscribe('topic', ({ data }) => heard.push(data[0] ?? -1))
    for (let number = 0; number < 100; number++) await first.pubsub.publish('topic', Uint8Array.of(number))
    await network.settled()
    return heard
  }
  const heard = await run(7)
  expect(heard.length).toBeGreaterThan(25)
  expect(heard.length).toBeLessThan(75)
  expect(new Set(heard).size).toBe(heard.length)
  expect(await run(7)).toEqual(heard)
})

it('takes no part before its start', async () => {
  const network = createMemoryNetwork()
  const [one, other] = [network.join(await newPeerId()), network.join(await newPeerId())]
  await expect(one.connect(other.peerId)).rejects.toMatchObject({ name: 'NotStartedError' })
  await one.start()
  await expect(one.connect(other.peerId)).rejects.toMatchObject({ name: 'DialError' })
})
