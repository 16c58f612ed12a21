import { silentLogger } from '../../src/component.ts'
import { MemoryConnector } from '../../src/ipfs/memory.ts'
import { withMembers } from '../../src/ipfs/with-members.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { ipfsConnectorContract, rawBlock, sampleDag } from '../contract/ipfs-connector.ts'
import { peerIdFromString } from '@libp2p/peer-id'
import { expect, it } from 'vitest'
import type { CID } from 'multiformats/cid'
import type { MemberBlocks } from '../../src/ipfs/helia.ts'
import type { Block, IpfsConnector } from '../../src/ipfs/ipfs.ts'

const id = peerIdFromString('12D3KooWFykm5gndKjXgNgAF2shsNfKvoDhEunPQF2XeWSkQrX4H')

function members (blocks: readonly Block[]): MemberBlocks & { readonly asked: string[] } {
  const held = new Map(blocks.map(({ cid, bytes }) => [cid.toString(), bytes]))
  const asked: string[] = []
  return {
    asked,
    fetchNow: async (cid) => { asked.push(cid.toString()); return held.get(cid.toString()) },
    fetch: async () => { throw new Error('not expected') }
  }
}

/** An IPFS that waits for missing blocks to be put, as kubo does. */
const waiting = (): MemoryConnector => {
  const ipfs: MemoryConnector = new MemoryConnector({
    id, needsBlocks: true,
    fetch: async (cid, { signal }) => {
      for (;;) {
        signal?.throwIfAborted()
        const bytes = await ipfs.blockGetLocal(cid)
        if (bytes !== undefined) return bytes
        await new Promise((resolve) => { setTimeout(resolve, 2) })
      }
    }
  })
  return ipfs
}

const fed = (connector: IpfsConnector, from: MemberBlocks, quiet = 20, patience = 20): IpfsConnector => withMembers({ connector, members: from, logger: silentLogger }, { patience, retryInterval: 10, quiet })

ipfsConnectorContract('memory with members', async () => ({ connector: fed(new MemoryConnector({ id, needsBlocks: true }), members([])), close: async () => {} }))

it('puts into the IPFS what only members have, while it pins', async () => {
  const { root, blocks } = await sampleDag('only members')
  const ipfs = waiting()
  await fed(ipfs, members(blocks)).pin(pinWith(root.cid))
  expect(await ipfs.pinStatus(pinWith(root.cid))).toBe('recursive')
  expect(ipfs.blockCount).toBe(8)
})

it('leaves it to the IPFS to pin several at once, where it can', async () => {
  const together: string[] = []
  const ipfs = Object.assign(new MemoryConnector({ id }), { pinLocal: async (cids: readonly CID[]) => { together.push(...cids.map(String)) } })
  const { root } = await sampleDag('together')
  await fed(ipfs, members([])).pinLocal?.([root.cid])
  expect(together).toEqual([root.cid.toString()])
  expect(fed(new MemoryConnector({ id }), members([])).pinLocal).toBeUndefined()
})

it('fetches only what is missing', async () => {
  const { root, blocks } = await sampleDag('some missing')
  const ipfs = waiting()
  for (const block of blocks.slice(2)) ipfs.addBlock(block)
  const others = members(blocks)
  await fed(ipfs, others).pin(pinWith(root.cid))
  expect(new Set(others.asked)).toEqual(new Set(blocks.slice(0, 2).map(({ cid }) => cid.toString())))
})

it('asks nobody where the IPFS is quick', async () => {
  const { root, blocks } = await sampleDag('quick')
  const ipfs = waiting()
  for (const block of blocks) ipfs.addBlock(block)
  const others = members([])
  await fed(ipfs, others, 20, 60_000).pin(pinWith(root.cid))
  expect(others.asked).toEqual([])
})

it('leaves alone an IPFS that has the root and gets on', async () => {
  const { root, blocks } = await sampleDag('gets on')
  const ipfs = waiting()
  ipfs.addBlock(root)
  const others = members(blocks)
  const arriving = (async () => {
    for (const block of blocks.toReversed()) {
      await new Promise((resolve) => { setTimeout(resolve, 20) })
      ipfs.addBlock(block)
    }
  })()
  await fed(ipfs, others, 60_000).pin(pinWith(root.cid))
  await arriving
  expect(others.asked).toEqual([])
})

it('asks again while nobody has it, and stops when the pin does', async () => {
  const { root } = await sampleDag('nobody')
  const others = members([])
  const controller = new AbortController()
  const pinning = fed(waiting(), others).pin(pinWith(root.cid), { signal: controller.signal })
  pinning.catch(() => {})
  await expect.poll(() => others.asked.length).toBeGreaterThan(2)
  controller.abort(new Error('given up'))
  await expect(pinning).rejects.toThrow('given up')
})

it('reads from members what the IPFS cannot find', async () => {
  const block = await rawBlock('read from members')
  const ipfs = fed(new MemoryConnector(), members([block]))
  expect(await ipfs.blockGet(block.cid)).toEqual(block.bytes)
  expect(await ipfs.blockGetLocal(block.cid)).toBeUndefined()
})
