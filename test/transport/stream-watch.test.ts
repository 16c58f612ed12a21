import { expect, it } from 'vitest'
import { StreamWatch } from '../../src/transport/stream-watch.ts'
import { testPeer } from '../contract/values.ts'
import type { Connection, Stream } from '@libp2p/interface'

interface Fake { readonly peer: number, readonly unread?: number, readonly unsent?: number, readonly streams?: number }

function watch (fakes: readonly Fake[]) {
  const aborted: number[] = []
  const penalties: Array<readonly [number, string, number]> = []
  const connections = fakes.map(({ peer, unread = 0, unsent = 0, streams = 1 }, index) => ({
    remotePeer: testPeer(peer),
    streams: Array.from({ length: streams }, () => ({ direction: 'inbound', readBufferLength: unread / streams, writeBufferLength: unsent / streams }) as Stream),
    abort: () => { aborted.push(index) }
  }) as unknown as Connection)
  const numbers = new Map(fakes.map(({ peer }) => [testPeer(peer).toString(), peer]))
  new StreamWatch({
    connections: () => connections,
    penalize: (peer, offence, points) => { penalties.push([numbers.get(peer.toString()) ?? 0, offence, points]) }
  }, { bytesPerPeer: 100, bytes: 250, streamsPerPeer: 10, connectionsPerPeer: 2 }).look()
  return { aborted, guilty: penalties.filter(([, , points]) => points >= 100).map(([peer]) => peer), penalties }
}

it('lets be who stays within its limits', () => {
  expect(watch([{ peer: 1, unread: 60, unsent: 40 }, { peer: 2, unread: 100 }, { peer: 3, unread: 50, streams: 10 }]).penalties).toEqual([])
})

it('disconnects who makes us hold too much, on whatever connections and in whichever direction', () => {
  expect(watch([{ peer: 1, unread: 60 }, { peer: 2, unread: 99 }, { peer: 1, unsent: 41 }]).guilty).toEqual([1])
})

it('of many that hold much together those with most of it go, until it is enough', () => {
  expect(watch([{ peer: 1, unread: 40 }, { peer: 2, unread: 90 }, { peer: 3, unread: 95 }, { peer: 4, unread: 80 }]).guilty).toEqual([3])
})

it('disconnects who opens too many streams, and closes the newest of too many connections', () => {
  const { guilty, aborted } = watch([{ peer: 1, streams: 11 }, { peer: 2 }, { peer: 2 }, { peer: 2 }, { peer: 3 }])
  expect(guilty).toEqual([1])
  expect(aborted).toEqual([3])
})

it('looks when something comes, four times a second at most', () => {
  let [now, looks] = [0, 0]
  const watching = new StreamWatch({ connections: () => { looks++; return [] }, penalize: () => {}, now: () => now })
  for (; now < 1000; now += 10) watching.touch()
  expect(looks).toBe(4)
})
