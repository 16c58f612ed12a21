/** Members that a tab remembers: what was kept is read again, whatever has become of it. */
import { MemoryStore } from '../../src/store/memory.ts'
import { knownAddresses } from '../../web/known-addresses.ts'
import fc from 'fast-check'
import { expect, it } from 'vitest'

const key = 'web/known-addresses'
const address = '/ip4/127.0.0.1/tcp/9098/ws/p2p/12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X'

async function read (value: Uint8Array): Promise<readonly string[]> {
  const store = new MemoryStore()
  await store.batch([{ type: 'put', key, value }])
  return (await knownAddresses(store)).map(String)
}

it('reads addresses, leaves out what is none, and takes no more than it needs', async () => {
  expect(await knownAddresses(new MemoryStore())).toEqual([])
  expect(await read(new TextEncoder().encode(`${address}\n\nnonsense\n/ip4/999.1.1.1/tcp/1`))).toEqual([address])
  expect(await read(new TextEncoder().encode(Array.from({ length: 5_000 }, () => address).join('\n')))).toHaveLength(200)
})

it('never throws', async () => {
  await fc.assert(fc.asyncProperty(fc.oneof(fc.uint8Array(), fc.string().map((text) => new TextEncoder().encode(`/ip4/${text}\n${address}`))), async (value) => {
    for (const text of await read(value)) expect(text).toMatch(/^\//)
  }))
})
