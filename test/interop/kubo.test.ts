/** Our peer before a real kubo: pin, unpin, add, recover, and a kubo that goes away and comes back. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createPeerProcess } from '../processes.ts'
import type { PeerProcess } from '../processes.ts'
import { createKubo, kuboProgram, needs, newSecret } from './programs.ts'
import type { Kubo } from './programs.ts'

const wait = { timeout: 60_000, interval: 250 }

describe.runIf(kuboProgram !== undefined)(`a peer before a real kubo${needs([kuboProgram !== undefined, 'ipfs'])}`, () => {
  let kubo: Kubo
  let peer: PeerProcess
  const ctl = async (...args: string[]): Promise<string> => {
    const output = await peer.ctl(...args)
    expect(output.code, `${args.join(' ')}: ${output.stdout.toString()}${output.stderr}`).toBe(0)
    return output.stdout.toString()
  }
  const add = async (text: string, ...args: string[]): Promise<string> => {
    const file = join(peer.folder, 'file.txt')
    await writeFile(file, `${text} ${Math.random()}`)
    return (await ctl('add', '-Q', ...args, file)).trim()
  }

  beforeAll(async () => {
    kubo = await createKubo()
    await kubo.start()
    peer = await createPeerProcess({ name: 'ours', secret: newSecret(), ipfs: kubo.apiPort })
    await peer.start()
  }, 60_000)
  afterAll(async () => {
    await peer.stop()
    await kubo.stop()
    await peer.remove()
    await kubo.remove()
  })

  test('add, pin, direct pin and unpin reach kubo', async () => {
    const cid = await add('hello')
    await ctl('pin', 'add', '--wait', cid)
    expect(await kubo.call(`pin/ls?arg=${cid}&type=recursive`)).toContain(cid)
    const direct = await add('direct', '--no-pin')
    await ctl('pin', 'add', '--mode', 'direct', '--wait', direct)
    expect(await kubo.call(`pin/ls?arg=${direct}&type=direct`)).toContain(direct)
    expect(await ctl('status', '--filter', 'pinned')).toContain(direct)
    for (const each of [cid, direct]) {
      await ctl('pin', 'rm', '--wait', each)
      await expect(kubo.call(`pin/ls?arg=${each}`)).rejects.toThrow('not pinned')
    }
  })

  test('a pin lost behind our back shows, and recover mends it', async () => {
    const cid = await add('lost')
    await ctl('pin', 'add', '--wait', cid)
    await kubo.call(`pin/rm?arg=${cid}`)
    expect(await ctl('status', cid)).toContain('UNEXPECTEDLY_UNPINNED: the item should be pinned but it is not')
    await ctl('recover', cid)
    await vi.waitFor(async () => { expect(await ctl('status', cid)).toContain(': PINNED') }, wait)
  })

  test('kubo stops: status says so, new pins fail and are recovered once it is back', async () => {
    const kept = await add('kept')
    const late = await add('late', '--no-pin')
    await kubo.stop()
    await vi.waitFor(async () => { expect(await ctl('status', kept)).toContain('CLUSTER_ERROR') }, wait)
    await ctl('pin', 'add', '--no-status', late)
    await vi.waitFor(async () => { expect(await ctl('status', late)).toMatch(/PIN_ERROR|PINNING/) }, wait)
    await kubo.start()
    await vi.waitFor(async () => {
      await ctl('recover')
      for (const cid of [kept, late]) expect(await ctl('status', cid)).toContain(': PINNED')
    }, wait)
  })

  test('kubo dies in the middle of a pin: a pin_error that recovers', async () => {
    const file = join(peer.folder, 'missing.txt')
    await writeFile(file, `missing ${Math.random()}`)
    const missing = (await ctl('add', '-Q', '--no-pin', file)).trim()
    await kubo.call('repo/gc')
    await ctl('pin', 'add', '--no-status', missing)
    await vi.waitFor(async () => { expect(await ctl('status', missing)).toContain(': PINNING') }, wait)
    await kubo.stop('SIGKILL')
    await vi.waitFor(async () => { expect(await ctl('status', missing)).toContain('PIN_ERROR') }, wait)
    await kubo.start()
    await ctl('add', '-Q', '--no-pin', file)
    await vi.waitFor(async () => {
      await ctl('recover', missing)
      expect(await ctl('status', missing)).toContain(': PINNED')
    }, wait)
  })
})
