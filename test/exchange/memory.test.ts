import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { expect, it } from 'vitest'
import { createMemoryExchange } from '../../src/exchange/memory.ts'
import { createMemoryNetwork } from '../../src/transport/memory.ts'
import { exchangeContract } from '../contract/exchange.ts'

exchangeContract('memory', async (count, blocks) => {
  const network = createMemoryNetwork()
  const exchange = createMemoryExchange()
  const transports = await Promise.all(Array.from({ length: count }, async () => network.join(peerIdFromPrivateKey(await generateKeyPair('Ed25519')))))
  for (const transport of transports) await transport.start()
  await network.connectAll()
  return transports.map((transport, index) => ({ transport, exchange: exchange.join(transport, blocks(index)) }))
})

it('fetches from connected members, also blocks that appear later, until the signal fires', async () => {
  const network = createMemoryNetwork()
  const exchange = createMemoryExchange()
  const transports = await Promise.all([1, 2].map(async () => network.join(peerIdFromPrivateKey(await generateKeyPair('Ed25519')))))
  const stores = transports.map(() => new Map<string, Uint8Array>())
  const members = transports.map((transport, index) => exchange.join(transport, { get: async (cid) => stores[index]?.get(cid.toString()) }))
  await Promise.all([...transports, ...members].map((part) => part.start()))
  const block = Uint8Array.of(1, 2, 3)
  const cid = CID.createV1(0x55, await sha256.digest(block))
  stores[1]?.set(cid.toString(), block)
  await expect(members[0]?.fetch(cid, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ name: 'TimeoutError' })
  const waiting = members[0]?.fetch(cid)
  await network.connectAll()
  expect(await waiting).toEqual(block)
})
