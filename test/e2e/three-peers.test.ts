/** The main job on real files: three peers as processes, each with its embedded store; replicate, lose one, repin, restart, unpin, read every byte back. */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createPeerProcess } from '../processes.ts'
import type { PeerProcess } from '../processes.ts'

const bigSize = 260 * 2 ** 20
const settings = { timeout: 120_000, interval: 500 }
const peers: PeerProcess[] = []
let files = ''
let treeCid = ''
let bigCid = ''

const peer = (index: number): PeerProcess => {
  const found = peers[index]
  if (found === undefined) throw new Error(`no peer ${index}`)
  return found
}
const digestOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
/** Path below `folder` to digest, for every file. */
const digestsBelow = async (folder: string): Promise<Record<string, string>> => {
  const digests: Record<string, string> = {}
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile()) digests[relative(folder, path)] = await digestOf(path)
  }
  return digests
}
const text = async (from: PeerProcess, ...args: string[]): Promise<string> => {
  const output = await from.ctl(...args)
  expect(output.code, `${args.join(' ')}: ${output.stdout.toString()}${output.stderr}`).toBe(0)
  return output.stdout.toString()
}
interface Status { readonly peer_map: Record<string, { readonly peername: string, readonly status: string }> }
const holders = async (from: PeerProcess, cid: string): Promise<string[]> => {
  const status = JSON.parse(await text(from, '--enc', 'json', 'status', cid)) as Status
  return Object.values(status.peer_map).filter((info) => info.status === 'pinned').map((info) => info.peername).toSorted()
}

beforeAll(async () => {
  files = await mkdtemp(join(tmpdir(), 'pinswarm-files-'))
  for (let i = 0; i < 300; i++) {
    const folder = join(files, 'tree', `d${i % 7}`, ...i % 3 === 0 ? [`deeper ${i % 5}`] : [])
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, `file ${i}.bin`), randomBytes(i * 37))
  }
  await writeFile(join(files, 'big'), randomBytes(bigSize))
  const secret = randomBytes(32).toString('hex')
  const env = { CLUSTER_DISABLEREPINNING: 'false', CLUSTER_REPLICATIONFACTORMIN: '2', CLUSTER_REPLICATIONFACTORMAX: '2' }
  for (const name of ['alpha', 'beta', 'gamma']) peers.push(await createPeerProcess({ name, secret, ipfs: 'helia', env }))
  await peer(0).start()
  const { addresses } = await (await fetch(`${peer(0).base}/id`)).json() as { addresses: string[] }
  await peer(1).start(['--bootstrap', addresses.find((address) => !address.includes('/ws')) ?? ''])
  await peer(2).start(['--bootstrap', addresses.find((address) => address.includes('/ws')) ?? ''])
  await vi.waitFor(async () => {
    for (const each of peers) {
      expect((await text(each, 'peers', 'ls')).match(/Sees 2 other peers/g)).toHaveLength(3)
      expect((await text(each, 'health', 'metrics', 'freespace')).trim().split('\n')).toHaveLength(3)
    }
  }, settings)
})

afterAll(async () => {
  await Promise.all(peers.map(async (each) => { await each.stop(); await each.remove() }))
  await rm(files, { recursive: true, force: true })
})

test('a tree and a big file are added, replicated twice and read back from every peer', async () => {
  treeCid = (await text(peer(0), 'add', '-r', '-Q', '--name', 'tree', join(files, 'tree'))).trim()
  bigCid = (await text(peer(1), 'add', '-Q', '--name', 'big', join(files, 'big'))).trim()
  for (const cid of [treeCid, bigCid]) await vi.waitFor(async () => { for (const each of peers) expect(await holders(each, cid)).toHaveLength(2) }, settings)
  const expected = await digestsBelow(join(files, 'tree'))
  expect(Object.keys(expected)).toHaveLength(300)
  for (const [index, each] of peers.entries()) {
    await text(each, 'get', treeCid, '-o', join(files, `tree from ${index}`))
    expect(await digestsBelow(join(files, `tree from ${index}`))).toEqual(expected)
    await text(each, 'get', bigCid, '-o', join(files, `big from ${index}`))
    expect(await digestOf(join(files, `big from ${index}`))).toBe(await digestOf(join(files, 'big')))
    await rm(join(files, `big from ${index}`))
  }
  expect(await text(peer(2), 'cat', `${treeCid}/d1/file 1.bin`).then((bytes) => bytes.length > 0)).toBe(true)
})

test('a killed member is replaced as a holder, and what it acknowledged is still there after its restart', async () => {
  const names = ['alpha', 'beta', 'gamma']
  const lost = names.indexOf((await holders(peer(0), bigCid)).find((name) => name !== 'alpha') ?? '')
  const late = (await text(peer(lost), 'add', '-Q', '--name', 'late', join(files, 'tree', 'd1', 'file 1.bin'))).trim()
  await peer(lost).stop('SIGKILL')
  const left = names.filter((_, index) => index !== lost).toSorted()
  await vi.waitFor(async () => { for (const cid of [treeCid, bigCid, late]) expect(await holders(peer(0), cid)).toEqual(left) }, settings)
  await peer(lost).start()
  await vi.waitFor(async () => {
    expect((await text(peer(lost), 'peers', 'ls')).match(/Sees 2 other peers/g)).toHaveLength(3)
    for (const each of peers) expect((await text(each, 'pin', 'ls')).trim().split('\n')).toHaveLength(3)
    for (const cid of [treeCid, bigCid, late]) expect(await holders(peer(lost), cid)).toEqual(left)
  }, settings)
  await text(peer(lost), 'get', bigCid, '-o', join(files, 'big again'))
  expect(await digestOf(join(files, 'big again'))).toBe(await digestOf(join(files, 'big')))
})

test('an unpin on one peer unpins everywhere', async () => {
  await text(peer(2), 'pin', 'rm', '--no-status', bigCid)
  await vi.waitFor(async () => {
    for (const each of peers) {
      expect(await text(each, 'pin', 'ls')).not.toContain(bigCid)
      expect(await holders(each, bigCid)).toEqual([])
    }
  }, settings)
})

test('a clean stop and start of all finds everything', async () => {
  for (const each of peers) await each.stop()
  for (const each of peers) await each.start()
  await vi.waitFor(async () => { for (const each of peers) expect(await holders(each, treeCid)).toHaveLength(2) }, settings)
  await text(peer(1), 'get', treeCid, '-o', join(files, 'tree after restart'))
  expect(await digestsBelow(join(files, 'tree after restart'))).toEqual(await digestsBelow(join(files, 'tree')))
})

test('the secret is in no log', async () => {
  const secret = (JSON.parse(await readFile(join(peer(0).folder, 'service.json'), 'utf8')) as { cluster: { secret: string } }).cluster.secret
  for (const each of peers) expect(each.log()).not.toContain(secret)
})
