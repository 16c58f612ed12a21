import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { stopAll, type Logger } from '../../src/component.ts'
import { Allowance } from '../../src/allowance.ts'
import { HeldBytes } from '../../src/held-bytes.ts'
import { createMemoryNetwork } from '../../src/transport/memory.ts'
import { Misconduct } from '../../src/transport/misconduct.ts'
import { testPeer } from '../contract/values.ts'
import type { PeerId } from '@libp2p/interface'

const minute = 60_000
const nothing = (): void => {}

function keep () {
  let now = 0
  const lines: unknown[][] = []
  const refused: string[] = []
  const log: Logger = { debug: nothing, info: nothing, error: nothing, warn: (_message, ...values) => { lines.push(values) } }
  const misconduct = new Misconduct({ log, now: () => now, onRefused: (peer) => { refused.push(peer.toString()) } })
  return { misconduct, lines, refused, pass: (ms: number) => { now += ms } }
}

it('refuses a peer with too many points once, for longer each time, and tells the log', () => {
  const { misconduct, lines, refused, pass } = keep()
  for (let times = 0; times < 30; times++) misconduct.report(testPeer(1), 'noise', 5)
  expect(refused).toEqual([testPeer(1).toString()])
  expect(lines).toEqual([[testPeer(1).toString(), 'noise', 60, '']])
  pass(minute)
  expect(misconduct.isRefused(testPeer(1))).toBe(false)
  misconduct.report(testPeer(1), 'noise', 100)
  pass(minute)
  expect(misconduct.isRefused(testPeer(1))).toBe(true)
  expect(misconduct.isRefused(testPeer(2))).toBe(false)
  pass(minute)
  expect(misconduct.isRefused(testPeer(1))).toBe(false)
})

it('forgets points with time', () => {
  const { misconduct, refused, pass } = keep()
  for (let times = 0; times < 100; times++) {
    misconduct.report(testPeer(1), 'a slip', 20)
    pass(minute)
  }
  expect(refused).toEqual([])
})

it('remembers so many peers only, and writes so many lines only', () => {
  const { misconduct, lines, refused, pass } = keep()
  for (let number = 0; number < 10_000; number++) misconduct.report(testPeer(number), 'noise', 100)
  expect(refused).toHaveLength(10_000)
  expect(misconduct.size).toBe(4096)
  expect(lines).toHaveLength(10)
  pass(minute)
  misconduct.report(testPeer(0), 'noise', 100)
  expect(lines.at(-1)?.at(-1)).toContain('9990 others')
})

it('an allowance gives what it has, and no more than its rate', () => {
  const steps = fc.array(fc.tuple(fc.nat(500), fc.integer({ min: 1, max: 20 })), { minLength: 1, maxLength: 100 })
  fc.assert(fc.property(steps, (list) => {
    let now = 0
    const allowance = new Allowance({ perSecond: 10, atOnce: 20 }, () => now)
    let given = 0
    for (const [wait, amount] of list) {
      now += wait
      if (allowance.take(amount)) given += amount
    }
    expect(given).toBeLessThanOrEqual(20 + now / 100 + 1e-6)
  }))
})

it('counts bytes that are held by peer and by all, and forgets both', () => {
  const held = new HeldBytes({ perPeer: 10, all: 15 })
  held.hold(testPeer(1), 10)
  held.hold(testPeer(2), 5)
  expect(() => { held.hold(testPeer(2), 1) }).toThrow('too much')
  held.hold(testPeer(2), -6)
  expect(() => { held.hold(testPeer(1), 1) }).toThrow('too much')
  held.hold(testPeer(1), -11)
  expect(held.all).toBe(0)
})

it('cuts the connection, takes no new one and no broadcast of who is refused, and goes on with the others', async () => {
  const network = createMemoryNetwork()
  const members = [1, 2, 3].map((number) => network.join(testPeer(number)))
  onTestFinished(() => stopAll(members))
  for (const member of members) await member.start()
  await network.connectAll()
  const [evil, one, other] = members
  if (evil === undefined || one === undefined || other === undefined) throw new Error('three members')
  const names = (peers: readonly PeerId[]): string[] => peers.map(String)
  const heard: string[] = []
  one.pubsub.subscribe('topic', ({ from }) => { heard.push(from.toString()) })
  other.pubsub.subscribe('topic', () => {})
  one.penalize(evil.peerId, 'noise', 100)
  expect(names(one.connectedPeers())).toEqual([other.peerId.toString()])
  await expect(evil.connect(one.peerId)).rejects.toMatchObject({ name: 'DialError' })
  await expect(one.connect(evil.peerId)).rejects.toMatchObject({ name: 'DialError' })
  // The other one still takes what it says, and passes it on.
  await evil.pubsub.publish('topic', Uint8Array.of(1))
  await other.pubsub.publish('topic', Uint8Array.of(2))
  await network.settled()
  expect(heard).toEqual([other.peerId.toString()])
})
