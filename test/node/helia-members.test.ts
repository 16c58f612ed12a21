/** Content between members over the real private network: embedded IPFS to embedded IPFS, and both ways with a real kubo behind one of them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openHelia } from '../../node/ipfs/helia-node.ts'
import { nodeKuboPost } from '../../node/ipfs/kubo-post.ts'
import { createAdder } from '../../src/adder/unixfs.ts'
import { silentLogger } from '../../src/component.ts'
import { ContentExchange } from '../../src/exchange/content.ts'
import { readContent } from '../../src/ipfs/content-reader.ts'
import { HeliaConnector } from '../../src/ipfs/helia.ts'
import { KuboConnector } from '../../src/ipfs/kubo.ts'
import { withMembers } from '../../src/ipfs/with-members.ts'
import { defaultPinOptions, pinWith } from '../../src/pin/pin.ts'
import { collect, each } from '../contract/ipfs-connector.ts'
import { hasKubo, startKubo } from './kubo-daemon.ts'
import { newMember } from './network.ts'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { IpfsConnector } from '../../src/ipfs/ipfs.ts'
import type { NodeWithMeta } from '../../src/rpc/methods.ts'
import type { Libp2pTransport } from '../../src/transport/libp2p.ts'
import type { CID } from 'multiformats/cid'

interface Member { readonly transport: Libp2pTransport, readonly ipfs: IpfsConnector }

async function memberWith (open: () => Promise<IpfsConnector>): Promise<Member> {
  const transport = await newMember()
  await transport.start()
  const connector = await open()
  const content = new ContentExchange({ transport, logger: silentLogger, blocks: { get: (cid, options) => connector.blockGetLocal(cid, options) } })
  await content.start()
  if (connector instanceof HeliaConnector) connector.useMembers(content)
  onTestFinished(async () => { await content.stop(); await connector.stop(); await transport.stop() })
  return { transport, ipfs: connector instanceof HeliaConnector ? connector : withMembers({ connector, members: content, logger: silentLogger }) }
}

const heliaMember = () => memberWith(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-member-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return await openHelia(folder, { logger: silentLogger }, { pinTimeout: 20_000 })
})

const kuboMember = () => memberWith(async () => {
  const daemon = await startKubo()
  const { post, close } = nodeKuboPost()
  onTestFinished(async () => { close(); await daemon.stop() })
  return new KuboConnector(daemon.api, { logger: silentLogger }, { post, pinTimeout: 20_000 })
})

async function connected (one: Member, other: Member): Promise<void> {
  const [address] = other.transport.addresses()
  if (address === undefined) throw new Error('no address')
  await one.transport.connect(address)
}

/** Puts a file into one member's IPFS. */
async function add ({ ipfs, transport }: Member, bytes: Uint8Array): Promise<CID> {
  const take = async function * (args: AsyncIterable<NodeWithMeta>): AsyncGenerator<never> {
    yield * []
    await collect(ipfs.blockPutStream(args))
  }
  const adder = createAdder({ self: transport.peerId, logger: silentLogger, allocate: () => [transport.peerId], pin: async () => {}, rpc: { stream: (_peer, _method, args) => take(args as AsyncIterable<NodeWithMeta>) as never } })
  const objects = await collect(adder.add(each([{ kind: 'file', path: 'f', content: each([bytes]) }]), { pin: defaultPinOptions }))
  const root = objects.at(-1)?.cid
  if (root === undefined) throw new Error('nothing was added')
  return root
}

const someBytes = (length: number): Uint8Array => {
  const words = new Uint32Array(length / 4)
  for (let index = 0, state = 1; index < words.length; index++) words[index] = state = Math.imul(state, 1664525) + 1013904223
  return new Uint8Array(words.buffer)
}

async function expectContent ({ ipfs }: Member, cid: CID, bytes: Uint8Array): Promise<void> {
  const node = await readContent(`/ipfs/${cid}`, (block, options) => ipfs.blockGet(block, options))
  if (node.kind !== 'file') throw new Error('not a file')
  expect(Buffer.compare(Buffer.concat(await collect(node.content())), bytes)).toBe(0)
}

it('moves 64 MiB from one embedded IPFS to another', async () => {
  const [one, other] = [await heliaMember(), await heliaMember()]
  await connected(one, other)
  const bytes = someBytes(64 * 1024 * 1024)
  const root = await add(one, bytes)
  await other.ipfs.pin(pinWith(root))
  expect(await other.ipfs.pinStatus(pinWith(root))).toBe('recursive')
  await expectContent(other, root, bytes)
})

it('waits for a member that comes later', async () => {
  const [one, other] = [await heliaMember(), await heliaMember()]
  const root = await add(one, someBytes(1024 * 1024))
  const pinning = other.ipfs.pin(pinWith(root))
  await connected(one, other)
  await pinning
  await expectContent(other, root, someBytes(1024 * 1024))
})

describe.runIf(hasKubo)('with a real kubo', () => {
  it('pins in kubo what only an embedded IPFS has', async () => {
    const [helia, kubo] = [await heliaMember(), await kuboMember()]
    await connected(helia, kubo)
    const bytes = someBytes(8 * 1024 * 1024)
    const root = await add(helia, bytes)
    const progress: number[] = []
    await kubo.ipfs.pin(pinWith(root, { name: 'from helia' }), { onProgress: (blocks) => { progress.push(blocks) } })
    expect(await kubo.ipfs.pinStatus(pinWith(root))).toBe('recursive')
    await expectContent(kubo, root, bytes)
  })

  it('pins in an embedded IPFS what only kubo has', async () => {
    const [helia, kubo] = [await heliaMember(), await kuboMember()]
    await connected(helia, kubo)
    const bytes = someBytes(8 * 1024 * 1024)
    const root = await add(kubo, bytes)
    await helia.ipfs.pin(pinWith(root))
    await expectContent(helia, root, bytes)
  })
})
