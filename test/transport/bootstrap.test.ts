import type { AddressBook, Transport } from '../../src/transport/transport.ts'
import type { Clock } from '../../src/component.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, it, onTestFinished, vi } from 'vitest'
import { silentLogger } from '../../src/component.ts'
import { peerOf } from '../../src/transport/addresses.ts'
import { Bootstrap, type BootstrapOptions } from '../../src/transport/bootstrap.ts'
import { createMemoryNetwork } from '../../src/transport/memory.ts'
import { seededRandom } from '../../src/transport/random.ts'

/** Time that passes only when told; sleepers wake in order. */
function manualClock (): Clock & { advance: (ms: number) => Promise<void> } {
  let now = 0
  let sleepers: Array<{ at: number, wake: () => void }> = []
  return {
    now: () => now,
    sleep: async (ms, { signal } = {}) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      sleepers.push({ at: now + ms, wake: resolve })
      signal?.addEventListener('abort', () => { reject(signal.reason as Error) }, { once: true })
      await promise
    },
    advance: async (ms) => {
      now += ms
      const due = sleepers.filter(({ at }) => at <= now)
      sleepers = sleepers.filter(({ at }) => at > now)
      for (const { wake } of due) wake()
      await new Promise((resolve) => { setTimeout(resolve, 0) })
    }
  }
}

/** An address book in front of a transport, as libp2p has one; notes who is dialled. */
function withBook (transport: Transport) {
  const book = new Map<string, { peer: PeerId, addresses: Multiaddr[] }>()
  const dialled: string[] = []
  const remember: AddressBook['remember'] = async (addresses) => {
    for (const address of addresses) {
      const peer = peerOf(address)
      if (peer === undefined || peer.equals(transport.peerId)) continue
      const entry = book.get(peer.toString()) ?? { peer, addresses: [] }
      book.set(peer.toString(), { peer, addresses: [...entry.addresses, address] })
    }
  }
  return {
    dialled,
    transport: {
      peerId: transport.peerId,
      connectedPeers: () => transport.connectedPeers(),
      connect: async (target: PeerId | Multiaddr) => {
        dialled.push(target.toString())
        return await transport.connect(target)
      },
      remember,
      known: async () => [...book.values()]
    }
  }
}

async function setUp (count: number, options: (addresses: readonly Multiaddr[]) => BootstrapOptions, resolve?: (address: Multiaddr) => Promise<readonly Multiaddr[]>) {
  const network = createMemoryNetwork()
  const members: Transport[] = []
  for (let index = 0; index <= count; index++) {
    const member = network.join(peerIdFromPrivateKey(await generateKeyPair('Ed25519')))
    await member.start()
    members.push(member)
  }
  const [self, ...others] = members as [Transport, ...Transport[]]
  const { dialled, transport } = withBook(self)
  const clock = manualClock()
  const bootstrap = new Bootstrap({ transport, logger: silentLogger, clock, random: seededRandom(5), resolve }, options(others.flatMap((other) => other.addresses())))
  onTestFinished(() => bootstrap.stop())
  return { self, others, dialled, clock, bootstrap, network }
}

const ids = (peers: readonly PeerId[]): string[] => peers.map(String).toSorted()

it('reaches three at the start, the permanent ones first', async () => {
  const { bootstrap, others, dialled } = await setUp(8, (addresses) => ({ peerAddresses: addresses.slice(6, 8), knownAddresses: addresses.slice(0, 6) }))
  const reached = await bootstrap.bootstrap()
  expect(reached.length).toBe(3)
  expect(dialled.slice(0, 2)).toEqual(others.slice(6, 8).map(({ peerId }) => peerId.toString()))
})

it('goes on to others when some do not answer, and ends when nobody does', async () => {
  const { bootstrap, others } = await setUp(6, (addresses) => ({ peerAddresses: addresses }))
  for (const other of others.slice(0, 4)) await other.stop()
  expect(ids(await bootstrap.bootstrap())).toEqual(ids(others.slice(4).map(({ peerId }) => peerId)))
  const alone = await setUp(0, () => ({}))
  expect(await alone.bootstrap.bootstrap()).toEqual([])
})

it('looks for members every half minute while there are few', async () => {
  const { bootstrap, self, others, clock, dialled, network } = await setUp(6, (addresses) => ({ knownAddresses: addresses, lowWater: 5 }))
  await bootstrap.bootstrap()
  await bootstrap.start()
  expect(self.connectedPeers().length).toBe(3)
  await clock.advance(29_999)
  expect(self.connectedPeers().length).toBe(3)
  await clock.advance(1)
  await vi.waitFor(() => { expect(self.connectedPeers().length).toBe(5) })
  const before = dialled.length
  await clock.advance(30_000)
  expect(dialled.length).toBe(before)
  for (const other of others) network.disconnect(self.peerId, other.peerId)
  await clock.advance(30_000)
  await vi.waitFor(() => { expect(self.connectedPeers().length).toBe(5) })
})

it('visits a permanent peer every five minutes, however many are connected', async () => {
  const { bootstrap, clock, dialled } = await setUp(2, (addresses) => ({ peerAddresses: addresses, lowWater: 1 }))
  await bootstrap.bootstrap()
  await bootstrap.start()
  dialled.length = 0
  for (let round = 0; round < 4; round++) await clock.advance(300_000)
  await vi.waitFor(() => { expect(new Set(dialled).size).toBe(2) })
  expect(dialled.length).toBe(4)
})

it('resolves names, names behind names too, and survives those that do not resolve', async () => {
  const table = new Map<string, readonly Multiaddr[]>()
  const { bootstrap, others } = await setUp(2, () => ({ peerAddresses: ['/dnsaddr/cluster.example', '/dnsaddr/missing.example', '/dnsaddr/loop.example'].map((text) => multiaddr(text)) }),
    async (address) => table.get(address.toString()) ?? Promise.reject(new Error('no such name')))
  table.set('/dnsaddr/cluster.example', [multiaddr('/dnsaddr/more.example'), ...others[0]?.addresses() ?? []])
  table.set('/dnsaddr/more.example', others[1]?.addresses() ?? [])
  table.set('/dnsaddr/loop.example', [multiaddr('/dnsaddr/loop.example')])
  expect(ids(await bootstrap.bootstrap())).toEqual(ids(others.map(({ peerId }) => peerId)))
})
