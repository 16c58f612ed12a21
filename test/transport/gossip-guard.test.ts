import { expect, it, vi } from 'vitest'
import { silentLogger } from '../../src/component.ts'
import { GossipGuard } from '../../src/transport/gossip-guard.ts'
import { ManualClock, testPeer } from '../contract/values.ts'
import type { GossipSub } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'

interface Handled { readonly from: PeerId, readonly messages: ReadonlyArray<{ readonly topic: string }>, readonly subscriptions?: unknown, readonly control?: { readonly prune: ReadonlyArray<{ readonly peers: unknown[], readonly backoff?: number }> } }

/** The parts of gossipsub that the guard is put around. */
function open () {
  const clock = new ManualClock()
  const handled: Handled[] = []
  const penalties: Array<readonly [string, number]> = []
  const inner = {
    createInboundStream: () => {},
    pipePeerReadStream: async () => {},
    handleReceivedRpc: async (from: PeerId, rpc: Omit<Handled, 'from'>) => { handled.push({ from, ...rpc }) },
    mcache: { msgs: new Map(), put: () => true, shift: () => {} },
    seenCache: { entries: new Map(), put: () => false },
    score: { rejectInvalidMessage: (_from: string, _topic: string) => {} }
  }
  const guard = new GossipGuard(inner as unknown as GossipSub, { clock, log: silentLogger.forComponent('test'), isSubscribed: (topic) => topic === 'ours', penalize: (peer, _offence, points) => { penalties.push([peer.toString(), points]) } })
  const receive = inner.handleReceivedRpc as unknown as (from: PeerId, rpc: object) => Promise<void>
  const messages = (count: number, topic = 'ours') => Array.from({ length: count }, () => ({ topic }))
  const checked = (): number => handled.reduce((sum, rpc) => sum + rpc.messages.length, 0)
  return { clock, inner, guard, handled, penalties, receive, messages, checked }
}

it('does not begin without what it has to guard', () => {
  expect(() => new GossipGuard({ mcache: {} } as unknown as GossipSub, { clock: new ManualClock(), log: silentLogger.forComponent('test'), isSubscribed: () => true, penalize: () => {} })).toThrow('hides createInboundStream')
})

it('lets a neighbour bring so much at once, and the rest as time passes; another one is not held up', async () => {
  const { clock, guard, receive, messages, checked } = open()
  const flood = receive(testPeer(1), { messages: messages(12_000) })
  await vi.waitFor(async () => {
    await clock.advance(0)
    expect(checked()).toBeGreaterThanOrEqual(9_900)
  })
  expect(checked()).toBeLessThanOrEqual(10_064)
  const before = checked()
  const other = receive(testPeer(2), { messages: messages(10) })
  await clock.advance(0)
  await other
  expect(checked()).toBe(before + 10)
  let done = false
  void flood.then(() => { done = true })
  for (let turn = 0; turn < 1000 && !done; turn++) await clock.advance(20)
  expect(checked()).toBe(12_010)
  guard.stop()
})

it('drops what is not for us before it is checked, and remembers who brought it', async () => {
  const { receive, messages, checked, penalties } = open()
  await receive(testPeer(1), { messages: [...messages(5, 'theirs'), ...messages(2)] })
  expect(checked()).toBe(2)
  expect(penalties).toEqual([[testPeer(1).toString(), 3]])
})

it('blames the neighbour for a false signature', () => {
  const { inner, penalties } = open()
  inner.score.rejectInvalidMessage(testPeer(1).toString(), 'ours')
  expect(penalties).toEqual([[testPeer(1).toString(), 2]])
})

it('takes so many of an author, whoever brings them, and forgets authors beyond a number', async () => {
  const { clock, guard } = open()
  const author = testPeer(1)
  let taken = 0
  for (let number = 0; number < 25_000; number++) if (guard.allows(author)) taken++
  expect(taken).toBe(20_000)
  expect(guard.allows(testPeer(2))).toBe(true)
  await clock.advance(1000)
  expect(guard.allows(testPeer(1))).toBe(true)
  for (let number = 0; number < 5000; number++) guard.allows(testPeer(number))
  expect(guard.size).toBe(4096)
})

it('dials few of those that a neighbour names, and does not stay out of its mesh for ever', async () => {
  const { receive, handled } = open()
  const prune = Array.from({ length: 1000 }, () => ({ topicID: 'ours', peers: Array.from({ length: 16 }, () => ({})), backoff: 1e9 }))
  for (let times = 0; times < 10; times++) {
    await receive(testPeer(1), { messages: [], control: { prune } })
    await Promise.resolve()
  }
  const pruned = handled.flatMap(({ control }) => control?.prune ?? [])
  expect(pruned).toHaveLength(10)
  expect(pruned.reduce((sum, { peers }) => sum + peers.length, 0)).toBeLessThanOrEqual(16)
  expect(pruned.every(({ backoff }) => backoff === 3600)).toBe(true)
})
