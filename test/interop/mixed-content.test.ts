/** Content between members of ours, one on a real kubo and one on the embedded store: over the private network, both ways. */
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createPeerProcess } from '../processes.ts'
import type { PeerProcess } from '../processes.ts'
import { createKubo, kuboProgram, needs, newSecret } from './programs.ts'
import type { Kubo } from './programs.ts'

const wait = { timeout: 60_000, interval: 250 }

describe.runIf(kuboProgram !== undefined)(`a member on kubo and a member on the embedded store${needs([kuboProgram !== undefined, 'ipfs'])}`, () => {
  let kubo: Kubo
  let onKubo: PeerProcess
  let onHelia: PeerProcess
  const ctl = async (peer: PeerProcess, ...args: string[]): Promise<string> => {
    const output = await peer.ctl(...args)
    expect(output.code, `${args.join(' ')}: ${output.stdout.toString()}${output.stderr}`).toBe(0)
    return output.stdout.toString()
  }
  const idOf = async (peer: PeerProcess): Promise<string> => (JSON.parse(await ctl(peer, '--enc', 'json', 'id')) as { id: string }).id

  beforeAll(async () => {
    kubo = await createKubo()
    await kubo.start()
    const secret = newSecret()
    onKubo = await createPeerProcess({ name: 'kubo', secret, ipfs: kubo.apiPort })
    onHelia = await createPeerProcess({ name: 'helia', secret, ipfs: 'helia' })
    await onKubo.start()
    const { addresses } = await (await fetch(`${onKubo.base}/id`)).json() as { addresses: string[] }
    await onHelia.start(['--bootstrap', addresses[0] ?? ''])
    await vi.waitFor(async () => { for (const peer of [onKubo, onHelia]) expect(await ctl(peer, 'peers', 'ls')).toContain('Sees 1 other peers') }, wait)
  })
  afterAll(async () => {
    await onHelia.stop()
    await onKubo.stop()
    await kubo.stop()
    for (const each of [onHelia, onKubo, kubo]) await each.remove()
  })

  test.each(['kubo to helia', 'helia to kubo'])('%s: what one holds unpinned, the other pins and reads back', async (direction) => {
    const [from, to] = direction === 'kubo to helia' ? [onKubo, onHelia] : [onHelia, onKubo]
    const bytes = randomBytes(3 * 2 ** 20)
    const file = join(from.folder, 'content.bin')
    await writeFile(file, bytes)
    const cid = (await ctl(from, 'add', '-Q', '--local', '--no-pin', file)).trim()
    const target = await idOf(to)
    await ctl(to, 'pin', 'add', '--replication-min', '1', '--replication-max', '1', '--allocations', target, '--wait', '--wait-timeout', '40s', cid)
    const pin = JSON.parse(await ctl(to, '--enc', 'json', 'pin', 'ls', cid)) as { allocations: string[] }
    expect(pin.allocations).toEqual([target])
    await from.stop()
    expect((await to.ctl('cat', cid)).stdout.equals(bytes)).toBe(true)
    await from.start()
    await vi.waitFor(async () => { expect(await ctl(from, 'peers', 'ls')).toContain('Sees 1 other peers') }, wait)
  })
})
