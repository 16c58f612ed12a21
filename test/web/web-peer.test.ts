/** The peer of a tab without any network: what its profile keeps, and who runs it. */
import { multiaddr } from '@multiformats/multiaddr'
import { createWebPeer, decodeJoinLink, joinedBefore, LeftError, NotJoinedError, OtherClusterError, SecretNeededError } from '../../web/index.ts'
import type { JoinLink, WebPeer, WebPeerOptions } from '../../web/index.ts'
import { checkPage, UnsupportedPageError } from '../../web/errors.ts'
import { deleteDatabase } from '../../web/store/database.ts'
import { expect, it, onTestFinished } from 'vitest'

const newStore = (): string => `test-peer-${crypto.randomUUID()}`
const secretOf = (digit: string): string => digit.repeat(64)
const link = (change: Partial<JoinLink> = {}): JoinLink => ({
  // Nobody listens there.
  addresses: [multiaddr('/ip4/127.0.0.1/tcp/1/ws/p2p/12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X')],
  clusterName: 'ipfs-cluster', secret: secretOf('a'), role: 'member', trustedPeers: '*', allowLightPeers: false, ...change
})

async function create (options: WebPeerOptions): Promise<WebPeer> {
  const peer = await createWebPeer(options)
  onTestFinished(async () => { await peer.stop() })
  return peer
}

const cid = 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn'
async function pinsOf (peer: WebPeer): Promise<readonly string[]> {
  const cids: string[] = []
  for await (const pin of peer.client.pins()) cids.push(pin.cid.toString())
  return cids
}
const failureOf = async (peer: WebPeer): Promise<Error> => await new Promise((resolve) => { peer.addEventListener('peer:failed', ({ detail }) => { resolve(detail) }) })
const databases = async (store: string): Promise<readonly string[]> => (await indexedDB.databases()).flatMap(({ name = '' }) => name.startsWith(store) ? [name] : [])

it('keeps who it is, its name and what it joined; the secret only where that is wanted', async () => {
  const store = newStore()
  await expect(createWebPeer({ store })).rejects.toThrow(NotJoinedError)
  await expect(createWebPeer({ store, join: link({ secret: undefined }) })).rejects.toThrow(SecretNeededError)
  const [first, second] = await Promise.all([create({ store, join: link(), name: 'red' }), create({ store, join: link() })])
  expect(first.peerId.equals(second.peerId)).toBe(true)
  expect(first.joined).not.toHaveProperty('secret')
  const again = await create({ store })
  expect(again.peerId.equals(first.peerId)).toBe(true)
  await again.start()
  expect((await again.client.id()).peerName).toBe('red')
  await again.stop()

  expect(await joinedBefore(store)).toMatchObject({ hasSecret: true, link: { clusterName: 'ipfs-cluster' } })
  await create({ store, join: link(), keepSecret: false })
  expect(await joinedBefore(store)).toMatchObject({ hasSecret: false })
  await expect(createWebPeer({ store })).rejects.toThrow(SecretNeededError)
  await create({ store, secret: secretOf('a') })
})

it('never mixes the pinsets of two clusters', async () => {
  const store = newStore()
  const one = await create({ store, join: link() })
  await one.start()
  await one.client.pin(cid)
  await one.stop()
  const two = await create({ store, join: link({ secret: secretOf('b') }) })
  await two.start()
  expect(await pinsOf(two)).toEqual([])
  await two.stop()
  const back = await create({ store, join: link() })
  await back.start()
  expect(await pinsOf(back)).toEqual([cid])
})

it('is one peer in two pages: the second uses the first, and takes over with the same client', async () => {
  const store = newStore()
  const first = await create({ store, join: link() })
  const second = await create({ store })
  const roles: string[] = []
  second.addEventListener('role:changed', ({ detail }) => { roles.push(detail) })
  await first.start()
  await second.start()
  expect([first.role, second.role]).toEqual(['leader', 'follower'])
  const { client } = second
  await client.pin(cid)
  expect(await pinsOf(first)).toEqual([cid])
  expect(decodeJoinLink((await client.invite()).fragment)).toEqual(link())

  const events: string[] = []
  const listening = (async () => { for await (const { type } of client.events({ types: ['pin:removed'] })) events.push(type) })()
  const outcome = listening.then(() => 'ended', String)
  await expect.poll(async () => {
    await client.pin(cid)
    await first.client.unpin(cid)
    return events.length
  }).toBeGreaterThan(0)
  await client.pin(cid)

  await first.stop()
  expect(await pinsOf(second)).toEqual([cid])
  await expect.poll(() => roles).toEqual(['follower', 'leader'])
  expect(await outcome).toMatch(/ended|closed in the middle/)
  expect(second.client).toBe(client)
  expect((await client.id()).id.equals(first.peerId)).toBe(true)
  await expect(first.client.id()).rejects.toThrow('stopped')
})

it('stops while it starts, and leaves the lock to the next', async () => {
  const store = newStore()
  const peer = await create({ store, join: link() })
  const starting = peer.start().then(() => 'started', String)
  await peer.stop()
  expect(await starting).toMatch(/started|stopped/)
  expect(peer.role).toBe('stopped')
  const next = await create({ store })
  await next.start()
  expect(next.role).toBe('leader')
})

it('waits for a member as long as it is told, and no longer than it lives', async () => {
  const peer = await create({ store: newStore(), join: link() })
  await peer.start()
  await expect(peer.connected({ signal: AbortSignal.timeout(50) })).rejects.toThrow()
  const waiting = expect(peer.connected()).rejects.toThrow('stopped')
  await peer.stop()
  await waiting
})

it('a page of another cluster does not use this one', async () => {
  const store = newStore()
  const one = await create({ store, join: link() })
  await one.start()
  const other = await create({ store, join: link({ secret: secretOf('b') }) })
  const failure = failureOf(other)
  await other.start()
  expect(await failure).toBeInstanceOf(OtherClusterError)
  expect([one.role, other.role]).toEqual(['leader', 'stopped'])
})

it('leaves nothing behind when it leaves, whichever page says so', async () => {
  const store = newStore()
  const one = await create({ store, join: link() })
  const two = await create({ store })
  await one.start()
  await two.start()
  expect(await databases(store)).toHaveLength(4)
  const failure = failureOf(one)
  await two.leave()
  expect(await failure).toBeInstanceOf(LeftError)
  expect([one.role, two.role]).toEqual(['stopped', 'stopped'])
  expect(await databases(store)).toEqual([])
  await expect(createWebPeer({ store })).rejects.toThrow(NotJoinedError)
})

it('ends and says so when a database is deleted under it; then it joins afresh', async () => {
  const store = newStore()
  const peer = await create({ store, join: link() })
  await peer.start()
  const failure = failureOf(peer)
  const [state = ''] = (await databases(store)).filter((name) => name.endsWith('-state'))
  await deleteDatabase(state)
  expect((await failure).message).toContain('is gone')
  expect(peer.role).toBe('stopped')
  const again = await create({ store })
  await again.start()
  expect(again.role).toBe('leader')
})

it('names what a page lacks', () => {
  checkPage()
  const bare = { isSecureContext: false, navigator: {}, crypto: {}, indexedDB, WebSocket, BroadcastChannel } as unknown as typeof globalThis
  expect(() => { checkPage(bare) }).toThrow(UnsupportedPageError)
  expect(() => { checkPage(bare) }).toThrow(/Web Locks, Web Crypto.*https or on localhost/)
})
