import { silentLogger } from '../../src/component.ts'
import { contentProtocol } from '../../src/exchange/content-frames.ts'
import { ContentExchange } from '../../src/exchange/content.ts'
import { MemoryConnector } from '../../src/ipfs/memory.ts'
import { createMemoryNetwork } from '../../src/transport/memory.ts'
import { rawBlock } from '../contract/ipfs-connector.ts'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { ContentOptions } from '../../src/exchange/content.ts'
import type { Transport } from '../../src/transport/transport.ts'

interface Member { readonly transport: Transport, readonly ipfs: MemoryConnector, readonly content: ContentExchange }

const newPeerId = async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))

async function members (count: number, options: ContentOptions = {}): Promise<{ readonly members: readonly Member[], readonly plain: Transport }> {
  const network = createMemoryNetwork()
  const made: Member[] = []
  const plain = network.join(await newPeerId())
  await plain.start()
  for (let index = 0; index < count; index++) {
    const transport = network.join(await newPeerId())
    await transport.start()
    const ipfs = new MemoryConnector()
    const content = new ContentExchange({ transport, blocks: { get: (cid) => ipfs.blockGetLocal(cid) }, logger: silentLogger }, { retryInterval: 10, ...options })
    await content.start()
    made.push({ transport, ipfs, content })
  }
  await network.connectAll()
  onTestFinished(async () => {
    for (const { content, transport } of made) { await content.stop(); await transport.stop() }
    await plain.stop()
  })
  return { members: made, plain }
}

const at = (list: readonly Member[], index: number): Member => {
  const member = list[index]
  if (member === undefined) throw new Error(`no member ${index}`)
  return member
}

it('finds a block with whoever has it, beside members that do not speak the protocol', async () => {
  const { members: all } = await members(4)
  const block = await rawBlock('with the last one')
  at(all, 3).ipfs.addBlock(block)
  expect(await at(all, 0).content.fetchNow(block.cid)).toEqual(block.bytes)
})

it('asks the named member first, and keeps to who had the last block', async () => {
  const { members: all } = await members(3)
  const [first, second] = [await rawBlock('first'), await rawBlock('second')]
  for (const { ipfs } of [at(all, 1), at(all, 2)]) { ipfs.addBlock(first); ipfs.addBlock(second) }
  await at(all, 0).content.fetch(first.cid, { from: [at(all, 2).transport.peerId] })
  await at(all, 0).content.fetch(second.cid)
  expect(at(all, 2).ipfs.calls).toHaveLength(2)
  expect(at(all, 1).ipfs.calls).toHaveLength(0)
})

it('says that nobody has a block, and waits for it when asked to', async () => {
  const { members: all } = await members(3)
  const block = await rawBlock('comes later')
  expect(await at(all, 0).content.fetchNow(block.cid)).toBeUndefined()
  const waiting = at(all, 0).content.fetch(block.cid)
  await vi.waitFor(() => { expect(at(all, 1).ipfs.calls.length).toBeGreaterThan(2) })
  at(all, 1).ipfs.addBlock(block)
  expect(await waiting).toEqual(block.bytes)
})

it('gives up when the signal fires', async () => {
  const { members: all } = await members(2)
  const controller = new AbortController()
  const waiting = at(all, 0).content.fetch((await rawBlock('never')).cid, { signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
})

it('carries thousands of blocks asked for at the same time', async () => {
  const { members: all } = await members(2)
  const blocks = await Promise.all(Array.from({ length: 2000 }, (_, index) => rawBlock(`block ${index} `.repeat(50))))
  for (const block of blocks) at(all, 1).ipfs.addBlock(block)
  const fetched = await Promise.all(blocks.map(({ cid }) => at(all, 0).content.fetch(cid)))
  expect(fetched).toEqual(blocks.map(({ bytes }) => bytes))
})

it('takes a block of 4 MiB, and refuses a bigger one', async () => {
  const { members: all } = await members(2)
  const biggest = await rawBlock('x'.repeat(4 * 1024 * 1024))
  const bigger = await rawBlock('x'.repeat(4 * 1024 * 1024 + 1))
  for (const block of [biggest, bigger]) at(all, 1).ipfs.addBlock(block)
  expect((await at(all, 0).content.fetch(biggest.cid)).length).toBe(4 * 1024 * 1024)
  expect(await at(all, 0).content.fetchNow(bigger.cid)).toBeUndefined()
})

it('throws away what does not match, and asks the next', async () => {
  const { members: all } = await members(3)
  const block = await rawBlock('true')
  at(all, 1).ipfs.addBlock({ cid: block.cid, bytes: new TextEncoder().encode('false') })
  at(all, 2).ipfs.addBlock(block)
  const from = [at(all, 1).transport.peerId]
  expect(await at(all, 0).content.fetchNow(block.cid, { from })).toEqual(block.bytes)
  const calls = at(all, 1).ipfs.calls.length
  expect(await at(all, 0).content.fetchNow(block.cid, { from })).toEqual(block.bytes)
  expect(at(all, 1).ipfs.calls).toHaveLength(calls)
})

it('does not wait for ever for a member that says nothing', async () => {
  const { members: all, plain } = await members(2, { answerTimeout: 500 })
  await plain.handle(contentProtocol, () => {})
  const block = await rawBlock('from the other one')
  at(all, 1).ipfs.addBlock(block)
  expect(await at(all, 0).content.fetchNow(block.cid, { from: [plain.peerId] })).toEqual(block.bytes)
})

it('survives answers that are no answers', async () => {
  const { members: all, plain } = await members(2)
  const block = await rawBlock('among noise')
  at(all, 1).ipfs.addBlock(block)
  await plain.handle(contentProtocol, (stream) => { stream.write(Uint8Array.of(255, 255, 255, 255, 1, 2, 3)).catch(() => {}) })
  expect(await at(all, 0).content.fetchNow(block.cid, { from: [plain.peerId] })).toEqual(block.bytes)
})

it('ends the stream of an asker that sends nonsense', async () => {
  const { members: all, plain } = await members(1)
  const stream = await plain.openStream(at(all, 0).transport.peerId, contentProtocol)
  await stream.write(Uint8Array.of(0, 0, 0, 2, 9, 9))
  await vi.waitFor(() => { expect(stream.closed.aborted).toBe(true) })
})

it('opens a new stream after an idle one was closed', async () => {
  const { members: all } = await members(2, { idleTimeout: 5 })
  const blocks = [await rawBlock('before'), await rawBlock('after')] as const
  for (const block of blocks) at(all, 1).ipfs.addBlock(block)
  const opened = vi.spyOn(at(all, 0).transport, 'openStream')
  await at(all, 0).content.fetch(blocks[0].cid, { from: [at(all, 1).transport.peerId] })
  const stream = await opened.mock.results[0]?.value as Awaited<ReturnType<Transport['openStream']>>
  await vi.waitFor(() => { expect(stream.closed.aborted).toBe(true) })
  expect(await at(all, 0).content.fetchNow(blocks[1].cid)).toEqual(blocks[1].bytes)
})
