/** What every exchange of blocks does between members. */
import type { BlockExchange, LocalBlocks } from '../../src/exchange/exchange.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startAll, stopAll } from '../../src/component.ts'

export interface Member {
  readonly transport: Transport
  readonly exchange: BlockExchange
  readonly store: Map<string, Uint8Array>
}

/** Started transports that are all connected, and an exchange for each, not started. */
export type OpenExchange = (count: number, blocks: (index: number) => LocalBlocks) => Promise<ReadonlyArray<{ transport: Transport, exchange: BlockExchange }>>

export async function newBlock (text: string, size = 0): Promise<{ cid: CID, bytes: Uint8Array }> {
  const bytes = new TextEncoder().encode(text.padEnd(size, '.'))
  return { cid: CID.createV1(0x70, await sha256.digest(bytes)), bytes }
}

const deadline = () => ({ signal: AbortSignal.timeout(20_000) })

export function exchangeContract (name: string, open: OpenExchange): void {
  async function openMembers (count: number): Promise<readonly [Member, Member, ...Member[]]> {
    const stores = Array.from({ length: count }, () => new Map<string, Uint8Array>())
    const opened = await open(count, (index) => ({ get: async (cid) => stores[index]?.get(cid.toString()) }))
    const members = opened.map(({ transport, exchange }, index) => ({ transport, exchange, store: stores[index] ?? new Map<string, Uint8Array>() }))
    onTestFinished(() => stopAll(members.flatMap(({ transport, exchange }) => [transport, exchange])))
    await startAll(members.map(({ exchange }) => exchange))
    return members as [Member, Member, ...Member[]]
  }

  describe(`exchange: ${name}`, () => {
    it('fetches small and large blocks', async () => {
      const [one, other] = await openMembers(2)
      for (const size of [0, 500, 2000, 1_000_000]) {
        const { cid, bytes } = await newBlock(`block of ${size}`, size)
        other.store.set(cid.toString(), bytes)
        expect(await one.exchange.fetch(cid, deadline())).toEqual(bytes)
      }
    })

    it('fetches many at once, each from whoever has it', async () => {
      const [one, ...others] = await openMembers(4)
      const blocks = await Promise.all(Array.from({ length: 600 }, async (_, index) => await newBlock(`block ${index}`)))
      for (const [index, { cid, bytes }] of blocks.entries()) others[index % others.length]?.store.set(cid.toString(), bytes)
      const fetched = await Promise.all(blocks.map(async ({ cid }, index) =>
        await one.exchange.fetch(cid, { ...deadline(), from: index % 2 === 0 ? [] : others.map(({ transport }) => transport.peerId) })))
      expect(fetched).toEqual(blocks.map(({ bytes }) => bytes))
    })

    it('answers two callers of one block, and goes on when one of them gives up', async () => {
      const [one, other] = await openMembers(2)
      const { cid, bytes } = await newBlock('wanted twice')
      const abort = new AbortController()
      const first = one.exchange.fetch(cid, { signal: abort.signal })
      const second = one.exchange.fetch(cid, deadline())
      abort.abort(new Error('given up'))
      await expect(first).rejects.toThrow('given up')
      other.store.set(cid.toString(), bytes)
      expect(await second).toEqual(bytes)
    })

    it('finds a block that appears after it was asked for', async () => {
      const [one, other] = await openMembers(2)
      const { cid, bytes } = await newBlock('late')
      const waiting = one.exchange.fetch(cid, deadline())
      await expect(one.exchange.fetch(cid, { signal: AbortSignal.timeout(300) })).rejects.toMatchObject({ name: 'TimeoutError' })
      other.store.set(cid.toString(), bytes)
      expect(await waiting).toEqual(bytes)
    })

    it('both sides fetch from each other at the same time', async () => {
      const [one, other] = await openMembers(2)
      const blocks = await Promise.all(Array.from({ length: 100 }, async (_, index) => await newBlock(`both ${index}`, 20_000)))
      for (const [index, { cid, bytes }] of blocks.entries()) (index % 2 === 0 ? one : other).store.set(cid.toString(), bytes)
      const fetched = await Promise.all(blocks.map(async ({ cid }, index) => await (index % 2 === 0 ? other : one).exchange.fetch(cid, deadline())))
      expect(fetched).toEqual(blocks.map(({ bytes }) => bytes))
    })

    it('ends what is asked for when it stops', async () => {
      const [one] = await openMembers(2)
      const { cid } = await newBlock('nobody has it')
      const waiting = one.exchange.fetch(cid)
      const refused = expect(waiting).rejects.toThrow()
      await one.exchange.stop()
      await refused
    })
  })
}
