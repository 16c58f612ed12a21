/** Members that a light peer hears of and does not know: whom it asks, whom it dials, and when again. */
import type { PeerId } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { Introductions } from '../../src/cluster/introductions.ts'
import type { PeerContext } from '../../src/cluster/components.ts'
import { silentLogger } from '../../src/component.ts'
import type { Metric } from '../../src/monitor/metric.ts'
import { ManualClock, testPeer } from '../contract/values.ts'

const addressOf = (peer: PeerId): Multiaddr => multiaddr(`/ip4/127.0.0.1/tcp/1/ws/p2p/${peer.toString()}`)
function setUp (options: { readonly members: readonly PeerId[], readonly light?: readonly PeerId[], readonly refused?: boolean, readonly isAlone?: boolean }) {
  const me = testPeer(100)
  const hub = testPeer(101)
  const clock = new ManualClock()
  const near = new Map(options.isAlone === true ? [] : [[hub.toString(), hub]])
  const dialled: string[] = []
  const remembered: string[] = []
  const asked: string[] = []
  const parts = {
    self: me, clock, random: () => 0.5, log: silentLogger.forComponent('cluster'),
    transport: {
      connectedPeers: () => [...near.values()],
      connect: async (peer: PeerId) => {
        dialled.push(peer.toString())
        if (options.refused === true) throw new Error('refused')
        near.set(peer.toString(), peer)
        return peer
      }
    },
    monitor: {
      latestValid: () => [me, ...near.values(), ...options.members].map((peer) => ({ peer }) as Metric),
      latestPing: (peer: PeerId) => ({ peerName: '', ipfsAddresses: [], light: options.light?.some((other) => other.equals(peer)) === true })
    },
    rpc: {
      call: async (peer: PeerId) => {
        asked.push(peer.toString())
        return { clusterPeersAddresses: [...options.members, testPeer(55)].map(addressOf) }
      }
    }
  } as unknown as ConstructorParameters<typeof Introductions>[0] & PeerContext
  const introductions = new Introductions(parts, { remember: async (addresses) => { remembered.push(...addresses.map(String)) } })
  return { introductions, clock, dialled, remembered, asked, hub }
}

describe('introductions', () => {
  it('ask a neighbour, keep the addresses of those heard of and nobody else, and dial them', async () => {
    const { introductions, dialled, remembered, asked, hub } = setUp({ members: [testPeer(2), testPeer(3)] })
    await introductions.round()
    expect(asked).toEqual([hub.toString()])
    expect(remembered).toEqual([testPeer(2), testPeer(3)].map((peer) => addressOf(peer).toString()))
    expect(dialled).toEqual([testPeer(2), testPeer(3)].map(String))
    await introductions.round()
    expect(dialled).toHaveLength(2)
    expect(asked).toHaveLength(1)
  })

  it('come back to who could not be reached, ever more rarely', async () => {
    const { introductions, clock, dialled } = setUp({ members: [testPeer(2)], refused: true })
    const counts: number[] = []
    for (let second = 0; second < 16; second++) {
      await introductions.round()
      counts.push(dialled.length)
      await clock.advance(1000)
    }
    expect(counts).toEqual([1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4])
  })

  it('leave light peers to those who can reach them', async () => {
    const [full, tab] = [testPeer(2), testPeer(300)]
    const { introductions, dialled, remembered } = setUp({ members: [full, tab], light: [tab] })
    await introductions.round()
    expect(dialled).toEqual([full.toString()])
    expect(remembered).toEqual([addressOf(full).toString()])
  })

  it('dial a few of many at a time, each in its turn', async () => {
    const members = Array.from({ length: 100 }, (_, index) => testPeer(index + 200))
    const { introductions, clock, dialled } = setUp({ members, refused: true })
    await introductions.round()
    expect(dialled).toHaveLength(16)
    for (let second = 0; second < 6; second++) {
      await clock.advance(1000)
      await introductions.round()
    }
    expect(new Set(dialled)).toEqual(new Set(members.map(String)))
  })

  it('have nobody to ask, and dial nobody, while nobody is near', async () => {
    const { introductions, dialled, asked } = setUp({ members: [testPeer(2)], isAlone: true })
    await introductions.round()
    expect([dialled, asked]).toEqual([[], []])
  })
})
