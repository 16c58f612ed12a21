/** The ready-made peer as a library: `createNodePeer`. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createNodePeer } from '../../node/peer.ts'
import type { NodePeer, NodePeerOptions } from '../../node/peer.ts'
import type { Config } from '../../src/config/config.ts'
import type { AddEntry } from '../../src/adder/adder.ts'
import { freePort } from '../processes.ts'

const patience = { timeout: 30_000, interval: 100 }
let home = ''
let running: NodePeer[] = []
beforeEach(async () => { home = await mkdtemp(join(tmpdir(), 'pinswarm-peer-')) })
afterEach(async () => {
  await Promise.all(running.map(async (peer) => { await peer.stop() }))
  running = []
  await rm(home, { recursive: true, force: true })
})

const loopback = (config: Config, port: number): Config => ({ ...config, cluster: { ...config.cluster, secret: 'ab'.repeat(32), mdnsInterval: 0, monitorPingInterval: 1000, listenMultiaddress: [multiaddr(`/ip4/127.0.0.1/tcp/${port}`)] } })

async function open (name: string, options: NodePeerOptions & { readonly port?: number } = {}): Promise<NodePeer> {
  const port = options.port ?? 0
  const peer = await createNodePeer({ folder: join(home, name), restApi: false, configure: (config) => loopback(config, port), ...options })
  running.push(peer)
  return peer
}
async function start (name: string, options?: NodePeerOptions & { readonly port?: number }): Promise<NodePeer> {
  const peer = await open(name, options)
  await peer.start()
  await peer.ready()
  return peer
}
const file = (path: string, text: string): AddEntry => ({ kind: 'file', path, content: (async function * () { yield await Promise.resolve(new TextEncoder().encode(text)) })() })
async function addText (peer: NodePeer, text: string): Promise<CID> {
  let root: CID | undefined
  for await (const { cid } of peer.add([file('hello.txt', text)], { pin: { name: 'greeting' } })) root = cid ?? root
  if (root === undefined) throw new Error('nothing was added')
  return root
}
async function readText (peer: NodePeer, cid: CID): Promise<string> {
  const node = await peer.get(cid)
  if (node.kind !== 'file') throw new Error(`a ${node.kind}`)
  let text = ''
  for await (const chunk of node.content()) text += new TextDecoder().decode(chunk)
  return text
}
async function names (peer: NodePeer): Promise<string[]> {
  const found: string[] = []
  for await (const { name } of peer.pins()) found.push(name)
  return found
}

test('two peers share what one adds, and find it after a restart', async () => {
  const alpha = await start('alpha')
  const [address] = alpha.addresses()
  if (address === undefined) throw new Error('alpha has no address')
  const beta = await start('beta', { bootstrap: [address] })
  await vi.waitFor(async () => { for (const peer of [alpha, beta]) expect((await peer.cluster.id()).clusterPeers).toHaveLength(2) }, patience)
  const events: string[] = []
  beta.addEventListener('pin:added', ({ detail }) => { events.push(`added ${detail.name}`) })
  beta.addEventListener('pin:removed', ({ detail }) => { events.push(`removed ${detail.toString()}`) })

  const cid = await addText(alpha, 'hello from alpha')
  await vi.waitFor(async () => { expect([...(await beta.status(cid)).peerMap.values()].map(({ status }) => status)).toEqual(['pinned', 'pinned']) }, patience)
  expect(await readText(beta, cid)).toBe('hello from alpha')
  expect(events).toContain('added greeting')
  await beta.stop()

  const again = await start('beta')
  expect(await names(again)).toEqual(['greeting'])
  expect(await readText(again, cid)).toBe('hello from alpha')
  expect((await again.unpin(cid)).name).toBe('greeting')
  await vi.waitFor(async () => { expect(await names(alpha)).toEqual([]) }, patience)
})

test('a pin that is asked for by its CID, and its options', async () => {
  const peer = await start('alpha')
  const cid = await addText(peer, 'x')
  expect(await peer.pin(cid, { name: 'other', metadata: { a: '1' } })).toMatchObject({ name: 'other', metadata: { a: '1' } })
  expect(await names(peer)).toEqual(['other'])
  await expect(peer.unpin(CID.parse('bafkqaaa'))).rejects.toThrow('pin is not part of the pinset')
})

test('start and stop may be called twice; before the start there is no cluster', async () => {
  const peer = await open('alpha')
  expect(() => peer.cluster).toThrow('call start first')
  expect(peer.addresses()).toEqual([])
  await peer.start()
  await peer.start()
  await peer.stop()
  await peer.stop()
  expect(await readdir(join(home, 'alpha'))).not.toContain('cluster.lock')
})

test('a failed start undoes what it began', async () => {
  const port = await freePort()
  const alpha = await start('alpha', { port })
  const beta = await open('beta', { port })
  await expect(beta.start()).rejects.toThrow(/cluster\.listen_multiaddress: .* already in use/)
  expect(await readdir(join(home, 'beta'))).not.toContain('cluster.lock')
  await alpha.stop()
  const again = await start('beta', { port })
  expect(again.addresses().map(String)).toEqual([`/ip4/127.0.0.1/tcp/${port}/p2p/${again.peerId.toString()}`])
})

test('a second peer of one folder is refused', async () => {
  await start('alpha')
  await expect((await open('alpha')).start()).rejects.toMatchObject({ name: 'FolderLockedError' })
})

test('the REST API when it is wanted', async () => {
  const port = await freePort()
  const peer = await open('alpha', { restApi: true, configure: (config) => {
    const base = loopback(config, 0)
    return { ...base, api: { restapi: base.api.restapi === undefined ? undefined : { ...base.api.restapi, httpListenMultiaddress: [multiaddr(`/ip4/127.0.0.1/tcp/${port}`)] } } }
  } })
  await peer.start()
  expect(peer.restAddresses()).toEqual([`/ip4/127.0.0.1/tcp/${port}`])
  expect((await fetch(`http://127.0.0.1:${port}/version`)).status).toBe(200)
  await peer.stop()
  await expect(fetch(`http://127.0.0.1:${port}/version`)).rejects.toThrow()
})
