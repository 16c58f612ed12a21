/** What ordinary trouble does to a running peer: content that nobody has, a disk that is full. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openLevelStore } from '../../node/store/level-store.ts'
import { testCid } from '../contract/values.ts'
import { createPeerProcess } from '../processes.ts'
import { mountSmall } from '../small-file-system.ts'
import type { PeerProcess } from '../processes.ts'

const wait = { timeout: 60_000, interval: 250 }
let files = ''

beforeAll(async () => { files = await mkdtemp(join(tmpdir(), 'pinswarm-faults-')) })
afterAll(async () => { await rm(files, { recursive: true, force: true }) })

const fileOf = async (name: string, bytes: Uint8Array): Promise<string> => {
  const path = join(files, name)
  await writeFile(path, bytes)
  return path
}
const text = async (peer: PeerProcess, ...args: string[]): Promise<string> => {
  const output = await peer.ctl(...args)
  expect(output.code, `${args.join(' ')}: ${output.stdout.toString()}${output.stderr}`).toBe(0)
  return output.stdout.toString()
}

describe('content that nobody has', () => {
  let peer: PeerProcess
  beforeAll(async () => {
    peer = await createPeerProcess({ name: 'alone', secret: randomBytes(32).toString('hex'), ipfs: 'helia', env: { CLUSTER_HELIA_PINTIMEOUT: '1s' } })
    await peer.start()
  })
  afterAll(async () => {
    await peer.stop()
    await peer.remove()
  })

  test('is a pin_error after no progress, harms no other pin, and recovers once somebody has it', async () => {
    const file = await fileOf('later', randomBytes(700_000))
    const cid = (await text(peer, 'add', '-Q', '--no-pin', file)).trim()
    await text(peer, 'ipfs', 'gc')
    await text(peer, 'pin', 'add', '--no-status', cid)
    await vi.waitFor(async () => { expect(await text(peer, 'status', cid)).toContain('PIN_ERROR: context canceled: pinning') }, wait)
    const other = (await text(peer, 'add', '-Q', await fileOf('other', randomBytes(10)))).trim()
    await vi.waitFor(async () => { expect(await text(peer, 'status', other)).toContain(': PINNED') }, wait)
    expect(await text(peer, 'status', '--filter', 'error')).not.toContain(other)
    await text(peer, 'add', '-Q', '--no-pin', file)
    await text(peer, 'recover', cid)
    await vi.waitFor(async () => { expect(await text(peer, 'status', cid)).toContain(': PINNED') }, wait)
  })
})

test('a peer whose store lost blocks and its state gets them back from another member', async () => {
  const secret = randomBytes(32).toString('hex')
  const [one, other] = await Promise.all(['one', 'other'].map(async (name) => await createPeerProcess({ name, secret, ipfs: 'helia', env: { CLUSTER_HELIA_PINTIMEOUT: '1s' } }))) as [PeerProcess, PeerProcess]
  try {
    await one.start()
    const address = (JSON.parse(await text(one, '--enc', 'json', 'id')) as { addresses: readonly string[] }).addresses.find((each) => /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p/.test(each)) ?? ''
    await other.start(['--bootstrap', address])
    const cids = Array.from({ length: 5 }, (_, number) => testCid(number).toString())
    for (const cid of cids) await text(one, 'pin', 'add', '--no-status', cid)
    const holds = async (): Promise<void> => {
      const listed = await text(other, 'pin', 'ls')
      for (const cid of cids) expect(listed).toContain(cid)
    }
    await vi.waitFor(holds, wait)
    await other.stop()
    const store = await openLevelStore(join(other.folder, 'leveldb'))
    const blocks: string[] = []
    for await (const keys of store.keys({ gte: '/c/b/', lt: '/c/b0' })) blocks.push(...keys)
    expect(blocks.length).toBe(5)
    await store.batch([...blocks.slice(0, 3), '/c/state'].map((key) => ({ type: 'del', key })))
    await store.close()
    await other.start(['--bootstrap', address])
    expect(other.log()).toContain('is being made anew of the stored blocks')
    await vi.waitFor(holds, wait)
  } finally {
    await Promise.all([one.stop(), other.stop()])
    await Promise.all([one.remove(), other.remove()])
  }
})

describe('a full disk', () => {
  const place = async (): Promise<string> => await mkdtemp(join(tmpdir(), 'pinswarm-small-disk-'))

  test('refuses what does not fit, says why, keeps what it acknowledged, and goes on when there is room', async (context) => {
    const folder = await place()
    if (!mountSmall(folder, 32)) {
      await rm(folder, { recursive: true })
      context.skip('this user may not mount a small file system')
    }
    let peer: PeerProcess | undefined
    try {
      peer = await createPeerProcess({ name: 'small', secret: randomBytes(32).toString('hex'), ipfs: 'helia', folder })
      await peer.start()
      const small = randomBytes(100_000)
      const kept = (await text(peer, 'add', '-Q', await fileOf('small', small))).trim()
      const refused = await peer.ctl('add', '-Q', await fileOf('large', randomBytes(40 * 2 ** 20)))
      expect(refused.code).toBe(2)
      expect(refused.stdout.toString()).toMatch(/ENOSPC|no space left/)
      expect((await peer.ctl('cat', kept)).stdout.equals(small)).toBe(true)
      expect(await text(peer, 'pin', 'ls')).toContain(kept)
      await text(peer, 'ipfs', 'gc')
      const later = (await text(peer, 'add', '-Q', await fileOf('later small', randomBytes(100_000)))).trim()
      await peer.stop('SIGKILL')
      await peer.start()
      await vi.waitFor(async () => { for (const cid of [kept, later]) expect(await text(peer as PeerProcess, 'status', cid)).toContain(': PINNED') }, wait)
    } finally {
      await peer?.stop()
      spawnSync('umount', [folder])
      await rm(folder, { recursive: true, force: true })
    }
  })

  test('refuses pins while there is no room, answers everything else, and pins again when there is', async (context) => {
    const folder = await place()
    if (!mountSmall(folder, 24)) {
      await rm(folder, { recursive: true })
      context.skip('this user may not mount a small file system')
    }
    let peer: PeerProcess | undefined
    try {
      peer = await createPeerProcess({ name: 'small', secret: randomBytes(32).toString('hex'), ipfs: 'helia', folder, env: { CLUSTER_HELIA_PINTIMEOUT: '1s' } })
      await peer.start()
      const cids = Array.from({ length: 40 }, (_, number) => testCid(number).toString())
      const left = cids.values()
      const acknowledged: string[] = []
      const pin = async (): Promise<string> => {
        const cid = left.next().value ?? ''
        const { code, stdout } = await (peer as PeerProcess).ctl('pin', 'add', '--no-status', cid)
        if (code === 0) acknowledged.push(cid)
        return code === 0 ? '' : stdout.toString()
      }
      expect([await pin(), await pin()]).toEqual(['', ''])
      const ballast = join(folder, 'ballast')
      // The last bytes of the disk are taken too: a log has some room of its own.
      spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=4096'])
      let refusal = ''
      for (let tries = 0; refusal === '' && tries < 20; tries++) refusal = await pin()
      expect(refusal).toContain('no room left on the disk')
      expect(await pin()).toContain('no room left on the disk')
      const listed = await text(peer, 'pin', 'ls')
      for (const cid of acknowledged) expect(listed).toContain(cid)
      await rm(ballast)
      await vi.waitFor(async () => { expect(await pin()).toBe('') }, wait)
      await peer.stop('SIGKILL')
      await peer.start()
      const after = await text(peer, 'pin', 'ls')
      for (const cid of acknowledged) expect(after).toContain(cid)
    } finally {
      await peer?.stop()
      spawnSync('umount', [folder])
      await rm(folder, { recursive: true, force: true })
    }
  })
})
