import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { decodeBlock, encodeBlock, encodeDelta, type DeltaBlock } from '../../src/crdt/block.ts'
import { decodeBroadcast, encodeBroadcast } from '../../src/crdt/broadcast.ts'
import { topicOf } from '../../src/crdt/topic.ts'
import vectors from '../vectors/wire/crdt.json' with { type: 'json' }
import keys from '../vectors/wire/keys.json' with { type: 'json' }
import { Model, hex, unhex } from './model.ts'

interface BlockVector {
  readonly cid: string
  readonly block_hex: string
  readonly delta_hex: string
  readonly priority: number
  readonly elements: ReadonlyArray<{ readonly key: string, readonly value_hex: string }>
  readonly tombstones: ReadonlyArray<{ readonly key: string, readonly id: string }>
  readonly links: readonly string[]
}
interface Step { readonly op: string, readonly block?: BlockVector, readonly broadcast_hex?: string, readonly state_after: Record<string, string> }

const steps = vectors.sequential.steps as unknown as readonly Step[]
const concurrent = vectors.concurrent.blocks_in_order as unknown as readonly BlockVector[]
const broadcasts = [
  ...steps.flatMap(({ block, broadcast_hex: bytes }) => block === undefined || bytes === undefined ? [] : [[block.cid, bytes] as const]),
  ...concurrent.map(({ cid }, index) => [cid, vectors.concurrent.broadcasts_hex[index] ?? ''] as const)
]
const read = (vector: BlockVector): DeltaBlock => decodeBlock(CID.parse(vector.cid), unhex(vector.block_hex))
const byId = (blocks: readonly DeltaBlock[]): Map<string, DeltaBlock> => new Map(blocks.map((block) => [block.id, block]))

function * permutations<T> (items: readonly T[]): Generator<readonly T[]> {
  if (items.length === 0) yield []
  for (const [index, item] of items.entries()) for (const rest of permutations(items.toSpliced(index, 1))) yield [item, ...rest]
}

describe('blocks and broadcasts of the Go peer', () => {
  it.each([...steps.flatMap(({ op, block }) => block === undefined ? [] : [[op, block] as const]), ...concurrent.map((block) => [`concurrent ${block.cid}`, block] as const)])('%s: decodes, and encodes to the same bytes', (_name, vector) => {
    const block = read(vector)
    expect(block.delta.priority).toBe(vector.priority)
    expect(block.delta.elements.map(({ key, value }) => ({ key, value: hex(value) }))).toEqual(vector.elements.map(({ key, value_hex: value }) => ({ key, value })))
    expect(block.delta.tombstones).toEqual(vector.tombstones.map(({ key, id }) => ({ key, id })))
    expect(block.links.map(String)).toEqual(vector.links)
    expect(hex(encodeDelta(block.delta))).toBe(vector.delta_hex)
    const again = encodeBlock(block.delta, block.links.toReversed())
    expect(hex(again.bytes)).toBe(vector.block_hex)
    expect(again.cid.toString()).toBe(vector.cid)
  })

  it.each(broadcasts)('broadcast of %s, both ways', (cid, bytes) => {
    expect(decodeBroadcast(unhex(bytes)).map(String)).toEqual([cid])
    expect(hex(encodeBroadcast([CID.parse(cid)]))).toBe(bytes)
  })

  it.each(keys.topics)('topic of $Name', ({ Name, Topic }) => { expect(topicOf(Name)).toBe(Topic) })
})

describe('the sequential scenario', () => {
  it('comes to the state of the Go peer after each step', () => {
    const replica = new Model()
    for (const { op, block, state_after: state } of steps) {
      if (block !== undefined) replica.merge([read(block)])
      expect(replica.state(), op).toEqual(state)
    }
  })

  it('writes the very blocks of the Go peer', () => {
    const replica = new Model()
    for (const { op, block, state_after: state } of steps) {
      const before = replica.state()
      const operations = block === undefined
        ? Object.keys(state).length < Object.keys(before).length ? [] : [['/CIQEQ3VEMISNDO2PW2APGT34TLMWVDZE5SEL447KRZNGYZJGB2OLRJY'] as const]
        : [...new Set(block.tombstones.map(({ key }) => key))].map((key) => [key] as const)
      const puts = (block?.elements ?? []).map(({ key, value_hex: value }) => [key, unhex(value)] as const)
      const written = replica.commit([...operations, ...puts])
      expect(written?.cid.toString(), op).toBe(block?.cid)
      expect(replica.state(), op).toEqual(state)
    }
  })

  it('keeps only what is needed of the datastore of the Go peer', () => {
    const replica = new Model()
    for (const { block } of steps) if (block !== undefined) replica.merge([read(block)])
    const dump = vectors.sequential.datastore_dump
    const elements = dump.flatMap((line) => /^\/c\/s\/s(\/\w+)(\/\w+) = $/.exec(line)?.slice(1, 3).join('') ?? [])
    const dead = dump.flatMap((line) => /^\/c\/s\/t(\/\w+)(\/\w+) = $/.exec(line)?.slice(1, 3).join('') ?? [])
    const live = [...replica.keys.keys()].flatMap((key) => replica.live(key).map((id) => key + id))
    expect(live).toEqual(elements.filter((element) => !dead.includes(element)))
    expect([...replica.blocks.keys()].sort()).toEqual(dump.flatMap((line) => /^\/c\/b(\/CIQ\w+) = $/.exec(line)?.[1] ?? []).sort())
    expect([...replica.heads].map(([id, { height }]) => `/c/h${id} = ${hex(Uint8Array.of(height))}`)).toEqual(dump.filter((line) => line.startsWith('/c/h/')))
    for (const [key, { winner }] of replica.keys) {
      const stored = dump.filter((line) => line.startsWith(`/c/s/k${key}/`))
      expect(stored).toEqual(winner === undefined ? [] : [`/c/s/k${key}/p = ${hex(Uint8Array.of(winner.priority + 1))}`, `/c/s/k${key}/v = ${hex(winner.value)}`])
    }
  })
})

describe('the concurrent scenario', () => {
  const { after_tie_state_A: tied, after_tie_heads_A: tiedHeads, after_addwins_A: added, after_addwins_heads_B: addedHeads, final_state_C_from_scratch: final, final_heads_C: finalHeads } = vectors.concurrent
  const blocks = concurrent.map(read)
  const all = byId(blocks)

  it('breaks the tie, lets the add win, and ends as the Go peers', () => {
    const replica = new Model()
    replica.merge(blocks.slice(0, 2))
    expect([replica.state(), replica.headCids()]).toEqual([tied, tiedHeads])
    replica.merge(blocks.slice(2, 4))
    expect([replica.state(), replica.headCids()]).toEqual([added, addedHeads])
    replica.merge(blocks.slice(4))
    expect([replica.state(), replica.headCids()]).toEqual([final, finalHeads])
  })

  it.each(['parents first', 'top down'] as const)('gives the same state in all 120 delivery orders, %s', (order) => {
    let orders = 0
    for (const heads of permutations(blocks)) {
      const replica = new Model()
      for (const { cid } of heads) replica.receive(cid, all, order)
      expect([replica.state(), replica.headCids()], heads.map(({ cid }) => cid.toString()).join(' ')).toEqual([final, finalHeads])
      orders++
    }
    expect(orders).toBe(120)
  })

  it('gives the same state when single blocks are merged in any order', () => {
    for (const order of permutations(blocks)) {
      const replica = new Model()
      for (const block of order) replica.merge([block])
      expect([replica.state(), replica.headCids()], order.map(({ cid }) => cid.toString()).join(' ')).toEqual([final, finalHeads])
    }
  })
})
