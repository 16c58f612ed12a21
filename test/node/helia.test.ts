/** The embedded IPFS on a real disk; with a real kubo beside it where there is an `ipfs` in PATH. */
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileBlocks } from '../../node/ipfs/file-blocks.ts'
import { openHelia } from '../../node/ipfs/helia-node.ts'
import { nodeKuboPost } from '../../node/ipfs/kubo-post.ts'
import { silentLogger } from '../../src/component.ts'
import { blockKey } from '../../src/ipfs/block-storage.ts'
import { KuboConnector } from '../../src/ipfs/kubo.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { collect, ipfsConnectorContract, nodeBlock, putAll, rawBlock, sampleDag } from '../contract/ipfs-connector.ts'
import { hasKubo, startKubo } from './kubo-daemon.ts'
import { multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { HeliaConnector } from '../../src/ipfs/helia.ts'
import type { KuboDaemon } from './kubo-daemon.ts'

const log = silentLogger.forComponent('test')

async function newFolder (): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-helia-'))
  onTestFinished(async () => { await rm(folder, { recursive: true, force: true }) })
  return folder
}

const open = async (folder: string, options: Parameters<typeof openHelia>[2] = {}): Promise<HeliaConnector> => {
  const connector = await openHelia(folder, { logger: silentLogger }, { pinTimeout: 300, ...options })
  onTestFinished(() => connector.stop())
  return connector
}

ipfsConnectorContract('helia on disk', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-helia-'))
  const connector = await openHelia(folder, { logger: silentLogger }, { pinTimeout: 300 })
  return { connector, close: async () => { await connector.stop(); await rm(folder, { recursive: true, force: true }) } }
})

it('finds identity, blocks, pins and size again', async () => {
  const folder = await newFolder()
  const before = await open(folder)
  const { root, blocks } = await sampleDag('again')
  await putAll(before, blocks)
  await before.pin(pinWith(root.cid))
  const [id, stat] = [await before.id(), await before.repoStat()]
  await before.stop()
  await before.stop()
  const after = await open(folder)
  expect(String((await after.id()).id)).toBe(String(id.id))
  expect(await after.repoStat()).toEqual(stat)
  expect(await after.pinStatus(pinWith(root.cid))).toBe('recursive')
  for (const { cid, bytes } of blocks) expect(await after.blockGetLocal(cid)).toEqual(bytes)
})

it('counts what is there when it was not closed in order', async () => {
  const folder = await newFolder()
  const before = await FileBlocks.open(folder, 1_000_000n, log)
  const blocks = await Promise.all([1, 2, 3].map((index) => rawBlock(`count ${index}`)))
  for (const block of blocks) await before.put(block)
  await writeFile(join(folder, '1-0.tmp'), 'half written')
  await new Promise((resolve) => { setTimeout(resolve, 5) })
  const after = await FileBlocks.open(folder, 1_000_000n, log)
  expect(await after.size()).toBe(await before.size())
  expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  expect((await collect(after.all())).map(String).sort()).toEqual(blocks.map(({ cid }) => cid.toString()).sort())
  await after.close()
})

it('takes a torn file for a missing block, and fetches it anew', async () => {
  const folder = await newFolder()
  const block = await rawBlock('torn '.repeat(100))
  const ipfs = await openHelia(folder, { logger: silentLogger, members: { fetchNow: async () => block.bytes, fetch: async () => block.bytes } })
  onTestFinished(() => ipfs.stop())
  await putAll(ipfs, [block])
  const key = blockKey(block.cid)
  const file = join(folder, 'blocks', key.slice(-3, -1), key)
  await truncate(file, 100)
  expect(await ipfs.blockGetLocal(block.cid)).toBeUndefined()
  await ipfs.pin(pinWith(block.cid))
  expect(new Uint8Array(await readFile(file))).toEqual(block.bytes)
})

it('stops at StorageMax', async () => {
  const ipfs = await open(await newFolder(), { storageMax: 1000n })
  await expect(putAll(ipfs, [await rawBlock('a'.repeat(600)), await rawBlock('b'.repeat(600))])).rejects.toThrow('StorageMax 1000 bytes')
})

it('keeps what it acknowledged when it is killed', async () => {
  const folder = await newFolder()
  const script = join(import.meta.dirname, 'helia-writer.ts')
  const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => { child.kill('SIGKILL') })
  const exited = Promise.withResolvers<void>()
  child.once('exit', () => { exited.resolve() })
  let output = ''
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    output += chunk.toString()
    if (output.split('\n').length > 200) break
  }
  child.kill('SIGKILL')
  await exited.promise
  const acknowledged = output.split('\n').slice(0, -1).map((line) => CID.parse(line))
  expect(acknowledged.length).toBeGreaterThanOrEqual(200)
  const ipfs = await open(folder)
  for (const cid of acknowledged) {
    expect(await ipfs.pinStatus(pinWith(cid))).toBe('recursive')
    expect(await ipfs.blockGetLocal(cid)).toBeDefined()
  }
})

it('counts every block of a wide DAG while it pins', async () => {
  const ipfs = await open(await newFolder(), { pinTimeout: 60_000 })
  const leaves = await Promise.all(Array.from({ length: 1000 }, (_, index) => rawBlock(`leaf ${index} `.repeat(100))))
  const root = await nodeBlock(leaves)
  await putAll(ipfs, [...leaves, root])
  let blocks = 0
  await ipfs.pin(pinWith(root.cid), { onProgress: (count) => { blocks = count } })
  expect(blocks).toBe(1001)
})

describe.runIf(hasKubo)('beside a real kubo', () => {
  let daemon: KuboDaemon
  let kubo: KuboConnector
  const { post, close } = nodeKuboPost()
  beforeAll(async () => {
    daemon = await startKubo()
    kubo = new KuboConnector(daemon.api, { logger: silentLogger }, { post })
  })
  afterAll(async () => { await kubo.stop(); close(); await daemon.stop() })
  const kuboAddress = async () => multiaddr(`/ip4/127.0.0.1/tcp/${daemon.ports.swarm}/p2p/${(await kubo.id()).id}`)

  it('fetches from the kubo that a member announces', async () => {
    const { root, blocks } = await sampleDag('in kubo')
    await putAll(kubo, blocks)
    const address = await kuboAddress()
    const ipfs = await open(await newFolder(), { pinTimeout: 20_000, sources: () => [address] })
    await ipfs.pin(pinWith(root.cid))
    for (const { cid, bytes } of blocks) expect(await ipfs.blockGetLocal(cid)).toEqual(bytes)
    expect((await ipfs.swarmPeers()).map(String)).toEqual([String((await kubo.id()).id)])
    expect((await kubo.swarmPeers()).map(String)).toEqual([String((await ipfs.id()).id)])
  })

  it('fetches from the origin of a pin, and lets that kubo fetch from it', async () => {
    const { root, blocks } = await sampleDag('origin')
    await putAll(kubo, blocks)
    const ipfs = await open(await newFolder(), { pinTimeout: 20_000 })
    await ipfs.pin(pinWith(root.cid, { origins: [await kuboAddress()] }))
    const back = await sampleDag('the other way')
    await putAll(ipfs, back.blocks)
    await kubo.pin(pinWith(back.root.cid))
    for (const { cid, bytes } of back.blocks) expect(await kubo.blockGetLocal(cid)).toEqual(bytes)
  })
})
