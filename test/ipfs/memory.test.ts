import { MemoryConnector } from '../../src/ipfs/memory.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { ipfsConnectorContract, rawBlock, sampleDag } from '../contract/ipfs-connector.ts'
import { peerIdFromString } from '@libp2p/peer-id'
import { expect, it } from 'vitest'

const id = peerIdFromString('12D3KooWFykm5gndKjXgNgAF2shsNfKvoDhEunPQF2XeWSkQrX4H')

ipfsConnectorContract('memory', async () => ({ connector: new MemoryConnector({ id, needsBlocks: true }), close: async () => {} }))

it('fails where it is told to, until it is told otherwise', async () => {
  const { cid } = await rawBlock('failing')
  const ipfs = new MemoryConnector()
  ipfs.fail('pin', new Error('no pin today'))
  await expect(ipfs.pin(pinWith(cid))).rejects.toThrow('no pin today')
  ipfs.fail('pin')
  await ipfs.pin(pinWith(cid))
  expect(await ipfs.pinStatus(pinWith(cid))).toBe('recursive')
  ipfs.losePin(cid)
  expect(await ipfs.pinStatus(pinWith(cid))).toBe('unpinned')
  expect(ipfs.calls.slice(0, 3)).toEqual([`pin ${cid}`, `pin ${cid}`, `pinStatus ${cid}`])
})

it('holds an operation until its hook lets go, or the signal fires', async () => {
  const { cid } = await rawBlock('held')
  const ipfs = new MemoryConnector()
  const gate = Promise.withResolvers<void>()
  ipfs.before('pin', () => gate.promise)
  const controller = new AbortController()
  const cancelled = ipfs.pin(pinWith(cid), { signal: controller.signal })
  const patient = ipfs.pin(pinWith(cid))
  controller.abort(new Error('cancelled'))
  await expect(cancelled).rejects.toThrow('cancelled')
  expect(await ipfs.pinStatus(pinWith(cid))).toBe('unpinned')
  gate.resolve()
  await patient
  expect(await ipfs.pinStatus(pinWith(cid))).toBe('recursive')
})

it('fetches what is missing from where it is told', async () => {
  const { root, blocks } = await sampleDag('elsewhere')
  const elsewhere = new Map(blocks.map(({ cid, bytes }) => [cid.toString(), bytes]))
  const ipfs = new MemoryConnector({ needsBlocks: true, fetch: async (cid) => elsewhere.get(cid.toString()) })
  const progress: number[] = []
  await ipfs.pin(pinWith(root.cid), { onProgress: (count) => { progress.push(count) } })
  expect(progress).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  expect(ipfs.blockCount).toBe(8)
})
